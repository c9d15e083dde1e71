"""The official Keras 2 `.h5` checkpoints of GhostFaceNetV1, read with h5py alone.

In: an HDF5 file with `model_config` and `model_weights`. Out: a `Checkpoint`.
Keras numbers layers per kind in the order of their creation and the numbers may start anywhere, so convolutions
are matched by rank within their kind; BatchNorm and activation are found by following the graph from there.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ghostface_edge.pipeline.architecture import Activation, Architecture
from ghostface_edge.pipeline.checkpoints.checkpoint import Checkpoint, file_sha256
from ghostface_edge.pipeline.checkpoints.plan import nearest_width
from ghostface_edge.pipeline.network import ConvUnit, GhostFaceNet
from ghostface_edge.reports.errors import InputError

_CONV_KINDS = {"Conv2D": False, "DepthwiseConv2D": True}
_PASSIVE = {"InputLayer", "Add", "Concatenate", "Multiply", "GlobalAveragePooling2D", "Reshape", "Flatten"}
_KNOWN = {*_CONV_KINDS, *_PASSIVE, "BatchNormalization", "PReLU", "ReLU", "Activation"}
_FIX = "give a GhostFaceNetV1 embedding model saved by Keras 2 as .h5"


@dataclass(frozen=True, slots=True)
class _Layer:
    kind: str
    name: str
    config: dict[str, Any]
    inputs: tuple[str, ...]

    @property
    def rank(self) -> int:
        """Creation order within one kind; the head's named layers come last."""
        if self.name.startswith("GDC_"):
            return 1 << 30
        number = re.search(r"_(\d+)$", self.name)
        return int(number.group(1)) if number else 0

    @property
    def activation(self) -> Activation | None:
        if self.kind == "PReLU":
            return Activation.PRELU
        if self.kind == "ReLU" or (self.kind == "Activation" and self.config.get("activation") == "relu"):
            return Activation.RELU
        return None


def read_checkpoint(path: Path) -> Checkpoint:
    """Read architecture and weights of an official V1 checkpoint.

    Raises:
        InputError: not HDF5, or not this network; the message names the first layer that differs.
    """
    try:
        with h5py.File(path, "r") as file:
            layers = _layers(path, file)
            model = _Model(path, layers, _weights_group(path, file))
            architecture = _architecture(model)
            weights = dict(_match(model, architecture))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a Keras checkpoint ({error})", fix=_FIX) from error
    return Checkpoint(path, file_sha256(path), architecture, weights)


class _Model:
    """Layers by name, their consumers, and their stored arrays."""

    def __init__(self, path: Path, layers: tuple[_Layer, ...], stored: h5py.Group) -> None:
        self.path = path
        self.layers = layers
        self._stored = stored
        self._consumers: dict[str, list[_Layer]] = {layer.name: [] for layer in layers}
        for layer in layers:
            for source in layer.inputs:
                if source not in self._consumers:
                    raise self.refuse(f"layer '{layer.name}' reads '{source}', which does not exist")
                self._consumers[source].append(layer)

    def refuse(self, what: str) -> InputError:
        return InputError(f"{self.path}: {what}", fix=_FIX)

    def convs(self, depthwise: bool) -> list[_Layer]:
        """Convolutions of one kind in the order of their creation."""
        found = [layer for layer in self.layers if _CONV_KINDS.get(layer.kind) is depthwise]
        return sorted(found, key=lambda layer: layer.rank)

    def following(self, layer: _Layer, *kinds: str) -> _Layer | None:
        """The consumer of `layer` that is of one of these kinds, if there is one."""
        return next((consumer for consumer in self._consumers[layer.name] if consumer.kind in kinds), None)

    def activation_after(self, layer: _Layer) -> _Layer | None:
        found = self.following(layer, "PReLU", "ReLU", "Activation")
        return found if found is not None and found.activation is not None else None

    def arrays(self, layer: _Layer, *names: str) -> Iterator[NDArray[np.float32]]:
        """The layer's stored arrays in the order of `names`."""
        found: dict[str, h5py.Dataset] = {}
        for name in _attribute_strings(self._stored[layer.name], "weight_names"):
            found[name.rsplit("/", 1)[-1].split(":")[0]] = _dataset(self._stored[layer.name], name)
        for name in names:
            if name not in found:
                raise self.refuse(f"layer '{layer.name}' has no weight '{name}', only {sorted(found)}")
            yield np.asarray(found[name][()], dtype=np.float32)


def _layers(path: Path, file: h5py.File) -> tuple[_Layer, ...]:
    if "model_config" not in file.attrs:
        raise InputError(f"{path}: holds no model_config, only weights", fix=f"{_FIX}, with model.save(...)")
    try:
        config = json.loads(file.attrs["model_config"])
        raw = config["config"]["layers"]
        layers = tuple(
            _Layer(
                kind=entry["class_name"],
                name=entry["config"]["name"],
                config=entry["config"],
                inputs=tuple(source[0] for node in entry["inbound_nodes"] for source in node),
            )
            for entry in raw
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(f"{path}: model_config is not a Keras 2 functional model", fix=_FIX) from error
    for layer in layers:
        if layer.kind not in _KNOWN:
            raise InputError(
                f"{path}: layer '{layer.name}' is a {layer.kind}, which GhostFaceNetV1 does not have", fix=_FIX
            )
    return layers


def _weights_group(path: Path, file: h5py.File) -> h5py.Group:
    group = file.get("model_weights")
    if not isinstance(group, h5py.Group):
        raise InputError(f"{path}: holds no model_weights", fix=_FIX)
    return group


def _dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    """A dataset of this very file: links into other files are not followed."""
    node: h5py.Group | h5py.Dataset = group
    for part in name.split("/"):
        if not isinstance(node.get(part, getlink=True), h5py.HardLink):
            raise KeyError(f"'{name}' is not stored in this file")
        node = node[part]
    if not isinstance(node, h5py.Dataset) or node.external:
        raise KeyError(f"'{name}' is not stored in this file")
    return node


def _attribute_strings(group: h5py.Group, name: str) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in group.attrs[name]]


def _architecture(model: _Model) -> Architecture:
    """Read width, stride, sizes and activation off the layers that show them."""
    convs = model.convs(depthwise=False)
    shapes = [layer.config.get("batch_input_shape") or [] for layer in model.layers if layer.kind == "InputLayer"]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][1] != shapes[0][2] or shapes[0][3] != 3:
        raise model.refuse(f"input is {shapes}, expected one square RGB image (batch, side, side, 3)")
    if len(convs) < 2 or convs[-1].name != "GDC_conv":
        raise model.refuse("the head's 'GDC_conv' is missing")
    stem, head = convs[0], convs[-1]
    norm = model.following(stem, "BatchNormalization")
    after = model.activation_after(norm) if norm is not None else None
    if after is None or after.activation is None:
        raise model.refuse(f"'{stem.name}' is not followed by BatchNormalization and PReLU or ReLU")
    first = Architecture(
        width=1.0,
        stride=int(stem.config["strides"][0]),
        image_size=int(shapes[0][1]),
        embedding_size=int(head.config["filters"]),
        activation=after.activation,
        head_bias=bool(head.config["use_bias"]),
    )
    filters = [int(layer.config["filters"]) for layer in convs]
    return nearest_width(first, filters)


def _match(model: _Model, architecture: Architecture) -> Iterator[tuple[str, NDArray[np.float32]]]:
    with torch.device("meta"):
        network = GhostFaceNet(architecture)
    units = [(name, unit) for name, unit in network.named_modules() if isinstance(unit, ConvUnit)]
    slopes = 0
    for depthwise, kind in ((False, "Conv2D"), (True, "DepthwiseConv2D")):
        layers = model.convs(depthwise)
        wanted = [(name, unit) for name, unit in units if unit.depthwise is depthwise]
        for (name, unit), layer in zip(wanted, layers, strict=False):
            yield from _unit(model, name, unit, layer)
            slopes += isinstance(unit.activation, nn.PReLU)
        if len(layers) != len(wanted):
            raise model.refuse(f"holds {len(layers)} {kind} layers, {architecture.name} has {len(wanted)}")
    last = next((layer for layer in model.layers if layer.name == "pre_embedding"), None)
    if last is None or last.kind != "BatchNormalization":
        raise model.refuse("the head's BatchNormalization 'pre_embedding' is missing")
    yield from _norm(model, last, "norm", architecture.embedding_size)
    gates = sum(block.se_channels is not None for block in architecture.blocks)
    _check_counts(
        model,
        architecture,
        {
            "BatchNormalization": sum(unit.norm is not None for _, unit in units) + 1,
            "PReLU": slopes,
            "Add": len(architecture.blocks),
            "Concatenate": 2 * len(architecture.blocks),
            "Multiply": gates,
            "GlobalAveragePooling2D": gates,
            "hard_sigmoid": gates,
        },
    )


def _unit(model: _Model, name: str, unit: ConvUnit, layer: _Layer) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """One convolution with its BatchNorm and activation, everything checked against the network's own."""
    conv, where = unit.conv, f"layer '{layer.name}' ({name})"
    expected = {
        "kernel_size": list(conv.kernel_size),
        "strides": list(conv.stride),
        "use_bias": conv.bias is not None,
        "dilation_rate": [1, 1],
        "activation": "linear",
    }
    if conv.kernel_size != (1, 1):  # padding means nothing to a 1x1
        expected["padding"] = unit.padding.value
    for key, value in expected.items():
        if layer.config.get(key, value) != value:
            raise model.refuse(f"{where} has {key} {layer.config[key]}, expected {value}")
    (kernel,) = model.arrays(layer, "depthwise_kernel" if unit.depthwise else "kernel")
    kernel = np.ascontiguousarray(kernel.transpose((2, 3, 0, 1) if unit.depthwise else (3, 2, 0, 1)))
    if kernel.shape != tuple(conv.weight.shape):
        raise model.refuse(f"{where} has kernel (out, in, h, w) {kernel.shape}, expected {tuple(conv.weight.shape)}")
    yield f"{name}.conv.weight", kernel
    if conv.bias is not None:
        (bias,) = model.arrays(layer, "bias")
        yield f"{name}.conv.bias", bias
    last = layer
    if unit.norm is not None:
        norm = model.following(layer, "BatchNormalization")
        if norm is None:
            raise model.refuse(f"{where} is not followed by BatchNormalization")
        yield from _norm(model, norm, f"{name}.norm", conv.out_channels)
        last = norm
    yield from _activation(model, name, unit, last)


def _activation(model: _Model, name: str, unit: ConvUnit, last: _Layer) -> Iterator[tuple[str, NDArray[np.float32]]]:
    found = model.activation_after(last)
    expected = type(unit.activation).__name__ if unit.activation is not None else "no activation"
    kind = {None: "no activation", Activation.PRELU: "PReLU", Activation.RELU: "ReLU"}
    have = kind[found.activation if found is not None else None]
    if have != expected:
        raise model.refuse(f"layer '{last.name}' ({name}) is followed by {have}, expected {expected}")
    if found is not None and have == "PReLU":
        (slopes,) = model.arrays(found, "alpha")
        if slopes.size != unit.conv.out_channels:
            raise model.refuse(f"layer '{found.name}' has slopes of shape {slopes.shape}, expected one per channel")
        yield f"{name}.activation.weight", slopes.reshape(-1)


def _norm(model: _Model, layer: _Layer, name: str, channels: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    epsilon = layer.config["epsilon"]
    if not np.isclose(epsilon, 1e-5, rtol=1e-3):
        raise model.refuse(f"layer '{layer.name}' has epsilon {epsilon}, expected 1e-05")
    arrays = model.arrays(layer, "gamma", "beta", "moving_mean", "moving_variance")
    for suffix, array in zip(("weight", "bias", "running_mean", "running_var"), arrays, strict=True):
        if array.shape != (channels,):
            raise model.refuse(f"layer '{layer.name}' has {suffix} of shape {array.shape}, expected ({channels},)")
        yield f"{name}.{suffix}", array


def _check_counts(model: _Model, architecture: Architecture, expected: dict[str, int]) -> None:
    """Every layer of the file must be one that the network has."""
    found = Counter(layer.kind for layer in model.layers)
    found.update(layer.config["activation"] for layer in model.layers if layer.kind == "Activation")
    for kind, count in expected.items():
        if found[kind] != count:
            raise model.refuse(f"holds {found[kind]} {kind} layers, {architecture.name} has {count}")
