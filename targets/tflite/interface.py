"""What an integer circuit takes and gives: int8 as it is, camera bytes, or the floats of the FP32 model.

Faces are (byte - 127.5) / 128, half way between two steps of 1/128. A carrier adds half a step to its float input, so
that int8 holds byte - 128 without rounding, and makes up for it in the first convolution's bias. So a uint8 input of
the same scale and zero point 128 is the byte itself, and nothing is rounded in front of that convolution.
"""

from dataclasses import replace

import numpy as np

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.tflite.circuit import Circuit, Operator, per_tensor

_BYTE_SCALE = 1 / 128
_UINT8_OFFSET = 128


def set_input(circuit: Circuit, wanted: InputType, shift: float) -> None:
    """Put the operators in front of (and behind) a full-integer circuit that an input type needs.

    Args:
        circuit: int8 in, int8 out; changed in place.
        wanted: what it shall take.
        shift: constant that stands between the float input and the int8 one, in units of the float input.

    Raises:
        ToolError: uint8 asked for, and the int8 input is not byte - 128.
    """
    if wanted == InputType.UINT8:
        _take_bytes(circuit, shift)
    elif wanted == InputType.FLOAT32:
        _take_floats(circuit, shift)


def _take_bytes(circuit: Circuit, shift: float) -> None:
    index, name = _renamed_input(circuit)
    quantization = circuit.tensors[index].quantization
    if quantization != per_tensor(_BYTE_SCALE, 0) or shift != -_BYTE_SCALE / 2:
        raise ToolError(
            f"the carrier's input '{name}' is not byte - 128, so camera bytes cannot enter it exactly",
            fix="quantize the input with scale 1/128 and zero point 0 behind a shift of -0.5/128",
        )
    shape = circuit.tensors[index].shape
    camera = circuit.activation(name, shape, np.uint8, per_tensor(_BYTE_SCALE, _UINT8_OFFSET))
    circuit.operators.insert(0, Operator("QUANTIZE", (camera,), (index,), "QuantizeOptions"))
    circuit.inputs = [camera]


def _take_floats(circuit: Circuit, shift: float) -> None:
    index, name = _renamed_input(circuit)
    shape = circuit.tensors[index].shape
    image = circuit.activation(name, shape, np.float32)
    circuit.inputs = [image]
    if shift:
        constant = circuit.constant(f"{name}.shift", np.full(1, shift, np.float32))
        shifted = circuit.activation(f"{name}.shifted", shape, np.float32)
        circuit.operators.insert(0, Operator("ADD", (image, constant), (shifted,), "AddOptions"))
        image = shifted
    position = 1 if shift else 0
    circuit.operators.insert(position, Operator("QUANTIZE", (image,), (index,), "QuantizeOptions"))

    (output,) = circuit.outputs
    integers = circuit.tensors[output]
    circuit.tensors[output] = replace(integers, name=f"{integers.name}.int8")
    real = circuit.activation(integers.name, integers.shape, np.float32)
    circuit.operator("DEQUANTIZE", [output], real, "DequantizeOptions")
    circuit.outputs = [real]


def _renamed_input(circuit: Circuit) -> tuple[int, str]:
    (index,) = circuit.inputs
    name = circuit.tensors[index].name
    circuit.tensors[index] = replace(circuit.tensors[index], name=f"{name}.int8")
    return index, name
