"""An ONNX graph whose QDQ pairs have become notes on the tensors they stood on.

What a pair said becomes the tensor's entry in `params`; a pair that changes a tensor's scale becomes a `Requantize`
node; what only computes sizes becomes a constant. So a float graph and its QDQ model go through the same rules.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.qdq import graph_of, is_quantizer, label, operand, params, sizes, stored
from ghostface_edge.targets.quant_params import QuantParams

REQUANTIZE: Final = "Requantize"


@dataclass(slots=True)
class AnnotatedGraph:
    """A graph with one input and one output; shapes are NCHW with the batch set to 1."""

    graph: ir.Graph
    batch_is_dynamic: bool
    params: dict[ir.Value, QuantParams] = field(default_factory=dict)
    """Of quantized activations."""
    input_shift: float = 0.0
    """What a QDQ model adds to its float input before it quantizes it."""


def read_annotated(path: Path) -> AnnotatedGraph:
    """Read an ONNX file.

    Raises:
        InputError: not ONNX, or not one input and one output.
        ToolError: a QDQ pair the lowering cannot express.
    """
    model = read_onnx(path)
    weights = {tensor.name for tensor in model.graph.initializer}
    entry = next((value for value in model.graph.input if value.name not in weights), None)
    is_dynamic = entry is not None and not entry.type.tensor_type.shape.dim[0].HasField("dim_value")
    annotated = AnnotatedGraph(graph_of(model), is_dynamic)
    _fold_sizes(annotated.graph)
    _take_off_pairs(annotated)
    _drop_input_shift(annotated)
    return annotated


def _fold_sizes(graph: ir.Graph) -> None:
    """Compute what only computes sizes (of a Resize)."""
    for node in graph:
        values = _size(node)
        if values is not None:
            written = node.outputs[0]
            written.replace_all_uses_with(ir.Value(name=written.name, const_value=ir.tensor(values)))
            graph.remove(node, safe=True)


def _size(node: ir.Node) -> NDArray[np.generic] | None:
    if node.op_type == "Shape":
        shape = sizes(operand(node))
        bounds = slice(node.attributes.get_int("start", 0), node.attributes.get_int("end", len(shape)))
        return np.array(shape[bounds], np.int64)
    if node.op_type == "Concat":
        parts = [part.values for value in node.inputs if (part := stored(value)) is not None]
        if len(parts) == len(node.inputs):
            return np.concatenate(parts, node.attributes.get_int("axis", 0))
    return None


def _take_off_pairs(annotated: AnnotatedGraph) -> None:
    graph = annotated.graph
    pairs: dict[ir.Value, ir.Value] = {}
    """What a QuantizeLinear writes: the tensor it quantizes."""
    for node in graph:
        if not is_quantizer(node):
            continue
        source, written = operand(node), node.outputs[0]
        if node.op_type == "QuantizeLinear":
            pairs[written] = _quantized(node, annotated)
            continue
        tensor = pairs.get(source)
        if tensor is None or annotated.params[tensor] != params(node):
            raise ToolError(
                f"{label(node)} does not undo the QuantizeLinear before it",
                fix="write the QDQ model with the same scale and zero point on both sides of a pair",
            )
        written.replace_all_uses_with(tensor, replace_graph_outputs=True)
        graph.remove(node, safe=True)
    for written in pairs:
        quantizer = written.producer()
        assert quantizer is not None
        graph.remove(quantizer, safe=True)


def _quantized(quantizer: ir.Node, annotated: AnnotatedGraph) -> ir.Value:
    """The tensor that stands for what a QuantizeLinear writes: its input, unless that is quantized otherwise."""
    tensor, wanted = operand(quantizer), params(quantizer)
    if annotated.params.setdefault(tensor, wanted) == wanted:
        return tensor
    requantized = ir.Value(name=quantizer.outputs[0].name, shape=tensor.shape)
    annotated.params[requantized] = wanted
    node = ir.Node("", REQUANTIZE, [tensor], outputs=[requantized], name=quantizer.name)
    annotated.graph.insert_before(quantizer, node)
    return requantized


def _drop_input_shift(annotated: AnnotatedGraph) -> None:
    """Let the integer input stand behind the constant that a QDQ model adds to its float input.

    A QDQ model shifts faces by half a step, so that int8 holds byte - 128 exactly; an integer model starts there.
    """
    (entry,) = annotated.graph.inputs
    readers = entry.consumers()
    if len(readers) != 1 or readers[0].op_type != "Add" or readers[0].outputs[0] not in annotated.params:
        return
    (shift,) = readers
    amounts = [constant.values for value in shift.inputs if (constant := stored(value)) is not None]
    if len(amounts) != 1 or amounts[0].size != 1:
        return
    annotated.input_shift = float(amounts[0].item())
    annotated.params[entry] = annotated.params.pop(shift.outputs[0])
    shift.outputs[0].replace_all_uses_with(entry)
    annotated.graph.remove(shift, safe=True)
