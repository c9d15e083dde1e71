"""The ONNX graph as the lowering reads it: nodes, constants, shapes, and the quantization a QDQ carrier declares.

QuantizeLinear/DequantizeLinear pairs are taken off here: what they said becomes `quantization` of the tensor they
stood on, and a pair that changes a tensor's scale becomes a `Requantize` node. So a float graph and its quantized
carrier go through the same rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import numpy_helper

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.tflite.circuit import Array, Quantization, per_tensor

REQUANTIZE: Final = "Requantize"


@dataclass(frozen=True, slots=True)
class Node:
    """One ONNX node, its inputs renamed past QDQ pairs."""

    op: str
    name: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.op} '{self.name or self.output}'"

    def integers(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """An attribute that is a list of integers."""
        return tuple(int(value) for value in self.attributes.get(name, default))

    def integer(self, name: str, default: int) -> int:
        """An attribute that is one integer."""
        return int(self.attributes.get(name, default))

    def number(self, name: str, default: float) -> float:
        """An attribute that is one float."""
        return float(self.attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        """An attribute that is a string."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, slots=True)
class Constant:
    """An initializer: float32, or int8/int32 with the quantization its DequantizeLinear declares."""

    data: Array
    quantization: Quantization | None = None

    def real(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The real values behind the integers, float64."""
        if self.quantization is None:
            return np.asarray(self.data, np.float64)
        shape = [1] * self.data.ndim
        if len(self.quantization.scales) > 1:
            shape[self.quantization.axis] = -1
        scales = np.reshape(np.asarray(self.quantization.scales, np.float64), shape)
        zero_points = np.reshape(np.asarray(self.quantization.zero_points, np.float64), shape)
        return (np.asarray(self.data, np.float64) - zero_points) * scales


@dataclass(slots=True)
class Source:
    """A graph with one input and one output; shapes are NCHW with the batch set to 1."""

    input_name: str
    output_name: str
    batch_is_dynamic: bool
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    quantization: dict[str, Quantization] = field(default_factory=dict)
    input_shift: float = 0.0
    """What a carrier adds to its float input before it quantizes it."""

    def constant(self, node: Node, position: int) -> Constant:
        """The constant that stands at an input of `node`."""
        name = node.inputs[position]
        if name not in self.constants:
            raise ToolError(
                f"{node} computes its input {position} ('{name}'), which TFLite needs as a constant",
                fix="export the model again, with its weights as initializers",
            )
        return self.constants[name]

    def consumers(self, tensor: str) -> list[Node]:
        """Nodes that read a tensor."""
        return [node for node in self.nodes if tensor in node.inputs]


def read_source(path: Path) -> Source:
    """Read an ONNX file.

    Raises:
        InputError: not ONNX, or not one input and one output.
        ToolError: a QDQ pair the lowering cannot express.
    """
    try:
        model = onnx.load(path)
    except Exception as problem:
        raise InputError(f"cannot read {path} as ONNX: {problem}", fix="give an .onnx file") from problem
    weights = {initializer.name for initializer in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise InputError(
            f"{path} has {len(inputs)} inputs and {len(model.graph.output)} outputs, a face network has one of each",
            fix="give the ONNX model that `ghostface-edge export` writes",
        )
    batch = inputs[0].type.tensor_type.shape.dim[0]
    source = Source(inputs[0].name, model.graph.output[0].name, batch_is_dynamic=not batch.HasField("dim_value"))
    batch.dim_value = 1
    source.shapes = dict(_shapes(model))
    for initializer in model.graph.initializer:
        source.constants[initializer.name] = Constant(numpy_helper.to_array(initializer))
    _Reader(source).read(model.graph.node)
    _drop_input_shift(source)
    return source


def _shapes(model: onnx.ModelProto) -> Iterator[tuple[str, tuple[int, ...]]]:
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    for value in (*graph.input, *graph.value_info, *graph.output):
        yield value.name, tuple(int(dim.dim_value) for dim in value.type.tensor_type.shape.dim)


def _drop_input_shift(source: Source) -> None:
    """Let the integer input stand behind the constant that a carrier adds to its float input.

    A carrier shifts faces by half a step, so that int8 holds byte - 128 exactly; an integer model starts there.
    """
    readers = source.consumers(source.input_name)
    if len(readers) != 1 or readers[0].op != "Add" or readers[0].output not in source.quantization:
        return
    shift = readers[0]
    amount = source.constants.get(next((name for name in shift.inputs if name != source.input_name), ""))
    if amount is None or amount.data.size != 1:
        return
    source.input_shift = float(amount.data.item())
    source.quantization[source.input_name] = source.quantization.pop(shift.output)
    source.nodes = [
        replace(node, inputs=tuple(source.input_name if name == shift.output else name for name in node.inputs))
        for node in source.nodes
        if node is not shift
    ]


class _Reader:
    """Takes QDQ pairs off, in one pass over the nodes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.aliases: dict[str, str] = {}
        """Output of a pair -> the tensor it stands for."""
        self.integers: dict[str, tuple[str, Quantization]] = {}
        """Output of a QuantizeLinear -> the tensor it quantizes, and how."""

    def read(self, nodes: Any) -> None:
        for proto in nodes:
            if proto.op_type == "QuantizeLinear":
                self._quantize(proto)
            elif proto.op_type == "DequantizeLinear":
                self._dequantize(proto)
            else:
                attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
                inputs = tuple(self.aliases.get(name, name) for name in proto.input)
                node = Node(proto.op_type, proto.name, inputs, proto.output[0], attributes)
                folded = self._folded(node)
                if folded is None:
                    self.source.nodes.append(node)
                else:
                    self.source.constants[node.output] = Constant(folded)
        self.source.output_name = self.aliases.get(self.source.output_name, self.source.output_name)

    def _folded(self, node: Node) -> Array | None:
        """The value of a node that only computes sizes (of a Resize), with the batch at 1; else None."""
        constants = self.source.constants
        if node.op == "Constant":
            return numpy_helper.to_array(node.attributes["value"])
        if node.op == "Shape":
            shape = self.source.shapes[node.inputs[0]]
            return np.array(shape[node.integer("start", 0) : node.integer("end", len(shape))], np.int64)
        if node.op == "Concat" and all(name in constants for name in node.inputs):
            return np.concatenate([constants[name].data for name in node.inputs], node.integer("axis", 0))
        return None

    def _quantize(self, proto: onnx.NodeProto) -> None:
        source = self.source
        quantization = self._parameters(proto)
        name = self.aliases.get(proto.input[0], proto.input[0])
        known = source.quantization.setdefault(name, quantization)
        if known != quantization:
            requantized = proto.output[0]
            source.nodes.append(Node(REQUANTIZE, proto.name, (name,), requantized, {}))
            source.shapes[requantized] = source.shapes[name]
            source.quantization[requantized] = quantization
            name = requantized
        self.integers[proto.output[0]] = (name, quantization)

    def _dequantize(self, proto: onnx.NodeProto) -> None:
        source, integers, real = self.source, proto.input[0], proto.output[0]
        quantization = self._parameters(proto)
        if integers in source.constants:
            source.constants[real] = Constant(source.constants[integers].data, quantization)
            return
        name, written = self.integers.get(integers, (integers, None))
        if written != quantization:
            raise ToolError(
                f"DequantizeLinear '{proto.name}' does not undo the QuantizeLinear before it",
                fix="write the carrier with the same scale and zero point on both sides of a pair",
            )
        self.aliases[real] = name

    def _parameters(self, proto: onnx.NodeProto) -> Quantization:
        scale = np.atleast_1d(self.source.constants[proto.input[1]].data)
        if len(proto.input) > 2 and proto.input[2]:
            stored = self.source.constants[proto.input[2]].data
            if stored.dtype not in (np.dtype(np.int8), np.dtype(np.int32)):
                raise ToolError(
                    f"{proto.op_type} '{proto.name}' quantizes to {stored.dtype}, TFLite's integer kernels to int8",
                    fix="write the carrier with int8 activations and weights and int32 biases",
                )
            zero_points = np.atleast_1d(stored)
        else:
            zero_points = np.zeros(scale.shape, np.int8)
        if scale.size == 1:
            return per_tensor(scale.item(), zero_points.item())
        axis = next((int(a.i) for a in proto.attribute if a.name == "axis"), 1)
        return Quantization(tuple(map(float, scale)), tuple(map(int, zero_points)), axis)
