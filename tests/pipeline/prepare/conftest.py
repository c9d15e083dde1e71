"""Small random graphs of the operators that preparation knows, as files that ONNX Runtime runs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

SIDE = 8


class Sketch:
    """Draws a graph one block at a time, with seeded weights; every method returns the name of what it computes."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.channels = {"faces": 3}

    def constant(self, array: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op: str, inputs: list[str], channels: int, **attributes: object) -> str:
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        self.channels[name] = channels
        return name

    def weights(self, *shape: int) -> np.ndarray:
        fan = int(np.prod(shape[1:]))
        # Rows of very different size, as folded BatchNorms leave them.
        rows = np.exp(self.random.normal(0, 1.5, (shape[0], *[1] * (len(shape) - 1))))
        return (self.random.normal(0, 1 / np.sqrt(fan), shape) * rows).astype(np.float32)

    def conv(self, x: str, channels: int, kernel: int = 1, *, depthwise: bool = False, bias: bool = True) -> str:
        source = self.channels[x]
        group = source if depthwise else 1
        inputs = [x, self.constant(self.weights(channels, source // group, kernel, kernel))]
        if bias:
            inputs.append(self.constant(self.random.normal(0, 0.3, channels).astype(np.float32)))
        pads = [kernel // 2] * 4
        return self.node("Conv", inputs, channels, kernel_shape=[kernel] * 2, pads=pads, group=group)

    def norm(self, x: str) -> str:
        count = self.channels[x]
        parts = (self.random.uniform(0.2, 3, count) for _ in range(4))
        return self.node("BatchNormalization", [x, *(self.constant(p.astype(np.float32)) for p in parts)], count)

    def activation(self, x: str) -> str:
        count = self.channels[x]
        if self.random.random() < 0.2:
            return self.node("Relu", [x], count)
        slopes = self.random.normal(0, 2, (count, 1, 1)).astype(np.float32)
        return self.node("PRelu", [x, self.constant(slopes)], count)

    def ghost(self, x: str, channels: int) -> str:
        primary = self.activation(self.conv(x, channels // 2))
        cheap = self.activation(self.conv(primary, channels // 2, 3, depthwise=True))
        return self.node("Concat", [primary, cheap], channels, axis=1)

    def residual(self, x: str) -> str:
        count = self.channels[x]
        return self.node("Add", [self.conv(self.ghost(x, 2 * count), count), x], count)

    def projection(self, x: str) -> str:
        """A ghost module without activation, and its shortcut."""
        count = self.channels[x]
        primary = self.conv(x, count // 2)
        cheap = self.conv(primary, count // 2, 3, depthwise=True)
        return self.node("Add", [self.node("Concat", [primary, cheap], count, axis=1), x], count)

    def squeeze_excite(self, x: str) -> str:
        count = self.channels[x]
        pooled = self.node("GlobalAveragePool", [x], count)
        inner = self.activation(self.conv(pooled, 4))
        gate = self.node("HardSigmoid", [self.conv(inner, count)], count, alpha=0.2, beta=0.5)
        return self.node("Mul", [x, gate], count)

    def attention(self, x: str) -> str:
        count = self.channels[x]
        pooled = self.node("AveragePool", [x], count, kernel_shape=[2, 2], strides=[2, 2])
        gate = self.node("Sigmoid", [self.conv(pooled, count)], count)
        sizes = self.constant(np.array([SIDE, SIDE], np.int64))
        attributes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel", "axes": [2, 3]}
        return self.node("Mul", [x, self.node("Resize", [gate, "", "", sizes], count, **attributes)], count)

    def normed(self, x: str) -> str:
        return self.activation(self.norm(self.conv(x, self.channels[x], 3, depthwise=True, bias=False)))

    def unknown(self, x: str) -> str:
        return self.node("Tanh", [x], self.channels[x])

    def save(self, x: str, path: Path) -> Path:
        """Close the graph with a pool and a 1x1 convolution to 6 numbers."""
        count = self.channels[x]
        weight = self.constant(self.weights(count, 1, SIDE, SIDE))
        pooled = self.node("Conv", [x, weight], count, kernel_shape=[SIDE, SIDE], group=count)
        last = self.node("Flatten", [self.conv(pooled, 6)], 6, axis=1)
        self.nodes[-1].output[0] = "embeddings"
        assert last
        ends = [
            helper.make_tensor_value_info("faces", onnx.TensorProto.FLOAT, ["batch", 3, SIDE, SIDE]),
            helper.make_tensor_value_info("embeddings", onnx.TensorProto.FLOAT, ["batch", 6]),
        ]
        graph = helper.make_graph(self.nodes, "sketch", ends[:1], ends[1:], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.save(onnx.shape_inference.infer_shapes(model, strict_mode=True), path)
        return path


def sketch(seed: int, blocks: list[str], path: Path) -> Path:
    """A stem of 6 channels, then the blocks by name."""
    drawing = Sketch(seed)
    x = drawing.activation(drawing.conv("faces", 6, 3))
    for block in blocks:
        x = getattr(drawing, block)(x)
    return drawing.save(x, path)


@pytest.fixture
def draw() -> Callable[[int, list[str], Path], Path]:
    """The `sketch` function."""
    return sketch


@pytest.fixture
def faces() -> np.ndarray:
    """16 smooth random images, uint8 (16, 8, 8, 3)."""
    random = np.random.default_rng(3)
    coarse = random.integers(0, 256, (16, 4, 4, 3))
    return coarse.repeat(2, 1).repeat(2, 2).astype(np.uint8)
