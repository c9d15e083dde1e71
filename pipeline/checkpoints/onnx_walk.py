"""Follow an ONNX graph from its input the way the network goes, and pick up every weight on the way."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from torch import nn

from ghostface_edge.pipeline.network import ghostfacenet
from ghostface_edge.reports.errors import InputError

_PASSING = {"Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Pad", "Flatten", "Dropout"}
"""Operators that hand their first input on; whether they do it rightly shows when the results are compared."""
_POOLS = {"GlobalAveragePool", "ReduceMean"}


class Walk:
    """Picks up the weights of one graph."""

    def __init__(self, path: Path, network: ghostfacenet.GhostFaceNet, fix: str) -> None:
        self._path, self._network, self._fix = path, network, fix
        self._names = {module: name for name, module in network.named_modules()}
        self._weights: dict[str, NDArray[np.float32]] = {}

    def weights(self, entry: ir.Value) -> dict[str, NDArray[np.float32]]:
        """State of the network by name.

        Raises:
            InputError: the graph does not go the network's way; the message says where.
        """
        net = self._network
        x = self._unit(net.stem, entry)
        for block in net.blocks:
            assert isinstance(block, ghostfacenet.GhostBottleneck)
            x = self._bottleneck(block, x)
        x = self._unit(net.pool, self._unit(net.tail, x))
        conv = self._conv(net.embed, x)
        self._weights["embed.conv.weight"] = _array(conv, 1)
        self._norm("norm", conv, net.norm.num_features)
        return self._weights

    def _bottleneck(self, block: ghostfacenet.GhostBottleneck, x: ir.Value) -> ir.Value:
        y = self._ghost(block.expand, x)
        if isinstance(block.stride, ghostfacenet.ConvUnit):
            y = self._unit(block.stride, y)
        if isinstance(block.attend, ghostfacenet.SqueezeExcite):
            pooled = self._next(y, _POOLS, self._names[block.attend])
            self._unit(block.attend.expand, self._unit(block.attend.reduce, pooled))
            y = self._next(y, {"Mul"}, self._names[block.attend])
        y = self._ghost(block.project, y)
        if isinstance(block.shortcut, nn.Sequential):
            for unit in block.shortcut:
                assert isinstance(unit, ghostfacenet.ConvUnit)
                x = self._unit(unit, x)
        return self._next(y, {"Add"}, self._names[block])

    def _ghost(self, module: ghostfacenet.GhostModule, x: ir.Value) -> ir.Value:
        name = self._names[module]
        joined = self._next(self._unit(module.cheap, self._unit(module.primary, x)), {"Concat"}, name)
        if not isinstance(module, ghostfacenet.DfcGhostModule):
            return joined
        gate = self._next(x, {"AveragePool"}, f"{name}.gate")
        for unit in module.gate:
            assert isinstance(unit, ghostfacenet.ConvUnit)
            gate = self._unit(unit, gate)
        return self._next(joined, {"Mul"}, f"{name}.gate")

    def _unit(self, unit: ghostfacenet.ConvUnit, x: ir.Value) -> ir.Value:
        """One convolution with what belongs to it; returns the unit's output."""
        name = self._names[unit]
        conv = self._conv(unit, x)
        self._weights[f"{name}.conv.weight"] = _array(conv, 1)
        y = conv.outputs[0]
        if unit.norm is not None:
            y = self._norm(f"{name}.norm", conv, unit.conv.out_channels)
        elif unit.conv.bias is not None:
            y, bias = self._bias(conv, unit.conv.out_channels)
            self._weights[f"{name}.conv.bias"] = bias.astype(np.float32)
        return y if unit.activation is None else self._activation(unit, y)

    def _conv(self, unit: ghostfacenet.ConvUnit, x: ir.Value) -> ir.Node:
        shape = tuple(unit.conv.weight.shape)
        found = [node for node in _readers(x) if node.op_type == "Conv" and _array(node, 1).shape == shape]
        if len(found) != 1:
            raise self._refuse(
                f"'{x.name}' feeds {len(found)} convolutions of shape {shape}, expected one ({self._names[unit]})"
            )
        return found[0]

    def _bias(self, conv: ir.Node, channels: int) -> tuple[ir.Value, NDArray[np.float64]]:
        """The convolution's own bias, and one added after it."""
        bias = np.zeros(channels) if len(conv.inputs) < 3 else _array(conv, 2).astype(np.float64)
        y = conv.outputs[0]
        for node in _readers(y):
            added = [_constant(value) for value in node.inputs] if node.op_type == "Add" else []
            for array in added:
                if array is not None and array.size == channels:
                    return node.outputs[0], bias + array.reshape(-1)
        return y, bias

    def _norm(self, name: str, conv: ir.Node, channels: int) -> ir.Value:
        """BatchNorm after a convolution; where it was folded, one that does nothing but add the bias."""
        y, bias = self._bias(conv, channels)
        node = next((node for node in _readers(y) if node.op_type == "BatchNormalization"), None)
        if node is None:
            gamma, beta, mean, variance = (
                np.ones(channels),
                bias,
                np.zeros(channels),
                np.full(channels, 1 - ghostfacenet.BATCH_NORM_EPSILON),
            )
        else:
            gamma, beta, mean, variance = (_array(node, index).astype(np.float64) for index in range(1, 5))
            epsilon = node.attributes["epsilon"].as_float() if "epsilon" in node.attributes else 1e-5
            mean, variance = mean - bias, variance + epsilon - ghostfacenet.BATCH_NORM_EPSILON
            y = node.outputs[0]
        for suffix, array in (("weight", gamma), ("bias", beta), ("running_mean", mean), ("running_var", variance)):
            self._weights[f"{name}.{suffix}"] = array.astype(np.float32)
        return y

    def _activation(self, unit: ghostfacenet.ConvUnit, y: ir.Value) -> ir.Value:
        name, channels = self._names[unit], unit.conv.out_channels
        readers = {node.op_type: node for node in _readers(y)}
        if not isinstance(unit.activation, nn.PReLU):
            return self._next(y, {"Relu"}, name)
        if "PRelu" in readers:
            node = readers["PRelu"]
            slopes, out = _array(node, 1), node.outputs[0]
        else:
            # relu(x) + c * relu(-x), which is how Keras spells a PReLU of slope -c
            negative = self._next(self._next(y, {"Neg"}, name), {"Relu"}, name)
            scaled = next((node for node in _readers(negative) if node.op_type == "Mul"), None)
            factors = [_constant(value) for value in scaled.inputs] if scaled is not None else []
            slopes = next((-array for array in factors if array is not None), np.empty(0, np.float32))
            out = self._next(scaled.outputs[0], {"Add"}, name) if scaled is not None else y
        if slopes.size not in {1, channels}:
            raise self._refuse(f"the activation of {name} has {slopes.size} slopes, expected {channels}")
        self._weights[f"{name}.activation.weight"] = np.broadcast_to(slopes.reshape(-1), channels).astype(np.float32)
        return out

    def _next(self, x: ir.Value, kinds: set[str], where: str) -> ir.Value:
        found = [node for node in _readers(x) if node.op_type in kinds]
        if len(found) != 1:
            raise self._refuse(
                f"'{x.name}' feeds {len(found)} {' or '.join(sorted(kinds))} operators, expected one ({where})"
            )
        return found[0].outputs[0]

    def _refuse(self, what: str) -> InputError:
        return InputError(f"{self._path}: {what}", fix=self._fix)


def _readers(value: ir.Value) -> Iterator[ir.Node]:
    """Who reads a value, through operators that only hand it on."""
    waiting, seen = [value], set()
    while waiting:
        for node, index in waiting.pop().uses():
            if node in seen:
                continue
            seen.add(node)
            if node.op_type in _PASSING and index == 0:
                waiting.append(node.outputs[0])
            else:
                yield node


def _constant(value: ir.Value | None) -> NDArray[np.float32] | None:
    if value is None or value.const_value is None:
        return None
    return np.asarray(value.const_value.numpy(), np.float32)


def _array(node: ir.Node, index: int) -> NDArray[np.float32]:
    array = _constant(node.inputs[index]) if index < len(node.inputs) else None
    return np.empty(0, np.float32) if array is None else array
