"""Tiny ONNX graphs, and what ONNX Runtime and LiteRT make of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.generic]
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
        runner.resize_tensor_input(0, x.shape)
        runner.allocate_tensors()
        runner.set_tensor(0, x)
        runner.invoke()
        return np.asarray(runner.get_tensor(runner.get_output_details()[0]["index"]))

    return run
