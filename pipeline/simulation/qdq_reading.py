"""A quantized program read back from the QDQ model that `qdq_writing` made of it."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from ghostface_edge.pipeline.simulation.program import Parameters, Program
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.quant_params import QuantParams


def read_qdq(path: Path, program: Program) -> QuantizedProgram:
    """Read what `write_qdq` wrote.

    Args:
        path: QDQ model.
        program: the float32 network that was quantized.

    Raises:
        InputError: the model was made of another network.
    """
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in read_onnx(path).graph.initializer}
    values = (program.input, *(step.output for step in program.steps))
    parameters: Parameters = {}
    for name, value in program.parameters.items():
        real = _real(stored, name)
        if real is None or real.size != value.numel():
            raise InputError(f"{path}: holds no {name} of {value.numel()} values", fix="give both files of one run")
        parameters[name] = torch.from_numpy(real.reshape(value.shape))
    return QuantizedProgram(
        Program(program.steps, parameters, program.input, program.output, program.last_use),
        {
            value: QuantParams.from_onnx(stored[f"{value}.scale"], stored[f"{value}.zero_point"])
            for value in values
            if f"{value}.scale" in stored
        },
        {
            step.name: stored[f"{step.name}.weight.scale"]
            for step in program.convolutions()
            if f"{step.name}.weight.scale" in stored
        },
        {
            step.name: float(stored[f"{step.name}.slope.scale"])
            for step in program.steps
            if f"{step.name}.slope.scale" in stored
        },
    )


def _real(stored: dict[str, NDArray[np.generic]], name: str) -> NDArray[np.float32] | None:
    """Float values of a parameter, whether it was stored as such or as integers; None where there is none."""
    integers = stored.get(f"{name}.quantized")
    if integers is None:
        return None if name not in stored else stored[name].astype(np.float32)
    scales = stored[f"{name}.scale"].astype(np.float64).reshape(-1, *[1] * (integers.ndim - 1))
    real: NDArray[np.float32] = (integers.astype(np.float64) * scales).astype(np.float32)
    return real
