"""Tiny networks and their QDQ models, for tests of several targets."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

SIDE = 28


class GraphWriter:
    """Writes a GhostFaceNet's operators node by node, float or between QuantizeLinear and DequantizeLinear.

    Every tensor's grid comes from a range that the caller gives; weights are seeded.
    """

    def __init__(self, *, quantized=True, seed=0):
        self.quantized, self.generator = quantized, np.random.default_rng(seed)
        self.nodes, self.constants = [], {}

    def constant(self, name, values):
        self.constants[name] = np.asarray(values)
        return name

    def node(self, kind, inputs, name, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def grid(self, low, high):
        scale = np.float32((high - low) / 255)
        return scale, np.int8(np.clip(round(-128 - low / scale), -128, 127))

    def quantize(self, name, low, high, source=None):
        """Put a value on a grid; returns the name to read."""
        if not self.quantized:
            return source or name
        scale, zero_point = self.grid(low, high)
        ends = [self.constant(f"{name}.scale", scale), self.constant(f"{name}.zero_point", zero_point)]
        self.node("QuantizeLinear", [source or name, *ends], f"{name}.quantized")
        return self.node("DequantizeLinear", [f"{name}.quantized", *ends], f"{name}.dequantized")

    def convolution(self, name, source, shape, limits, *, groups=1, stride=1, pad=0, scale_in=None):
        """Convolution with seeded weights of shape (O, I/groups, k, k), on its grid unless `limits` is None."""
        weight = self.generator.normal(0, np.prod(shape[1:]) ** -0.5, shape)
        bias = self.generator.normal(0, 0.2, shape[0])
        inputs = [source, *self.stored(name, weight, bias, scale_in)]
        attributes = {"kernel_shape": list(shape[2:]), "strides": [stride] * 2, "pads": [pad] * 4, "group": groups}
        self.node("Conv", inputs, name, **attributes)
        return name if limits is None else self.quantize(name, *limits)

    def stored(self, name, weight, bias, scale_in):
        if not self.quantized or scale_in is None:
            values = {f"{name}.weight": weight.astype(np.float32), f"{name}.bias": bias.astype(np.float32)}
            return [self.constant(*item) for item in values.items()]
        scales = (np.abs(weight).reshape(len(weight), -1).max(1) / 127).astype(np.float32)
        integers = np.rint(weight / scales.reshape(-1, 1, 1, 1)).astype(np.int8)
        unit = (scales * scale_in).astype(np.float32)
        return [
            self.dequantized(f"{name}.weight", integers, scales),
            self.dequantized(f"{name}.bias", np.rint(bias / unit).astype(np.int32), unit),
        ]

    def dequantized(self, name, integers, scales):
        per_channel = np.ndim(scales) > 0
        inputs = [
            self.constant(f"{name}.quantized", integers),
            self.constant(f"{name}.scale", scales),
            self.constant(f"{name}.zero_point", np.zeros(np.shape(scales), integers.dtype)),
        ]
        return self.node("DequantizeLinear", inputs, name, **({"axis": 0} if per_channel else {}))

    def prelu(self, name, source, slopes, limits):
        slopes = np.asarray(slopes, np.float32).reshape(1, -1, 1, 1)
        if self.quantized:
            scale = np.float32(np.abs(slopes).max() / 127)
            slope = self.dequantized(f"{name}.slope", np.rint(slopes / scale).astype(np.int8), scale)
        else:
            slope = self.constant(f"{name}.slope", slopes)
        self.node("PRelu", [source, slope], name)
        return self.quantize(name, *limits)


def build_ghost_network(writer: GraphWriter, *, steepest=1.0, head_is_float=False, tied=True, stride=1):
    """Stem, ghost module with squeeze-excite, identity shortcut, head: faces (N, 3, 28, 28) to embeddings (N, 24)."""
    w, wide, channels = writer, (-3.0, 3.0), 10
    step = float(w.grid(*wide)[0]) if w.quantized else None

    def slopes(count):
        return np.append(w.generator.uniform(-0.6, 0.9, count - 1), steepest)

    prelu_grid = wide if tied else (-2.0, 3.5)
    after = float(w.grid(*prelu_grid)[0]) if w.quantized else None
    source, pixel = "faces", None
    if w.quantized:
        shift = w.constant("pixel_shift", np.float32(-0.5 / 128))
        w.node("Add", ["faces", shift], "faces.shifted")
        pixel = 1 / 128
        low = -1.0
        source = w.quantize("faces", low, low + 255 / 128, "faces.shifted")
    x = w.convolution("stem", source, (2 * channels, 3, 3, 3), wide, stride=stride, pad=1, scale_in=pixel)
    x = w.prelu("stem.activation", x, slopes(2 * channels), prelu_grid)
    y = w.convolution("primary", x, (channels, 2 * channels, 1, 1), wide, scale_in=after)
    y = w.prelu("primary.activation", y, slopes(channels), prelu_grid)
    z = w.convolution("cheap", y, (channels, 1, 3, 3), wide, groups=channels, pad=1, scale_in=after)
    z = w.prelu("cheap.activation", z, slopes(channels), prelu_grid)
    w.node("Concat", [y, z], "ghost", axis=1)
    ghost = w.quantize("ghost", *prelu_grid)
    w.node("GlobalAveragePool", [ghost], "pooled")
    pooled = w.quantize("pooled", -1.5, 1.5)
    pooled_step = float(w.grid(-1.5, 1.5)[0]) if w.quantized else None
    gate = w.convolution("reduce", pooled, (6, 2 * channels, 1, 1), wide, scale_in=pooled_step)
    gate = w.prelu("reduce.activation", gate, slopes(6), prelu_grid)
    gate = w.convolution("expand", gate, (2 * channels, 6, 1, 1), (0.0, 1.0) if w.quantized else None, scale_in=after)
    if not w.quantized:
        gate = w.node("HardSigmoid", [gate], "gate", alpha=0.2, beta=0.5)
    w.node("Mul", [ghost, gate], "attended")
    attended = w.quantize("attended", *wide)
    w.node("Add", [attended, x], "sum")
    total = w.quantize("sum", -6.0, 6.0)
    sum_step = float(w.grid(-6.0, 6.0)[0]) if w.quantized else None
    whole = (2 * channels, 1, SIDE // stride, SIDE // stride)
    head = w.convolution("pool", total, whole, wide, groups=2 * channels, scale_in=sum_step)
    if head_is_float:
        head = w.convolution("embed", head, (24, 2 * channels, 1, 1), None)
    else:
        head = w.convolution("embed", head, (24, 2 * channels, 1, 1), (-4.0, 4.0), scale_in=step)
    w.node("Flatten", [head], "embeddings", axis=1)


@pytest.fixture
def writer():
    """A quantized graph to write node by node."""
    return GraphWriter()


@pytest.fixture(scope="session")
def write_graph(tmp_path_factory):
    """Save nodes as ONNX: input `faces` (N, 3, 28, 28), output `embeddings` (N, E)."""

    folder = tmp_path_factory.mktemp("graphs")

    def write(nodes, constants) -> Path:
        graph = helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", "size"])],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        helper.set_model_props(model, {"preprocessing": "RGB"})
        path = folder / f"tiny{len(list(folder.iterdir()))}.onnx"
        onnx.save(model, path)
        return path

    return write


@pytest.fixture(scope="session")
def write_ghost_network(write_graph):
    """Write the small network; see `build_ghost_network` for the options."""

    def write(*, quantized, seed=0, **options) -> Path:
        writer = GraphWriter(quantized=quantized, seed=seed)
        build_ghost_network(writer, **options)
        return write_graph(writer.nodes, writer.constants)

    return write


@pytest.fixture
def ghost_qdq(write_ghost_network) -> Path:
    return write_ghost_network(quantized=True)


@pytest.fixture
def mixed_qdq(write_ghost_network) -> Path:
    """The last convolution reads integers and computes in float."""
    return write_ghost_network(quantized=True, head_is_float=True)


@pytest.fixture(scope="session")
def inputs():
    """Faces as the networks take them: float32 (6, 3, 28, 28), whole pixel values."""
    pixels = np.random.default_rng(4).integers(0, 256, (6, 3, SIDE, SIDE))
    return ((pixels - 127.5) / 128).astype(np.float32)


@pytest.fixture(scope="session")
def run_exactly():
    """ONNX Runtime without any optimization: a QDQ model's own arithmetic."""

    def run(path, x):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return onnxruntime.InferenceSession(path, options).run(None, {"faces": x})[0]

    return run


@pytest.fixture
def gated_qdq(write_graph, writer) -> Path:
    """What version 2 adds: a gate from a pooled map, resized to the size of what it gates."""
    grid = (-3.0, 3.0)
    step = float(writer.grid(*grid)[0])
    shift = writer.constant("pixel_shift", np.float32(-0.5 / 128))
    writer.node("Add", ["faces", shift], "faces.shifted")
    x = writer.quantize("faces", -1.0, -1.0 + 255 / 128, "faces.shifted")
    x = writer.convolution("stem", x, (10, 3, 3, 3), grid, stride=2, pad=1, scale_in=1 / 128)
    writer.node("AveragePool", [x], "halved", kernel_shape=[2, 2], strides=[2, 2])
    gate = writer.convolution("gate", writer.quantize("halved", *grid), (10, 10, 1, 1), grid, scale_in=step)
    writer.node("Sigmoid", [gate], "opened")
    gate = writer.quantize("opened", 0.0, 255 / 256)
    writer.node("Shape", [gate], "opened.shape", start=0, end=2)
    writer.node("Concat", ["opened.shape", writer.constant("side", np.array([14, 14]))], "sizes", axis=0)
    attributes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    writer.node("Resize", [gate, "", "", "sizes"], "resized", **attributes)
    writer.node("Mul", [x, writer.quantize("resized", 0.0, 255 / 256)], "gated")
    x = writer.quantize("gated", *grid)
    x = writer.convolution("pool", x, (10, 1, 14, 14), grid, groups=10, scale_in=step)
    writer.node("Flatten", [x], "embeddings", axis=1)
    return write_graph(writer.nodes, writer.constants)


@pytest.fixture
def second_version():
    """Operators of the second version, and their constants, of one number and of one for each channel.

    Faces of 28 x 28 are halved, widened again by bilinear sampling and gated; the result is `clipped`.
    """
    nodes = (
        helper.make_node("AveragePool", ["faces"], ["small"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Sigmoid", ["small"], ["gate"]),
        helper.make_node("Resize", ["gate", "", "", "sizes"], ["wide"], mode="linear"),
        helper.make_node("Mul", ["faces", "wide"], ["gated"]),
        helper.make_node("Add", ["offsets", "gated"], ["moved"]),
        helper.make_node("Mul", ["moved", "half"], ["halved"]),
        helper.make_node("Max", ["halved", "gated"], ["larger"]),
        helper.make_node("Min", ["larger", "moved"], ["between"]),
        helper.make_node("Relu", ["moved"], ["positive"]),
        helper.make_node("Concat", ["between", "positive"], ["both"], axis=1),
        helper.make_node("Clip", ["both", "low", "high"], ["clipped"]),
    )
    constants = {
        "sizes": np.array([1, 3, 28, 28]),
        "offsets": np.array([0.5, -0.25, 0.125], np.float32).reshape(1, 3, 1, 1),
        "half": np.float32(0.5),
        "low": np.float32(-0.5),
        "high": np.float32(0.75),
    }
    return nodes, constants
