"""Rounds the parameters, and corrects each bias for what rounding did to the mean of its convolution's output.

In: a program, its quantization parameters, calibration faces. Out: a `QuantizedProgram`.

Float and INT8 run side by side, step by step, over all faces at once, so that each bias sees exactly the rounded inputs
it will see: whatever the earlier layers' rounding moved, on average, is taken back here.
Source: Nagel et al. 2019, arXiv:1906.04721, section 4.2, in its empirical form.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch

from ghostface_edge.pipeline.simulation.fake_quantize import (
    bias_limits,
    channel_scales,
    round_bias,
    round_slope,
    round_weight,
    slope_scale,
)
from ghostface_edge.pipeline.simulation.memory import measure
from ghostface_edge.pipeline.simulation.placement import PIXEL_SHIFT
from ghostface_edge.pipeline.simulation.program import Parameters, Program, Step, Transform, Values, evaluate
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.pipeline.simulation.simulate import as_input, batches, rounding
from ghostface_edge.pipeline.simulation.workers import share_out
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.quant_params import QuantParams

_MEMORY_BYTES = 1_200_000_000
"""For the values that are alive at one time."""


def round_parameters(program: Program, activations: Mapping[str, QuantParams]) -> QuantizedProgram:
    """Nearest weights and slopes; the first convolution's bias takes back the pixels' shift."""
    rounded = QuantizedProgram(program, activations, {}, {})
    for step in program.steps:
        rounded = round_step(rounded, step, program.parameters)
    return rounded


def correct_biases(
    program: Program, activations: Mapping[str, QuantParams], faces: Faces, progress: Callable[[float], None]
) -> QuantizedProgram:
    """Nearest weights and slopes, each bias corrected on the faces.

    Args:
        program: float32.
        activations: quantization parameters by value.
        faces: RGB uint8 (N, S, S, 3); only as many as memory holds are used.
        progress: told the share done.
    """
    count = max(1, min(len(faces), _MEMORY_BYTES // (2 * measure(program, faces.shape[1]).alive)))
    corrected = QuantizedProgram(program, activations, {}, {})
    transform = rounding(corrected)
    pairs = [_SideBySide(program, part, transform) for part in batches(faces[:count])]
    for index, step in enumerate(program.steps):
        corrected = round_step(corrected, step, program.parameters)
        parameters = corrected.program.parameters
        errors = list(share_out(partial(_SideBySide.run, index=index, parameters=parameters), pairs))
        moved = None
        if step.op == "Conv":
            bias = parameters[f"{step.name}.bias"]
            _move_bias(corrected, step, (torch.stack(errors).sum(0) / count).float())
            moved = (parameters[f"{step.name}.bias"] - bias).reshape(1, -1, 1, 1)
        list(share_out(partial(_SideBySide.go_on, index=index, moved=moved), pairs))
        progress((index + 1) / len(program.steps))
    return corrected


class _SideBySide:
    """What some faces are in float and in INT8, step by step."""

    def __init__(self, program: Program, faces: Faces, transform: Transform) -> None:
        self.program, self.transform = program, transform
        inputs = as_input(faces)
        self.real: Values = {program.input: inputs}
        self.whole: Values = {program.input: transform(program.input, inputs)}

    @torch.inference_mode()
    def run(self, index: int, parameters: Parameters) -> torch.Tensor:
        """Compute a step both ways; by channel the sum over faces of how far INT8 is off, before it is rounded."""
        step = self.program.steps[index]
        expected = evaluate(step, [self.real[name] for name in step.inputs], self.program.parameters)
        actual = evaluate(step, [self.whole[name] for name in step.inputs], parameters)
        self.real[step.output], self.whole[step.output] = expected, actual
        return (expected - actual).flatten(2).mean(2).sum(0).double() if step.op == "Conv" else torch.zeros(())

    @torch.inference_mode()
    def go_on(self, index: int, moved: torch.Tensor | None) -> None:
        """Move the step's INT8 output as its bias was, round it, and drop what no later step reads."""
        output = self.program.steps[index].output
        value = self.whole[output]
        self.whole[output] = self.transform(output, value if moved is None else value + moved)
        self.program.forget(self.real, index)
        self.program.forget(self.whole, index)


def round_step(
    quantized: QuantizedProgram, step: Step, source: Parameters, *, shifted: bool = False
) -> QuantizedProgram:
    """Put one step's parameters on their grids.

    Args:
        quantized: with the quantization parameters of its activations.
        step: whose parameters.
        source: float32 parameters.
        shifted: whether the first convolution's bias already takes back the pixels' shift.
    """
    parameters = dict(quantized.program.parameters)
    weight_scales, slope_scales = dict(quantized.weight_scales), dict(quantized.slope_scales)
    params = quantized.activations.get(step.inputs[0])
    if step.op == "Conv" and params is not None:
        weight, bias = source[f"{step.name}.weight"], source[f"{step.name}.bias"]
        if step.inputs[0] == quantized.program.input and not shifted:
            bias = bias - PIXEL_SHIFT * weight.sum((1, 2, 3))
        scales = channel_scales(weight).maximum(bias_limits(bias, params))
        parameters[f"{step.name}.weight"] = round_weight(weight, scales)
        parameters[f"{step.name}.bias"] = round_bias(bias, scales, params)
        weight_scales[step.name] = scales.numpy()
    elif step.op == "PRelu" and params is not None:
        slope = source[f"{step.name}.slope"]
        parameters[f"{step.name}.slope"] = round_slope(slope)
        slope_scales[step.name] = slope_scale(slope)
    program = replace(quantized.program, parameters=parameters)
    return QuantizedProgram(program, quantized.activations, weight_scales, slope_scales)


def _move_bias(quantized: QuantizedProgram, step: Step, error: torch.Tensor) -> None:
    """Add to a bias, on its int32 grid if it has one."""
    parameters, name = quantized.program.parameters, f"{step.name}.bias"
    parameters[name] = parameters[name] + error
    params, scales = quantized.activations.get(step.inputs[0]), quantized.weight_scales.get(step.name)
    if params is not None and scales is not None:
        parameters[name] = round_bias(parameters[name], torch.from_numpy(scales), params)
