"""Mixed precision: the fewest tensors in float that a given cosine takes.

In: a quantized network whose tensors are ranked by sensitivity. Out: the same network with some quantizers removed:
those tensors stay in float, and so do the convolutions that read them. Runtimes that must be full integer take none
of this.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ghostface_edge.pipeline.quantize.macs import int8_share
from ghostface_edge.pipeline.quantize.report import Part, RoundingLoss
from ghostface_edge.pipeline.simulation.placement import QuantizerPlacement
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram, with_float_fallback
from ghostface_edge.pipeline.simulation.simulate import cosines, simulate
from ghostface_edge.targets.protocol import Embeddings, Faces


@dataclass(frozen=True, slots=True)
class MixedPrecision:
    """What the search kept, and what that gave."""

    quantized: QuantizedProgram
    kept: tuple[str, ...]
    """Groups of tensors in float."""
    cosine: float
    reached: bool
    """Whether the goal was reached before the share of INT8 fell too low."""


def search_mixed(
    program: Program,
    quantized: QuantizedProgram,
    placement: QuantizerPlacement,
    ranking: tuple[RoundingLoss, ...],
    faces: Faces,
    reference: Embeddings,
    *,
    cosine: float,
    least_int8_share: float,
    progress: Callable[[float], None],
) -> MixedPrecision:
    """Leave the most sensitive tensors in float one by one until the mean cosine on `faces` reaches the goal.

    Args:
        program: float32, where float parameters come from.
        quantized: the full-integer network.
        placement: of the program.
        ranking: worst first.
        faces: RGB uint8 (N, S, S, 3), held out.
        reference: float32 embeddings of `faces`.
        cosine: the goal.
        least_int8_share: a tensor that would bring the share of MACs in INT8 below this is passed over.
        progress: told the share of the ranking seen.
    """
    kept: list[str] = []
    best = float(cosines(simulate(quantized, faces), reference).mean())
    tensors = [row.name for row in ranking if row.part is Part.TENSOR and row.name not in placement.fixed]
    for index, name in enumerate(tensors):
        if best >= cosine:
            break
        candidate = _fall_back(program, quantized, placement.members(name))
        progress((index + 1) / len(tensors))
        if int8_share(candidate, faces.shape[1]) < least_int8_share:
            continue
        reached = float(cosines(simulate(candidate, faces), reference).mean())
        if reached > best:
            kept.append(name)
            quantized, best = candidate, reached
    return MixedPrecision(quantized, tuple(kept), best, best >= cosine)


def _fall_back(program: Program, quantized: QuantizedProgram, values: tuple[str, ...]) -> QuantizedProgram:
    """Let some values, and the weights and slopes that meet them, stay in float; biases keep their correction."""
    readers = {step.name for step in program.steps if step.inputs[0] in values}
    real = {name: value for name, value in program.parameters.items() if not name.endswith(".bias")}
    return with_float_fallback(quantized, real, tensors=values, steps=readers)
