"""Quantized models in ONNX Runtime's integer operators, channels last; the numbers stay the QDQ model's.

Left to itself ONNX Runtime fuses a quarter of the convolutions, leaves every PReLU between dequantize and quantize, and
changes the layout around each convolution: 2 times slower than float. What the QDQ model leaves in float, and what the
rules of `integer_operators` do not cover, is written for the blocked kernels (`blocked`), in (N, C, H, W) between
DequantizeLinear and QuantizeLinear; channels are filled alike on both sides.
"""

from typing import Any, Final

import numpy as np
import onnx_ir as ir
from onnx import ModelProto, helper

from ghostface_edge.targets.onnxruntime.blocked import BlockedWriter, SignsDifferError, with_body
from ghostface_edge.targets.onnxruntime.channel_padding import ChannelPadding
from ghostface_edge.targets.onnxruntime.integer_operators import CONTRIB, IntegerOperators, without_axes
from ghostface_edge.targets.qdq import (
    attributes_of,
    graph_of,
    name_of,
    operand,
    params,
    quantizer_behind,
    sizes,
    stored,
)

_TO_LAST: Final = (0, 2, 3, 1)
_TO_FIRST: Final = (0, 3, 1, 2)


def to_integers(model: ModelProto) -> ModelProto:
    """Rewrite a QDQ model; input, output and metadata stay."""
    graph = graph_of(model)
    upright: frozenset[ir.Node] = frozenset()
    while True:
        try:
            return _IntegerLowering(graph, upright).model(model)
        except SignsDifferError as conflict:
            upright |= set(conflict.args)


class _IntegerLowering:
    """Writes the new graph; every tensor of the QDQ model is there as integers, as floats, or both.

    Args:
        graph: the QDQ model's.
        upright: see `BlockedWriter`.
    """

    def __init__(self, graph: ir.Graph, upright: frozenset[ir.Node]) -> None:
        self.graph, padding = graph, ChannelPadding(graph)
        self.floats = BlockedWriter(padding, upright)
        """Holds float32 (N, C, H, W) by the QDQ model's tensor."""
        self.floats.take(graph.inputs[0])
        self.integers = IntegerOperators(padding, self.floats.nodes, self.floats.constants)

    def model(self, old: ModelProto) -> ModelProto:
        # sizes of a Resize are written anew: channels last, they are in another order
        done = {value for node in self.graph if node.op_type == "Resize" for value in node.inputs[1:]}
        written = self.integers.written
        for node in self.graph:
            target = node.outputs[0]
            if stored(target) is not None or target in done or target in written or node.op_type == "Shape":
                continue
            if node.op_type == "DequantizeLinear":
                written[target] = written[operand(node)]
            elif node.op_type == "QuantizeLinear":
                written[target] = self._quantize(node), params(node)
            elif (quantizer := quantizer_behind(node)) is None or not self.integers.write(node, quantizer):
                self._in_floats(node)
        model = with_body(old, self.floats.nodes, self.floats.constants)
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))
        return model

    def _in_floats(self, node: ir.Node) -> None:
        source = operand(node)
        if node.op_type == "Flatten" and source in self.integers.written and sizes(source)[2:] == (1, 1):
            integers, _ = self.integers.written[source]
            self._emit("Flatten", [self._dequantize(source, f"{integers}.real")], name_of(node.outputs[0]), axis=1)
            return
        for value in node.inputs:
            if value is not None:
                self._float(value)
        if node.op_type == "Resize":
            self._resize(node)
        else:
            self.floats.write(node)

    def _float(self, tensor: ir.Value) -> None:
        """See to it that a computed tensor is there as float32 (N, C, H, W), under its own name."""
        if tensor in self.integers.written and tensor not in self.floats.signs:
            real = self._dequantize(tensor, f"{name_of(tensor)}.last")
            self._emit("Transpose", [real], name_of(tensor), perm=_TO_FIRST)
            self.floats.take(tensor)

    def _dequantize(self, tensor: ir.Value, name: str) -> str:
        integers, present = self.integers.written[tensor]
        return self._emit("DequantizeLinear", [integers, *self.integers.ends(present)], name)

    def _quantize(self, node: ir.Node) -> str:
        """A float tensor, or one quantized otherwise, to integers."""
        source, name, ends = operand(node), name_of(node.outputs[0]), self.integers.ends
        if source in self.integers.written:
            return self._emit("QuantizeLinear", [self._dequantize(source, f"{name}.real"), *ends(params(node))], name)
        self.floats.stand_upright(source)
        first = self._emit("QuantizeLinear", [name_of(source), *ends(params(node))], f"{name}.first")
        return self._emit("Transpose", [first], name, perm=_TO_LAST)

    def _resize(self, node: ir.Node) -> None:
        source, written = operand(node), node.outputs[0]
        name = name_of(written)
        start = self._emit("Shape", [name_of(source)], f"{name}.start", start=0, end=2)
        rest = self.integers.constant(self.integers.short(), np.array(sizes(written)[2:], np.int64))
        wanted = self._emit("Concat", [start, rest], f"{name}.sizes", axis=0)
        self._emit("Resize", [name_of(source), "", "", wanted], name, **without_axes(attributes_of(node)))
        self.floats.follow(source, written)

    def _emit(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        return self.integers.emit(kind, inputs, name, **attributes)
