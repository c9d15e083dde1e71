"""Interface of an integer model: int8 as it is, camera bytes, or the floats of the FP32 model.

Faces are (byte - 127.5) / 128, half way between two steps of 1/128. A QDQ model adds half a step to its float input, so
that int8 holds byte - 128 without rounding, and makes up for it in the first convolution's bias. So a uint8 input of
the same scale and zero point 128 is the byte itself, and nothing is rounded in front of that convolution.
"""

from dataclasses import replace

import numpy as np

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.quant_params import QuantParams
from ghostface_edge.targets.tflite.subgraph import Operator, Subgraph

_BYTE = QuantParams(1 / 128, 0)


def set_input(subgraph: Subgraph, wanted: InputType, shift: float) -> None:
    """Put the operators in front of (and behind) a full-integer subgraph that an input type needs.

    Args:
        subgraph: int8 in, int8 out; changed in place.
        wanted: what it shall take.
        shift: constant that stands between the float input and the int8 one, in units of the float input.

    Raises:
        ToolError: uint8 asked for, and the int8 input is not byte - 128.
    """
    if wanted == InputType.UINT8:
        _take_bytes(subgraph, shift)
    elif wanted == InputType.FLOAT32:
        _take_floats(subgraph, shift)


def _take_bytes(subgraph: Subgraph, shift: float) -> None:
    index, name = _renamed_input(subgraph)
    quantization = subgraph.tensors[index].quantization
    if quantization != _BYTE or shift != -_BYTE.scale / 2:
        raise ToolError(
            f"the QDQ model's input '{name}' is not byte - 128, so camera bytes cannot enter it exactly",
            fix="quantize the input with scale 1/128 and zero point 0 behind a shift of -0.5/128",
        )
    shape = subgraph.tensors[index].shape
    camera = subgraph.activation(name, shape, np.uint8, _BYTE)
    subgraph.operators.insert(0, Operator("QUANTIZE", (camera,), (index,), "QuantizeOptions"))
    subgraph.inputs = [camera]


def _take_floats(subgraph: Subgraph, shift: float) -> None:
    index, name = _renamed_input(subgraph)
    shape = subgraph.tensors[index].shape
    image = subgraph.activation(name, shape, np.float32)
    subgraph.inputs = [image]
    if shift:
        constant = subgraph.constant(f"{name}.shift", np.full(1, shift, np.float32))
        shifted = subgraph.activation(f"{name}.shifted", shape, np.float32)
        subgraph.operators.insert(0, Operator("ADD", (image, constant), (shifted,), "AddOptions"))
        image = shifted
    position = 1 if shift else 0
    subgraph.operators.insert(position, Operator("QUANTIZE", (image,), (index,), "QuantizeOptions"))

    (output,) = subgraph.outputs
    integers = subgraph.tensors[output]
    subgraph.tensors[output] = replace(integers, name=f"{integers.name}.int8")
    real = subgraph.activation(integers.name, integers.shape, np.float32)
    subgraph.operator("DEQUANTIZE", [output], real, "DequantizeOptions")
    subgraph.outputs = [real]


def _renamed_input(subgraph: Subgraph) -> tuple[int, str]:
    (index,) = subgraph.inputs
    name = subgraph.tensors[index].name
    subgraph.tensors[index] = replace(subgraph.tensors[index], name=f"{name}.int8")
    return index, name
