"""A QDQ model as Sophgo's tools take one: a float32 ONNX graph and its calibration table.

The tools quantize by themselves, weights by their largest value in each channel, activations by the table. So weights
are given as they are dequantized, which gives the same integers again, and every tensor's range is its grid's. The
camera's bytes enter less 128, as the first grid has them, and the Add that moved them there is left out.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.qdq import (
    attributes_of,
    graph_of,
    is_quantizer,
    name_of,
    operand,
    params,
    quantizer_behind,
    sizes,
    stored,
)
from ghostface_edge.targets.quant_params import INT8_MAX, QuantParams

_OPSET: Final = 18
_IR_VERSION: Final = 8
"""The newest that the environment's ONNX knows with that opset."""
_HEADER: Final = "# op_name    threshold    min    max\n"


def write_float(model: Path, out: Path) -> int:
    """Write a float32 ONNX model as the tools can read it; returns the side of its faces.

    Raises:
        InputError: not an ONNX model of one input and one output.
    """
    graph = graph_of(read_onnx(model))
    writer = _Writer()
    for node in graph:
        writer.node(node)
    return writer.write(graph, out)


def write_quantized(qdq_model: Path, out: Path, in_bf16: Collection[str] = ()) -> int:
    """Write a QDQ model without its quantizers, and what they said; returns the side of faces.

    Beside the model come `.table`, its ranges as a calibration table, and `.qtable`, the operators that stay in float.

    A convolution whose grid begins at 0 has a ReLU or a hard sigmoid folded into it; the ReLU is written, and the hard
    sigmoid's other end saturates.

    Args:
        qdq_model: docs/quantization.md.
        out: `.onnx`.
        in_bf16: kinds of operators that compute in bfloat16.

    Raises:
        InputError: not an ONNX model of one input and one output, or grids that are no 8 bits.
    """
    graph = graph_of(read_onnx(qdq_model))
    writer = _Writer()
    for node in graph:
        quantizer = quantizer_behind(node)
        grid = None if quantizer is None else params(quantizer)
        if is_quantizer(node):
            writer.pass_on(node)
        elif grid is not None and node.op_type == "Add" and operand(node) in graph.inputs:
            writer.pass_on(node)
            writer.ranges[name_of(operand(node))] = grid
        else:
            writer.node(node, grid)
    side = writer.write(graph, out)
    rows = [f"{name} {_line(grid)}\n" for name, grid in writer.ranges.items()]
    out.with_suffix(".table").write_text(_HEADER + "".join(rows))
    floats = [f"{name} BF16\n" for name in writer.ranges if name.rpartition("_")[2] in in_bf16]
    out.with_suffix(".qtable").write_text("".join(floats))
    return side


def _line(grid: QuantParams) -> str:
    """Threshold for grids without a zero point, then both ends."""
    threshold = INT8_MAX * grid.scale if grid.zero_point == 0 else max(-grid.low, grid.high)
    return " ".join(np.format_float_positional(np.float32(end), trim="0") for end in (threshold, grid.low, grid.high))


class _Writer:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[np.generic]] = {}
        self.ranges: dict[str, QuantParams] = {}
        """By the name that the tools give to what an operator writes."""
        self._names: dict[ir.Value, str] = {}
        """Of values that are passed on."""

    def node(self, node: ir.Node, grid: QuantParams | None = None) -> None:
        """Write an operator; lengths for Resize are known, and what makes constants is read with them."""
        written = node.outputs[0]
        if node.op_type == "Shape" or stored(written) is not None or _makes_lengths(node):
            return
        attributes = attributes_of(node)
        if node.op_type == "Resize":
            lengths = f"{name_of(written)}.lengths"
            self.constants[lengths] = np.array(sizes(written), np.int64)
            inputs = [self._source(operand(node)), "", "", lengths]
            attributes.pop("axes", None)
        else:
            inputs = [self._source(value) for value in node.inputs]
        is_clipped = node.op_type == "Conv" and grid is not None and grid.low == 0
        self._write(node.op_type, inputs, name_of(written), None if is_clipped else grid, **attributes)
        if is_clipped:
            self._names[written] = f"{name_of(written)}.clipped"
            self._write("Relu", [name_of(written)], self._names[written], grid)

    def pass_on(self, node: ir.Node) -> None:
        """What reads the operator reads what it reads."""
        self._names[node.outputs[0]] = self._source(operand(node))

    def write(self, graph: ir.Graph, out: Path) -> int:
        """Write the model for one face."""
        entry, end = graph.inputs[0], graph.outputs[0]
        written = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info(name_of(entry), TensorProto.FLOAT, sizes(entry))],
            [helper.make_tensor_value_info(self._source(end), TensorProto.FLOAT, sizes(end))],
            [numpy_helper.from_array(values, name) for name, values in self.constants.items()],
        )
        onnx.save(
            helper.make_model(written, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION), out
        )
        return sizes(entry)[-1]

    def _source(self, value: ir.Value | None) -> str:
        constant = stored(value)
        if value is None or constant is None:
            return "" if value is None else self._names.get(value, name_of(value))
        real = constant.values if constant.values.dtype == np.int64 else constant.real().astype(np.float32)
        self.constants[name_of(value)] = real
        return name_of(value)

    def _write(self, kind: str, inputs: list[str], name: str, grid: QuantParams | None, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        if grid is not None:
            self.ranges[f"{name}_{kind}"] = grid


def _makes_lengths(node: ir.Node) -> bool:
    """Whether only Resize reads it, and as its new size."""
    readers = [(reader, position) for reader, position in node.outputs[0].uses()]
    return bool(readers) and all(reader.op_type == "Resize" and position > 0 for reader, position in readers)
