"""Writes `.h5` files as Keras 2 lays them out, from a checkpoint: the inverse of the reader, for tests."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ghostface_edge.pipeline.network.checkpoint import Checkpoint, network_of
from ghostface_edge.pipeline.network.ghostfacenet import (
    ConvUnit,
    DfcGhostModule,
    GhostModule,
    SqueezeExcite,
)


class KerasFile:
    """Layers and arrays of one model; tests may change both before writing."""

    def __init__(self, checkpoint: Checkpoint, first_number: int = 0) -> None:
        self.layers: list[dict[str, Any]] = []
        self.arrays: dict[str, dict[str, np.ndarray]] = {}
        self._weights = checkpoint.weights
        self._numbers: dict[str, int] = {}
        self._first = first_number
        self.v2 = checkpoint.architecture.version == 2
        self._network = network_of(checkpoint)
        self._build(checkpoint.architecture.image_size)

    def layer(self, name: str) -> dict[str, Any]:
        return next(layer for layer in self.layers if layer["config"]["name"] == name)

    def first(self, kind: str) -> dict[str, Any]:
        return next(layer for layer in self.layers if layer["class_name"] == kind)

    def write(self, path: Path) -> Path:
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": {"layers": self.layers}})
            group = file.create_group("model_weights")
            for layer in self.layers:
                name = layer["config"]["name"]
                own = group.create_group(name)
                arrays = self.arrays.get(name, {})
                own.attrs["weight_names"] = [f"{name}/{key}:0".encode() for key in arrays]
                for key, array in arrays.items():
                    own.create_dataset(f"{name}/{key}:0", data=array)
        return path

    def add(self, kind: str, inputs: list[str], name: str | None = None, **config: Any) -> str:
        """Append a layer, numbered as Keras numbers it unless it has a name."""
        if name is None:
            stem = {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization", "PReLU": "activation"}.get(
                kind, kind.lower()
            )
            number = self._numbers.setdefault(stem, self._first)
            self._numbers[stem] += 1
            name = f"{stem}_{number}" if number else stem
        nodes = [[source, 0, 0, {}] for source in inputs]
        self.layers.append(
            {
                "class_name": kind,
                "config": {"name": name, **config},
                "name": name,
                "inbound_nodes": [nodes] if nodes else [],
            }
        )
        return name

    def function(self, function: str, source: str, name: str, **arguments: Any) -> str:
        """Append a TensorFlow function, whose node Keras lists without the outer brackets."""
        self.add("TFOpLambda", [], name, function=function)
        self.layers[-1]["inbound_nodes"] = [[source, 0, 0, arguments]]
        return name

    def _build(self, side: int) -> None:
        net = self._network
        x = self.add("InputLayer", [], "input_1", batch_input_shape=[None, side, side, 3])
        x = self._unit(x, "stem", net.stem, "stem_")
        for number in range(1, 17):
            x = self._bottleneck(x, number)
        x = self._unit(x, "tail", net.tail, "pre_")
        x = self._unit(x, "pool", net.pool, fixed=("GDC_dw", "GDC_batchnorm"))
        x = self._unit(x, "embed", net.embed, fixed=("GDC_conv", ""))
        x = self.add("Flatten", [x], "GDC_flatten")
        x = self._norm(x, "norm", "pre_embedding")
        self.add("Activation", [x], "embedding", activation="linear")

    def _bottleneck(self, x: str, number: int) -> str:
        name, stack = f"blocks.{number - 1}", f"stack{number}_"
        block: Any = self._network.blocks[number - 1]
        y = self._ghost(x, f"{name}.expand", block.expand, f"{stack}ghost_1_")
        if isinstance(block.stride, ConvUnit):
            y = self._unit(y, f"{name}.stride", block.stride, f"{stack}down_")
        if isinstance(block.attend, SqueezeExcite):
            y = self._squeeze(y, f"{name}.attend", block.attend, f"{stack}se_")
        y = self._ghost(y, f"{name}.project", block.project, f"{stack}ghost_2_")
        shortcut = x
        if list(block.shortcut.children()):
            for index, unit in enumerate(block.shortcut):
                shortcut = self._unit(shortcut, f"{name}.shortcut.{index}", unit, f"{stack}short_{index + 1}_")
        return self.add("Add", [shortcut, y], f"{stack}output" if self.v2 else None)

    def _ghost(self, x: str, name: str, module: GhostModule, prefix: str) -> str:
        primary = self._unit(x, f"{name}.primary", module.primary, f"{prefix}prim_")
        cheap = self._unit(primary, f"{name}.cheap", module.cheap, f"{prefix}cheap_")
        joined = self.add("Concatenate", [primary, cheap])
        if not isinstance(module, DfcGhostModule):
            return joined
        gate = self.add("AveragePooling2D", [x], pool_size=[2, 2], strides=[2, 2], padding="valid")
        for index, unit in enumerate(module.gate):
            gate = self._unit(gate, f"{name}.gate.{index}", unit, f"{prefix}short_{index + 1}_")  # type: ignore[arg-type]
        gate = self.add("Activation", [gate], f"{prefix}short_sigmoid", activation="sigmoid")
        resize = {"method": "bilinear", "antialias": False, "size": ["tf.__operators__.getitem", 0, 0]}
        gate = self.function("image.resize", gate, f"tf.image.resize_{prefix}", **resize)
        return self.add("Multiply", [gate, joined])

    def _squeeze(self, x: str, name: str, module: SqueezeExcite, prefix: str) -> str:
        if self.v2:
            gate = self.function("math.reduce_mean", x, f"tf.math.reduce_mean_{prefix}", axis=[1, 2], keepdims=True)
        else:
            gate = self.add("Reshape", [self.add("GlobalAveragePooling2D", [x])])
        gate = self._unit(gate, f"{name}.reduce", module.reduce, f"{prefix}1_", activation=f"{prefix}prelu")
        gate = self._unit(gate, f"{name}.expand", module.expand, f"{prefix}2_")
        wrapped = {"class_name": "function", "config": "hard_sigmoid_torch", "registered_name": "kecamCommon>x"}
        opened = self.add("Activation", [gate], None, activation=wrapped if self.v2 else "hard_sigmoid")
        return self.add("Multiply", [x, opened])

    def _unit(
        self,
        x: str,
        name: str,
        unit: ConvUnit,
        prefix: str = "",
        fixed: tuple[str, str] | None = None,
        activation: str | None = None,
    ) -> str:
        conv = unit.conv
        kind, array = ("DepthwiseConv2D", "depthwise_kernel") if unit.depthwise else ("Conv2D", "kernel")
        own, norm_name = None, None
        padding = unit.padding.value
        if fixed:
            own, norm_name = fixed
        elif self.v2:
            own = prefix + ("dw_conv" if unit.depthwise else "conv")
            norm_name = f"{prefix}bn"
            high, wide = conv.kernel_size
            if (high, wide) != (1, 1):
                x = self.add("ZeroPadding2D", [x], f"{prefix}pad_{name}", padding=[[high // 2] * 2, [wide // 2] * 2])
            padding = "valid"
        config = {"kernel_size": list(conv.kernel_size), "strides": list(conv.stride), "padding": padding}
        config |= {"use_bias": conv.bias is not None, "dilation_rate": [1, 1], "activation": "linear"}
        if not unit.depthwise:
            config["filters"] = conv.out_channels
        x = self.add(kind, [x], own, **config)
        weight = self._weights[f"{name}.conv.weight"]
        self.arrays[x] = {array: weight.transpose((2, 3, 0, 1) if unit.depthwise else (2, 3, 1, 0))}
        if conv.bias is not None:
            self.arrays[x]["bias"] = self._weights[f"{name}.conv.bias"]
        if unit.norm is not None:
            x = self._norm(x, f"{name}.norm", norm_name)
        if f"{name}.activation.weight" in self._weights:
            x = self.add("PReLU", [x], activation or (f"{prefix}prelu" if self.v2 else None), shared_axes=[1, 2])
            self.arrays[x] = {"alpha": self._weights[f"{name}.activation.weight"].reshape(1, 1, -1)}
        elif unit.activation is not None:
            x = self.add("Activation", [x], activation="relu")
        return x

    def _norm(self, x: str, name: str, keras_name: str | None) -> str:
        x = self.add("BatchNormalization", [x], keras_name, epsilon=1e-5)
        keys = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
        self.arrays[x] = {key: self._weights[f"{name}.{ours}"] for key, ours in keys.items()}
        return x
