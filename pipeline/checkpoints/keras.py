"""Keras 2 `.h5` checkpoints of GhostFaceNetV1 and V2, read with h5py alone.

V1 numbers its layers per kind in the order of their creation and the numbers may start anywhere, so convolutions are
matched by rank within their kind. V2 names them (`stack3_ghost_1_prim_conv`). BatchNorm and activation are found by
following the graph from there, and everything is checked against the network's own shapes.
Source of V2's names: leondgarse/keras_cv_attention_models, which the official repository builds V2 with.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ghostface_edge.pipeline.checkpoints.architecture_from_shapes import nearest_width
from ghostface_edge.pipeline.checkpoints.hdf5_file import open_hdf5
from ghostface_edge.pipeline.checkpoints.keras_model import KerasModel, Layer, read_model
from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.checkpoint import Checkpoint
from ghostface_edge.pipeline.network.ghostfacenet import ConvUnit, GhostFaceNet, Padding
from ghostface_edge.reports.digest import file_sha256

_DENSE, _DEPTHWISE = "Conv2D", "DepthwiseConv2D"
_PASSIVE = {"InputLayer", "Add", "Concatenate", "Multiply", "GlobalAveragePooling2D", "Reshape", "Flatten", "Dropout"}
_KNOWN = {
    1: {_DENSE, _DEPTHWISE, *_PASSIVE, "BatchNormalization", "PReLU", "ReLU", "Activation"},
    2: {
        _DENSE, _DEPTHWISE, *_PASSIVE, "BatchNormalization", "PReLU", "ReLU", "Activation",
        "ZeroPadding2D", "AveragePooling2D", "TFOpLambda", "SlicingOpLambda",
    },
}  # fmt: skip
_MARK_OF_V2 = "stack1_ghost_1_prim_conv"
_V2_NAMES = {
    "expand.primary": "ghost_1_prim_conv",
    "expand.cheap": "ghost_1_cheap_dw_conv",
    "expand.gate.0": "ghost_1_short_1_conv",
    "expand.gate.1": "ghost_1_short_2_dw_conv",
    "expand.gate.2": "ghost_1_short_3_dw_conv",
    "stride": "down_dw_conv",
    "attend.reduce": "se_1_conv",
    "attend.expand": "se_2_conv",
    "project.primary": "ghost_2_prim_conv",
    "project.cheap": "ghost_2_cheap_dw_conv",
    "shortcut.0": "short_1_dw_conv",
    "shortcut.1": "short_2_conv",
}
_NORM_ARRAYS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_V2_OUTER_NAMES = {"stem": "stem_conv", "tail": "pre_conv", "pool": "GDC_dw", "embed": "GDC_conv"}


def read_checkpoint(path: Path) -> Checkpoint:
    """Read architecture and weights of an official checkpoint, or of the training model around it.

    Raises:
        InputError: not HDF5, or not this network; the message names the first layer that differs.
    """
    with open_hdf5(path) as file:
        model = read_model(path, file)
        architecture = _architecture(model)
        weights = dict(_match(model, architecture))
    return Checkpoint(path, file_sha256(path), architecture, weights)


def _architecture(model: KerasModel) -> Architecture:
    """Read version, width, stride, sizes and activation off the layers that show them."""
    version = 2 if _MARK_OF_V2 in model.by_name else 1
    for layer in model.layers:
        if layer.kind not in _KNOWN[version]:
            raise model.refuse(f"layer '{layer.name}' is a {layer.kind}, which GhostFaceNetV{version} does not have")
    shapes = [layer.config.get("batch_input_shape") or [] for layer in model.of_kind("InputLayer")]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][1] != shapes[0][2] or shapes[0][3] != 3:
        raise model.refuse(f"input is {shapes}, expected one square RGB image (batch, side, side, 3)")
    dense = model.of_kind(_DENSE)
    if version == 2:
        dense = sorted(dense, key=_place_in_v2)
    if len(dense) < 2 or dense[-1].name != "GDC_conv":
        raise model.refuse("the head's 'GDC_conv' is missing")
    stem, head = dense[0], dense[-1]
    norm = model.following(stem, "BatchNormalization")
    after = model.activation_after(norm) if norm is not None else None
    if after is None or after.activation is None:
        raise model.refuse(f"'{stem.name}' is not followed by BatchNormalization and PReLU or ReLU")
    first = Architecture(
        width=1.0,
        stride=int(stem.config["strides"][0]),
        version=version,
        image_size=int(shapes[0][1]),
        embedding_size=int(head.config["filters"]),
        activation=after.activation,
        head_bias=bool(head.config["use_bias"]),
    )
    return nearest_width(first, [int(layer.config["filters"]) for layer in dense])


def _place_in_v2(layer: Layer) -> tuple[int, int]:
    """Where a dense convolution stands in the network."""
    outer = {"stem_conv": 0, "pre_conv": 17, "GDC_conv": 18}
    if layer.name in outer:
        return outer[layer.name], 0
    stack, _, rest = layer.name.removeprefix("stack").partition("_")
    inner = list(_V2_NAMES.values())
    return (int(stack) if stack.isdigit() else 99), (inner.index(rest) if rest in inner else 99)


def _match(model: KerasModel, architecture: Architecture) -> Iterator[tuple[str, NDArray[np.float32]]]:
    with torch.device("meta"):
        network = GhostFaceNet(architecture)
    units = [(name, unit) for name, unit in network.named_modules() if isinstance(unit, ConvUnit)]
    pairs = _by_name(model, units) if architecture.version == 2 else _by_rank(model, units)
    for name, unit, layer in pairs:
        yield from _unit(model, name, unit, layer)
    for kind, depthwise in ((_DENSE, False), (_DEPTHWISE, True)):
        found, wanted = len(model.of_kind(kind)), sum(unit.depthwise is depthwise for _, unit in units)
        if found != wanted:
            raise model.refuse(f"holds {found} {kind} layers, {architecture.name} has {wanted}")
    last = model.by_name.get("pre_embedding")
    if last is None or last.kind != "BatchNormalization":
        raise model.refuse("the head's BatchNormalization 'pre_embedding' is missing")
    yield from _norm(model, last, "norm", architecture.embedding_size)
    _check_counts(model, architecture, units)


def _by_rank(model: KerasModel, units: list[tuple[str, ConvUnit]]) -> Iterator[tuple[str, ConvUnit, Layer]]:
    for depthwise, kind in ((False, _DENSE), (True, _DEPTHWISE)):
        wanted = [(name, unit) for name, unit in units if unit.depthwise is depthwise]
        for (name, unit), layer in zip(wanted, model.of_kind(kind), strict=False):
            yield name, unit, layer


def _by_name(model: KerasModel, units: list[tuple[str, ConvUnit]]) -> Iterator[tuple[str, ConvUnit, Layer]]:
    for name, unit in units:
        if name in _V2_OUTER_NAMES:
            yield name, unit, model.named(_V2_OUTER_NAMES[name])
        else:
            _, block, inner = name.split(".", 2)
            yield name, unit, model.named(f"stack{int(block) + 1}_{_V2_NAMES[inner]}")


def _unit(model: KerasModel, name: str, unit: ConvUnit, layer: Layer) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """One convolution with its BatchNorm and activation, everything checked against the network's own."""
    conv, where = unit.conv, f"layer '{layer.name}' ({name})"
    if layer.kind != (_DEPTHWISE if unit.depthwise else _DENSE):
        raise model.refuse(f"{where} is a {layer.kind}")
    expected = {
        "kernel_size": list(conv.kernel_size),
        "strides": list(conv.stride),
        "use_bias": conv.bias is not None,
        "dilation_rate": [1, 1],
        "activation": "linear",
        **({} if unit.depthwise else {"filters": conv.out_channels}),
    }
    for key, value in expected.items():
        if layer.config.get(key, value) != value:
            raise model.refuse(f"{where} has {key} {layer.config[key]}, expected {value}")
    _check_padding(model, where, unit, layer)
    stored = model.array(layer, "depthwise_kernel" if unit.depthwise else "kernel")
    axes = (2, 3, 0, 1) if unit.depthwise else (3, 2, 0, 1)
    shape = tuple(stored.shape[axis] for axis in axes) if stored.ndim == len(axes) else None
    if shape != tuple(conv.weight.shape):
        raise model.refuse(
            f"{where} has kernel (out, in, h, w) {shape or stored.shape}, expected {tuple(conv.weight.shape)}"
        )
    yield f"{name}.conv.weight", np.ascontiguousarray(np.asarray(stored[()], np.float32).transpose(axes))
    if conv.bias is not None:
        yield f"{name}.conv.bias", model.vector(layer, "bias", conv.out_channels)
    last = layer
    if unit.norm is not None:
        norm = model.following(layer, "BatchNormalization")
        if norm is None:
            raise model.refuse(f"{where} is not followed by BatchNormalization")
        yield from _norm(model, norm, f"{name}.norm", conv.out_channels)
        last = norm
    yield from _activation(model, name, unit, last)


def _check_padding(model: KerasModel, where: str, unit: ConvUnit, layer: Layer) -> None:
    """SAME and VALID are the layer's own; symmetric zeros come from a ZeroPadding2D before it."""
    high, wide = unit.conv.kernel_size
    if (high, wide) == (1, 1):
        return  # padding means nothing to a 1x1
    before, own = model.source(layer), layer.config.get("padding")
    zeros = before.config.get("padding") if before.kind == "ZeroPadding2D" else None
    if unit.padding is Padding.SYMMETRIC:
        symmetric = own == "valid" and zeros == [[high // 2] * 2, [wide // 2] * 2]
        # at stride 1 SAME is symmetric too
        if not symmetric and not (own == "same" and zeros is None and unit.conv.stride[0] == 1):
            raise model.refuse(
                f"{where} pads by '{own}' after {zeros or 'no'} zeros, expected {high // 2}, {wide // 2}"
            )
    elif own != unit.padding.value or zeros is not None:
        raise model.refuse(f"{where} has padding {own}, expected {unit.padding.value}")


def _activation(model: KerasModel, name: str, unit: ConvUnit, last: Layer) -> Iterator[tuple[str, NDArray[np.float32]]]:
    found = model.activation_after(last)
    expected = type(unit.activation).__name__ if unit.activation is not None else "no activation"
    kind = {None: "no activation", Activation.PRELU: "PReLU", Activation.RELU: "ReLU"}
    have = kind[found.activation if found is not None else None]
    if have != expected:
        raise model.refuse(f"layer '{last.name}' ({name}) is followed by {have}, expected {expected}")
    if found is not None and have == "PReLU":
        yield f"{name}.activation.weight", model.vector(found, "alpha", unit.conv.out_channels)


def _norm(model: KerasModel, layer: Layer, name: str, channels: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    epsilon = layer.config["epsilon"]
    if not np.isclose(epsilon, 1e-5, rtol=1e-3):
        raise model.refuse(f"layer '{layer.name}' has epsilon {epsilon}, expected 1e-05")
    for suffix, stored in _NORM_ARRAYS.items():
        yield f"{name}.{suffix}", model.vector(layer, stored, channels)


def _check_counts(model: KerasModel, architecture: Architecture, units: list[tuple[str, ConvUnit]]) -> None:
    """Every layer of the file must be one that the network has, and attention must be the version's own."""
    blocks = architecture.blocks
    gates = sum(block.se_channels is not None for block in blocks)
    attentions = sum(block.has_dfc for block in blocks)
    expected = {
        "BatchNormalization": sum(unit.norm is not None for _, unit in units) + 1,
        "PReLU": sum(isinstance(unit.activation, nn.PReLU) for _, unit in units),
        "Add": len(blocks),
        "Concatenate": 2 * len(blocks),
        "Multiply": gates + attentions,
        "hard_sigmoid" if architecture.version == 1 else "hard_sigmoid_torch": gates,
        "sigmoid": attentions,
        "AveragePooling2D": attentions,
        "resize": attentions,
    }
    found = Counter(layer.kind for layer in model.layers)
    found.update(layer.function for layer in model.layers if layer.function is not None)
    for kind, count in expected.items():
        if found[kind] != count:
            raise model.refuse(f"holds {found[kind]} {kind} layers, {architecture.name} has {count}")
    for layer in model.layers:
        if layer.function == "resize" and (
            layer.arguments.get("method") != "bilinear" or layer.arguments.get("antialias")
        ):
            raise model.refuse(f"layer '{layer.name}' resizes by {layer.arguments.get('method')}, expected bilinear")
        pooled = layer.config.get("pool_size"), layer.config.get("strides"), layer.config.get("padding")
        if layer.kind == "AveragePooling2D" and pooled != ([2, 2], [2, 2], "valid"):
            raise model.refuse(f"layer '{layer.name}' pools {pooled}, expected 2x2 with stride 2")
