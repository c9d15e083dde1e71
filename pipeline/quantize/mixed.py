"""Keeps the fewest tensors in higher precision that a given cosine takes.

In: a quantized network whose tensors are ranked by sensitivity. Out: the same network with some grids removed: those
tensors stay in float, and so do the convolutions that read them. Runtimes that must be full integer take none of this.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ghostface_edge.pipeline.quantize.macs import int8_share
from ghostface_edge.pipeline.quantize.sensitivity import Part, Sensitivity
from ghostface_edge.pipeline.simulation.placement import Sites
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.qdq_model import Quantized
from ghostface_edge.pipeline.simulation.simulate import cosines, simulate
from ghostface_edge.targets.protocol import Embeddings, Faces


@dataclass(frozen=True, slots=True)
class MixedPrecision:
    """What the search kept, and what that gave."""

    quantized: Quantized
    kept: tuple[str, ...]
    """Groups of tensors in higher precision."""
    cosine: float
    reached: bool
    """Whether the goal was reached before the share of INT8 fell too low."""


def search_mixed(
    program: Program,
    quantized: Quantized,
    sites: Sites,
    ranking: tuple[Sensitivity, ...],
    faces: Faces,
    reference: Embeddings,
    *,
    cosine: float,
    least_int8_share: float,
    progress: Callable[[float], None],
) -> MixedPrecision:
    """Free the most sensitive tensors one by one until the mean cosine on `faces` reaches the goal.

    Args:
        program: float32, where freed parameters come from.
        quantized: the full-integer network.
        sites: of the program.
        ranking: worst first.
        faces: RGB uint8 (N, S, S, 3), held out.
        reference: float32 embeddings of `faces`.
        cosine: the goal.
        least_int8_share: a tensor that would bring the share of MACs in INT8 below this is passed over.
        progress: told the share of the ranking seen.
    """
    kept: list[str] = []
    best = float(cosines(simulate(quantized, faces), reference).mean())
    tensors = [row.name for row in ranking if row.part is Part.TENSOR and row.name not in sites.fixed]
    for index, name in enumerate(tensors):
        if best >= cosine:
            break
        freed = free_tensors(program, quantized, sites.members(name))
        progress((index + 1) / len(tensors))
        if int8_share(freed, faces.shape[1]) < least_int8_share:
            continue
        reached = float(cosines(simulate(freed, faces), reference).mean())
        if reached > best:
            kept.append(name)
            quantized, best = freed, reached
    return MixedPrecision(quantized, tuple(kept), best, best >= cosine)


def free_tensors(program: Program, quantized: Quantized, values: tuple[str, ...]) -> Quantized:
    """Remove the grids of some values, and the rounding of the parameters that meet them."""
    grids = {name: grid for name, grid in quantized.grids.items() if name not in values}
    parameters = dict(quantized.program.parameters)
    weight_scales, slope_scales = dict(quantized.weight_scales), dict(quantized.slope_scales)
    for step in program.steps:
        if step.op in {"Conv", "PRelu"} and step.inputs[0] in values:
            weight_scales.pop(step.name, None)
            slope_scales.pop(step.name, None)
            for role in ("weight", "slope"):
                key = f"{step.name}.{role}"
                if key in parameters:
                    parameters[key] = program.parameters[key]
    return Quantized(replace(quantized.program, parameters=parameters), grids, weight_scales, slope_scales)
