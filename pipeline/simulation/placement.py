"""Quantizer placement: which tensors are quantized, and which of them share one grid.

In: a program. Out: the group of every quantized value, and the groups whose grid is given by their meaning (the
pixels, a sigmoid, a clip to [0, 1]).

TFLite wants one grid over a concatenation, over a pooling and over a resize, and with one grid these operators only
copy integers in the other runtimes too. The value between a convolution and its PReLU has a grid, because neither ONNX
Runtime nor TFLite can fuse the two; it is the PReLU's own, so that positive values pass unchanged (the same accuracy
as two grids, and integer kernels need no second scale). A convolution in front of a saturating step has none: the step
has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ghostface_edge.calibration.preprocessing import MEAN, SCALE
from ghostface_edge.pipeline.simulation.fake_quantize import params_between
from ghostface_edge.pipeline.simulation.program import Program, Step
from ghostface_edge.targets.disjoint_sets import DisjointSets
from ghostface_edge.targets.quant_params import QuantParams

PIXEL_SHIFT = (MEAN - 128) / SCALE
"""Added to the input, it turns pixel p into (p - 128) / 128: exactly one integer per pixel value, no halves."""
PIXEL_PARAMS = QuantParams(1 / SCALE, 0)
_SIGMOID_PARAMS = QuantParams(1 / 256, -128)
_SHARING = {"Concat", "AveragePool", "Resize", "PRelu"}


@dataclass(frozen=True, slots=True)
class QuantizerPlacement:
    """The quantized values of a program."""

    group: Mapping[str, str]
    """Group of each quantized value; a group is named after its first value in the program's order."""
    fixed: Mapping[str, QuantParams]
    """Quantization parameters that are not searched, by group."""

    @property
    def free(self) -> tuple[str, ...]:
        """Groups whose grid has to be found, in order."""
        return tuple(name for name in dict.fromkeys(self.group.values()) if name not in self.fixed)

    def members(self, group: str) -> tuple[str, ...]:
        """The values of one group."""
        return tuple(value for value, name in self.group.items() if name == group)


def place_quantizers(program: Program) -> QuantizerPlacement:
    """Place the quantizers."""
    placed = (step for step in program.steps if step.op != "Flatten" and not _saturates_next(program, step))
    values = [program.input, *(step.output for step in placed)]
    sharing: DisjointSets[str] = DisjointSets()
    for step in program.steps:
        if step.op in _SHARING:
            sharing.tie((*step.inputs, step.output))
    first: dict[str, str] = {}
    leader = {value: first.setdefault(sharing.root(value), value) for value in values}
    fixed = {leader[program.input]: PIXEL_PARAMS}
    for step in program.steps:
        if step.op == "Sigmoid":
            fixed[leader[step.output]] = _SIGMOID_PARAMS
        elif step.op in {"HardSigmoid", "Clip"}:
            bounds = step.bounds if step.op == "Clip" else (0.0, 1.0)
            fixed[leader[step.output]] = params_between(*bounds)
    return QuantizerPlacement(leader, fixed)


def _saturates_next(program: Program, step: Step) -> bool:
    return any(user.saturating for user in program.consumers(step.output))
