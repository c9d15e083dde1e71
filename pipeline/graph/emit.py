"""The network written down as ONNX, module by module.

In: a `GhostFaceNet` with its weights. Out: its graph with BatchNorm folded, NCHW input `faces`, output `embeddings`.
PyTorch's own exporter takes 5 to 15 s for these nets and spells several operators in ways that have to be undone;
this takes milliseconds and needs no exporter. `export.export_onnx` compares the result with PyTorch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from torch import nn

from ghostface_edge.calibration.preprocessing import MEAN, SCALE
from ghostface_edge.pipeline.graph.canonical import initializer
from ghostface_edge.pipeline.graph.model import OPSET
from ghostface_edge.pipeline.network.ghostfacenet import (
    ConvUnit,
    DfcGhostModule,
    GhostBottleneck,
    GhostFaceNet,
    GhostModule,
    SqueezeExcite,
    zeros,
)
from ghostface_edge.pipeline.network.preprocessing import ColourOrder, Preprocessing

_IR_VERSION = 10


def emit(network: GhostFaceNet, preprocessing: Preprocessing, batch: int | None = None) -> ir.Model:
    """Write a network in evaluation mode as an ONNX graph that takes RGB, (x - 127.5) / 128.

    Args:
        network: with its weights.
        preprocessing: what the network itself expects; the first convolution absorbs the difference.
        batch: fixed batch size; None keeps it dynamic.
    """
    side, size = network.architecture.image_size, network.architecture.embedding_size
    faces = ir.val("faces", ir.DataType.FLOAT, [batch or "batch", 3, side, side])
    graph = ir.Graph([faces], [], nodes=[], opset_imports={"": OPSET}, name=network.architecture.name)
    names = {module: name for name, module in network.named_modules()}
    outcome = _Emitter(graph, names, preprocessing).network(network, _Map(faces, side, side))
    outcome.name, outcome.dtype, outcome.shape = "embeddings", ir.DataType.FLOAT, ir.Shape([batch or "batch", size])
    graph.outputs.append(outcome)
    return ir.Model(graph, ir_version=_IR_VERSION)


@dataclass(frozen=True, slots=True)
class _Map:
    """A tensor (N, C, height, width) and its size."""

    value: ir.Value
    height: int
    width: int


class _Emitter:
    def __init__(self, graph: ir.Graph, names: dict[nn.Module, str], preprocessing: Preprocessing) -> None:
        self._graph = graph
        self._names = names
        self._preprocessing = preprocessing

    def network(self, network: GhostFaceNet, x: _Map) -> ir.Value:
        if self._preprocessing.mean != MEAN:
            # zeros that the stem pads with must stay zeros of the network's own input, so a bias would not do
            offset = np.array((MEAN - self._preprocessing.mean) / SCALE, np.float32)
            x = _Map(self._node("Add", [x.value, initializer(self._graph, "faces.offset", offset)]), x.height, x.width)
        x = self.conv_unit(network.stem, x)
        for block in network.blocks:
            assert isinstance(block, GhostBottleneck)
            x = self.bottleneck(block, x)
        x = self.conv_unit(network.pool, self.conv_unit(network.tail, x))
        embedding = self.conv_unit(network.embed, x, norm=network.norm)
        return self._node("Flatten", [embedding.value], {"axis": 1})

    def bottleneck(self, block: GhostBottleneck, x: _Map) -> _Map:
        y = self.ghost_module(block.expand, x)
        if isinstance(block.stride, ConvUnit):
            y = self.conv_unit(block.stride, y)
        if isinstance(block.attend, SqueezeExcite):
            y = self.squeeze_excite(block.attend, y)
        y = self.ghost_module(block.project, y)
        shortcut = x
        if isinstance(block.shortcut, nn.Sequential):
            for unit in block.shortcut:
                assert isinstance(unit, ConvUnit)
                shortcut = self.conv_unit(unit, shortcut)
        return _Map(self._node("Add", [y.value, shortcut.value]), y.height, y.width)

    def ghost_module(self, module: GhostModule, x: _Map) -> _Map:
        primary = self.conv_unit(module.primary, x)
        cheap = self.conv_unit(module.cheap, primary)
        joined = self._node("Concat", [primary.value, cheap.value], {"axis": 1})
        if isinstance(module, DfcGhostModule):
            joined = self._node("Mul", [joined, self.dfc(module, x)])
        return _Map(joined, x.height, x.width)

    def dfc(self, module: DfcGhostModule, x: _Map) -> ir.Value:
        pooled = self._node("AveragePool", [x.value], {"kernel_shape": [2, 2], "strides": [2, 2]})
        gate = _Map(pooled, x.height // 2, x.width // 2)
        for unit in module.gate:
            assert isinstance(unit, ConvUnit)
            gate = self.conv_unit(unit, gate)
        sizes = initializer(self._graph, f"{self._names[module]}.gate.sizes", np.array([x.height, x.width], np.int64))
        attributes: dict[str, str | list[int]] = {
            "mode": "linear",
            "coordinate_transformation_mode": "half_pixel",
            "axes": [2, 3],
        }
        return self._node("Resize", [self._node("Sigmoid", [gate.value]), None, None, sizes], attributes)

    def squeeze_excite(self, module: SqueezeExcite, x: _Map) -> _Map:
        pooled = _Map(self._node("GlobalAveragePool", [x.value]), 1, 1)
        gate = self.conv_unit(module.expand, self.conv_unit(module.reduce, pooled))
        gate = _Map(self._node("HardSigmoid", [gate.value], {"alpha": module.slope, "beta": 0.5}), 1, 1)
        return _Map(self._node("Mul", [x.value, gate.value]), x.height, x.width)

    def conv_unit(self, unit: ConvUnit, x: _Map, norm: nn.BatchNorm1d | None = None) -> _Map:
        """Convolution with its BatchNorm, or another one that follows, folded in."""
        conv, name = unit.conv, self._names[unit]
        (high, wide), stride = conv.kernel_size, conv.stride[0]
        top, bottom = zeros(unit.padding, x.height, high, stride)
        left, right = zeros(unit.padding, x.width, wide, stride)
        weight, bias = _folded(conv, unit.norm or norm)
        if name == "stem":
            weight = np.ascontiguousarray(weight[:, ::-1]) if self._preprocessing.colour is ColourOrder.BGR else weight
            weight = weight * np.float32(SCALE / self._preprocessing.scale)
        inputs = [x.value, initializer(self._graph, f"{name}.conv.weight", weight)]
        if bias is not None:
            inputs.append(initializer(self._graph, f"{name}.conv.bias", bias))
        attributes: dict[str, int | list[int]] = {
            "kernel_shape": [high, wide],
            "strides": list(conv.stride),
            "pads": [top, left, bottom, right],
            "dilations": [1, 1],
            "group": conv.groups,
        }
        y = self._node("Conv", inputs, attributes)
        if isinstance(unit.activation, nn.PReLU):
            slopes = unit.activation.weight.detach().numpy().reshape(1, -1, 1, 1)
            y = self._node("PRelu", [y, initializer(self._graph, f"{name}.activation.weight", slopes)])
        elif unit.activation is not None:
            y = self._node("Relu", [y])
        height, width = (x.height + top + bottom - high) // stride + 1, (x.width + left + right - wide) // stride + 1
        return _Map(y, height, width)

    def _node(
        self,
        kind: str,
        inputs: Sequence[ir.Value | None],
        attributes: Mapping[str, int | float | str | Sequence[int]] | None = None,
    ) -> ir.Value:
        node = ir.node(kind, inputs, attributes)
        self._graph.append(node)
        return node.outputs[0]


def _folded(
    conv: nn.Conv2d, norm: nn.BatchNorm2d | nn.BatchNorm1d | None
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Weight and bias of the convolution that does its BatchNorm's work too; computed in double precision."""
    weight = conv.weight.detach().double()
    bias = None if conv.bias is None else conv.bias.detach().double()
    if norm is not None:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
        bias = norm.bias.detach().double() + ((0.0 if bias is None else bias) - norm.running_mean.double()) * scale
        weight = weight * scale[:, None, None, None]
    return weight.float().numpy(), None if bias is None else bias.float().numpy()
