"""Tiny ONNX graphs, and what ONNX Runtime and LiteRT make of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.generic]
_RNG = np.random.default_rng(11)
WriteOnnx = Callable[..., Path]


@pytest.fixture
def write_onnx(tmp_path: Path) -> WriteOnnx:
    """Save nodes as an ONNX file: input `x` (batch, *shape), output `y`."""

    def write(
        nodes: Sequence[onnx.NodeProto],
        constants: Mapping[str, Array],
        shape: Sequence[int],
        *,
        batch: int | str = "batch",
        output_rank: int = 4,
    ) -> Path:
        graph = helper.make_graph(
            nodes,
            "tiny",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, *["d"] * (output_rank - 1)])],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        path = tmp_path / f"tiny{len(list(tmp_path.iterdir()))}.onnx"
        onnx.save(model, path)
        return path

    return write


@pytest.fixture
def run_onnx() -> Callable[[Path, NDArray[np.float32]], NDArray[np.float32]]:
    """Run an ONNX file on an NCHW input."""

    def run(model: Path, x: NDArray[np.float32]) -> NDArray[np.float32]:
        import onnxruntime

        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, {"x": x})[0])

    return run


@pytest.fixture
def run_tflite() -> Callable[..., Array]:
    """Run `.tflite` bytes on an NHWC input in LiteRT, with or without XNNPACK."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is not installed")

    def run(model: bytes, x: Array, *, reference_kernels: bool = False) -> Array:
        resolvers = interpreter.OpResolverType
        resolver = resolvers.BUILTIN_REF if reference_kernels else resolvers.AUTO
        runner = interpreter.Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=resolver)
        entry = runner.get_input_details()[0]["index"]
        runner.resize_tensor_input(entry, x.shape)
        runner.allocate_tensors()
        runner.set_tensor(entry, x)
        runner.invoke()
        return np.asarray(runner.get_tensor(runner.get_output_details()[0]["index"]))

    return run


class QdqWriter:
    """Writes a QDQ graph node by node, as pipeline's quantization does."""

    def __init__(self):
        self.nodes, self.constants = [], {}
        self.scales = {}

    def constant(self, name, value):
        self.constants[name] = np.asarray(value)
        return name

    def pair(self, tensor, scale, zero_point=0):
        self.scales[tensor] = scale
        parameters = [
            self.constant(f"{tensor}.s{len(self.nodes)}", np.float32(scale)),
            self.constant(f"{tensor}.z{len(self.nodes)}", np.int8(zero_point)),
        ]
        integers, real = f"{tensor}.q{len(self.nodes)}", f"{tensor}.dq{len(self.nodes)}"
        self.nodes.append(helper.make_node("QuantizeLinear", [tensor, *parameters], [integers]))
        self.nodes.append(helper.make_node("DequantizeLinear", [integers, *parameters], [real]))
        self.scales[real] = scale
        return real

    def integers(self, name, values, scale, axis=None):
        inputs = [
            self.constant(f"{name}.q", values),
            self.constant(f"{name}.s", np.float32(scale)),
            self.constant(f"{name}.z", np.zeros(np.shape(scale), values.dtype)),
        ]
        attributes = {} if axis is None else {"axis": axis}
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [name], **attributes))
        return name

    def start(self):
        shift = self.constant("half", np.float32(-0.5 / 128))
        self.nodes.append(helper.make_node("Add", ["x", shift], ["shifted"]))
        return self.pair("shifted", 1 / 128, 0)

    def conv(self, x, name, shape, scale, zero_point=0, **attributes):
        weight_scales = np.float32(_RNG.uniform(0.002, 0.01, shape[0]))
        weights = _RNG.integers(-127, 128, shape).astype(np.int8)
        bias_scales = np.float32(self.scales[x]) * weight_scales
        bias = np.rint(_RNG.normal(size=shape[0]) / bias_scales).astype(np.int32)
        w = self.integers(f"{name}.w", weights, weight_scales, 0)
        b = self.integers(f"{name}.b", bias, bias_scales, 0)
        self.nodes.append(helper.make_node("Conv", [x, w, b], [name], name=name, **attributes))
        return self.pair(name, scale, zero_point)

    def prelu(self, x, name, slopes, scale, zero_point=0):
        steepest = np.abs(slopes).max() / 127
        s = self.integers(f"{name}.slope", np.rint(slopes / steepest).astype(np.int8).reshape(-1, 1, 1), steepest)
        return self.node("PRelu", [x, s], name, scale, zero_point)

    def node(self, op, inputs, name, scale, zero_point=0, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return self.pair(name, scale, zero_point)

    def save(self, path, last, *, rank=2, channels=3):
        if rank == 2:
            self.nodes.append(helper.make_node("Flatten", [last], ["y"], axis=1))
            last = "y"
        graph = helper.make_graph(
            self.nodes,
            "qdq",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", channels, 16, 16])],
            [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["batch", "d", "h", "w"][:rank])],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
        return path


def _network(*, steepest=1.0, concat_scales=(0.05, 0.05)):
    """Stem, ghost module, squeeze-and-excite, shortcut, head: every operator of GhostFaceNetV1, small."""
    c = QdqWriter()
    stem = c.conv(c.start(), "stem", (8, 3, 3, 3), 0.04, -3, pads=[0, 0, 1, 1], strides=[2, 2])
    a = c.prelu(stem, "stem.act", np.linspace(-1, steepest, 8), 0.045, -20)
    p = c.conv(a, "primary", (4, 8, 1, 1), concat_scales[0], 5)
    d = c.conv(p, "cheap", (4, 1, 3, 3), concat_scales[1], 5, pads=[1, 1, 1, 1], group=4)
    cat = c.node("Concat", [p, d], "cat", 0.05, 5, axis=1)
    pool = c.node("GlobalAveragePool", [cat], "pool", 0.03, 0)
    gate = c.conv(pool, "gate", (8, 8, 1, 1), 1 / 255, -128)
    scaled = c.node("Mul", [cat, gate], "scaled", 0.045, 4)
    total = c.node("Add", [scaled, a], "total", 0.07, -8)
    head = c.conv(total, "head", (8, 1, 8, 8), 0.1, 0, group=8)
    return c, c.conv(head, "embed", (16, 8, 1, 1), 0.1, 0)


@pytest.fixture
def qdq_writer() -> type[QdqWriter]:
    """The writer of QDQ graphs."""
    return QdqWriter


@pytest.fixture
def network() -> Callable[..., tuple[QdqWriter, str]]:
    """The small GhostFaceNet as a QDQ model under construction, and its last tensor."""
    return _network


@pytest.fixture
def qdq_model(tmp_path: Path) -> Path:
    """The small GhostFaceNet as a QDQ file."""
    built, last = _network()
    return built.save(tmp_path / "qdq.onnx", last)
