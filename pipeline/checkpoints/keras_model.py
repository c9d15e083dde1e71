"""A Keras 2 `.h5` model as plain data: its layers, who feeds whom, and the arrays they own. Nothing in it is run.

In: an HDF5 file with `model_config` and `model_weights`. Out: a `KerasModel` cut down to what the embedding needs, so
that a classification head of training, or a second output, does not matter.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.checkpoints.hdf5_file import FIX, open_hdf5, texts
from ghostface_edge.pipeline.network.architecture import Activation
from ghostface_edge.reports.errors import InputError

_EMBEDDING_LAYERS = ("embedding", "pre_embedding")
_RUNS_CODE = {"Lambda"}
_FUNCTIONS = {"TFOpLambda", "SlicingOpLambda"}
"""Not code: each names one TensorFlow function, which `Layer.function` tells."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the file."""

    kind: str
    name: str
    config: dict[str, Any]
    inputs: tuple[str, ...]
    arguments: dict[str, Any]
    """Of the call, where the layer is a TensorFlow function."""

    @property
    def rank(self) -> int:
        """Creation order within one kind; the head's named layers come last."""
        if self.name.startswith("GDC_"):
            return 1 << 30
        number = re.search(r"_(\d+)$", self.name)
        return int(number.group(1)) if number else 0

    @property
    def function(self) -> str | None:
        """What it computes, where the kind alone does not say: an activation's or a TensorFlow function's name."""
        if self.kind in _FUNCTIONS:
            return str(self.config.get("function")).rsplit(".", 1)[-1]
        if self.kind != "Activation":
            return None
        named = self.config.get("activation")
        while isinstance(named, dict):  # Keras wraps registered functions
            named = named.get("config", named.get("registered_name"))
        return str(named).rsplit(">", 1)[-1]

    @property
    def activation(self) -> Activation | None:
        """PReLU or ReLU, where it is one."""
        if self.kind == "PReLU":
            return Activation.PRELU
        return Activation.RELU if self.kind == "ReLU" or self.function == "relu" else None


class KerasModel:
    """Layers by name, their consumers, and their stored arrays."""

    def __init__(self, path: Path, layers: tuple[Layer, ...], stored: h5py.Group) -> None:
        self.path = path
        self.layers = layers
        self._stored = stored
        self.by_name = {layer.name: layer for layer in layers}
        self._consumers: dict[str, list[Layer]] = {layer.name: [] for layer in layers}
        for layer in layers:
            for source in layer.inputs:
                self._consumers[source].append(layer)

    def refuse(self, what: str) -> InputError:
        """The error that says why this file is not taken."""
        return InputError(f"{self.path}: {what}", fix=FIX)

    def named(self, name: str) -> Layer:
        """The layer of this name.

        Raises:
            InputError: there is none.
        """
        if name not in self.by_name:
            raise self.refuse(f"layer '{name}' is missing")
        return self.by_name[name]

    def of_kind(self, kind: str) -> list[Layer]:
        """Layers of one kind in the order of their creation."""
        return sorted((layer for layer in self.layers if layer.kind == kind), key=lambda layer: layer.rank)

    def source(self, layer: Layer) -> Layer:
        """What feeds a layer with one input."""
        if len(layer.inputs) != 1:
            raise self.refuse(f"layer '{layer.name}' has {len(layer.inputs)} inputs, expected one")
        return self.by_name[layer.inputs[0]]

    def following(self, layer: Layer, *kinds: str) -> Layer | None:
        """The consumer of `layer` that is of one of these kinds, if there is one."""
        return next((consumer for consumer in self._consumers[layer.name] if consumer.kind in kinds), None)

    def activation_after(self, layer: Layer) -> Layer | None:
        """The PReLU or ReLU that reads `layer`, if there is one."""
        found = self.following(layer, "PReLU", "ReLU", "Activation")
        return found if found is not None and found.activation is not None else None

    def array(self, layer: Layer, name: str) -> h5py.Dataset:
        """One of the layer's stored arrays, of which nothing is read yet.

        Raises:
            InputError: there is none.
        """
        group = self._stored[layer.name]
        found = {full.rsplit("/", 1)[-1].split(":")[0]: full for full in texts(group, "weight_names")}
        dataset = group[found[name]] if name in found else None
        if not isinstance(dataset, h5py.Dataset):
            raise self.refuse(f"layer '{layer.name}' has no weight '{name}', only {sorted(found)}")
        return dataset

    def vector(self, layer: Layer, name: str, count: int) -> NDArray[np.float32]:
        """One number per channel.

        Raises:
            InputError: another array.
        """
        stored = self.array(layer, name)
        if stored.size != count:
            raise self.refuse(f"layer '{layer.name}' has {name} of shape {stored.shape}, expected ({count},)")
        return np.asarray(stored[()], np.float32).reshape(-1)


def check(path: Path) -> None:
    """Refuse a file of another structure or another kind of model, before any weight is read.

    Raises:
        InputError: what is wrong with it.
    """
    with open_hdf5(path) as file:
        read_model(path, file)


def read_model(path: Path, file: h5py.File) -> KerasModel:
    """The layers that the embedding depends on.

    Raises:
        InputError: not a Keras 2 functional model, without an embedding, or with a layer that holds code.
    """
    if "model_config" not in file.attrs:
        raise InputError(f"{path}: holds no model_config, only weights", fix=f"{FIX}, with model.save(...)")
    try:
        config = json.loads("".join(texts(file, "model_config")))
        layers = {layer.name: layer for layer in map(_layer, config["config"]["layers"])}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: model_config is not a Keras 2 functional model", fix=FIX) from error
    for layer in layers.values():
        if layer.kind in _RUNS_CODE:
            raise InputError(
                f"{path}: layer '{layer.name}' is a {layer.kind}, which holds Python code; none of it was run", fix=FIX
            )
    last = next((name for name in _EMBEDDING_LAYERS if name in layers), None)
    if last is None:
        raise InputError(f"{path}: the head's '{_EMBEDDING_LAYERS[-1]}' is missing", fix=FIX)
    needed = _ancestors(path, layers, last)
    stored = file.get("model_weights")
    if not isinstance(stored, h5py.Group):
        raise InputError(f"{path}: holds no model_weights", fix=FIX)
    return KerasModel(path, tuple(layer for layer in layers.values() if layer.name in needed), stored)


def _layer(entry: dict[str, Any]) -> Layer:
    sources: list[str] = []
    arguments: dict[str, Any] = {}
    for node in entry["inbound_nodes"]:
        # most layers list [[name, node, tensor, arguments], ...], TensorFlow functions one such list without the outer
        for source in [node] if node and isinstance(node[0], str) else node:
            sources.append(str(source[0]))
            arguments |= source[3] if len(source) > 3 else {}
    config = dict(entry["config"])
    return Layer(str(entry["class_name"]), str(config["name"]), config, tuple(sources), arguments)


def _ancestors(path: Path, layers: dict[str, Layer], last: str) -> set[str]:
    found, waiting = {last}, [last]
    while waiting:
        layer = layers[waiting.pop()]
        for source in layer.inputs:
            if source not in layers:
                raise InputError(f"{path}: layer '{layer.name}' reads '{source}', which does not exist", fix=FIX)
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found
