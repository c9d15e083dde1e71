"""What is refused of an ONNX file before any runtime sees it: small models, each with one thing wrong."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.checks.onnx_form import check
from ghostface_edge.targets.onnx_file import read_onnx


def model_of(*nodes: onnx.NodeProto, batch: object = "batch", opset: int = 18, **constants: object) -> ModelProto:
    """A chain of operators between `faces` (batch, 3, 112, 112) and `out`."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, [batch, 3, 112, 112])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [None] * 4)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    domains = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=domains, ir_version=10)


def node(kind: str, inputs: str, output: str = "out", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, [name if name != "-" else "" for name in inputs.split()], [output], **attributes)


def conv() -> ModelProto:
    weight = np.ones((4, 3, 3, 3), np.float32)
    return model_of(node("Conv", "faces weight", "map"), node("Relu", "map"), weight=weight)


def judged(tmp_path: Path, model: ModelProto) -> None:
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    check(tmp_path / "model.onnx")


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


@pytest.mark.parametrize("batch", ["batch", 1, 32])
def test_a_small_network_passes(tmp_path: Path, batch: object) -> None:
    model = conv()
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("faces", TensorProto.FLOAT, [batch, 3, 112, 112]))
    judged(tmp_path, model)


def test_computed_shapes_are_followed(tmp_path: Path) -> None:
    """Zeros of a Pad from ConstantOfShape, as PyTorch writes them, and a size from Shape."""
    pads = [
        node("ConstantOfShape", "four", "zeros", value=helper.make_tensor("v", TensorProto.INT64, [1], [0])),
        node("Concat", "pads zeros", "all", axis=0),
        node("Reshape", "all pairs", "table"),
        node("Transpose", "table", "turned", perm=[1, 0]),
        node("Reshape", "turned flat", "amounts"),
        node("Pad", "faces amounts", "padded"),
        node("Shape", "faces", "shape"),
        node("Slice", "shape start stop", "sides"),
        node("Resize", "padded - - whole", "resized"),
        node("Concat", "front sides", "whole", axis=0),
    ]
    order = [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]
    model = model_of(
        *(pads[index] for index in order), node("Relu", "resized"), front=ints(1, 3), four=ints(4),
        pads=ints(0, 0, 0, 0), pairs=ints(-1, 2), flat=ints(-1), start=ints(2), stop=ints(4), batch=1,
    )  # fmt: skip
    judged(tmp_path, model)


BOMBS = {
    "ConstantOfShape": lambda: model_of(node("ConstantOfShape", "size"), size=ints(1 << 16, 1 << 16)),
    "Expand": lambda: model_of(node("Expand", "one size"), one=np.float32(0), size=ints(1 << 20, 1 << 12)),
    "Tile": lambda: model_of(node("Tile", "faces size"), size=ints(1, 1, 1 << 12, 1 << 12)),
    "Pad": lambda: model_of(node("Pad", "faces size"), size=ints(0, 0, 1 << 16, 1 << 16, 0, 0, 0, 0)),
    "Resize": lambda: model_of(node("Resize", "faces - - size"), size=ints(1, 3, 1 << 16, 1 << 16)),
    "Resize by scales": lambda: model_of(
        node("Resize", "faces - scales"), scales=np.array([1, 1, 1e4, 1e4], np.float32)
    ),
    "Conv that pads": lambda: model_of(node("Conv", "faces w", pads=[1 << 15] * 4), w=np.ones((1, 3, 1, 1), "f4")),
    "ConvTranspose": lambda: model_of(
        node("ConvTranspose", "faces w", strides=[1000, 1000]), w=np.ones((3, 1, 1, 1), np.float32)
    ),
    "broadcast": lambda: model_of(
        node("Add", "a b"), a=np.zeros((1 << 14, 1), np.float32), b=np.zeros((1, 1 << 14), np.float32)
    ),
    "concat of itself": lambda: model_of(
        node("Identity", "faces", "x0"),
        *(node("Concat", f"x{i} x{i}", f"x{i + 1}", axis=1) for i in range(40)),
        node("Relu", "x40"),
    ),
    "many": lambda: model_of(*(node("Relu", "faces", f"x{i}") for i in range(2000)), node("Relu", "faces"), batch=32),
    "batch": lambda: model_of(node("Relu", "faces"), batch=1_000_000),
    "batch folded away": lambda: model_of(node("Flatten", "faces", axis=0), batch=1 << 40),
    "OneHot": lambda: model_of(
        node("OneHot", "which depth values"),
        which=np.zeros(1 << 16, np.int64), depth=ints(1 << 16), values=np.zeros(2, np.float32),
    ),
    "Range": lambda: model_of(node("Range", "a b c"), a=np.int64(0), b=np.int64(1 << 40), c=np.int64(1)),
    "EyeLike": lambda: model_of(node("MatMul", "a b"), a=np.zeros((1 << 14, 1), "f4"), b=np.zeros((1, 1 << 14), "f4")),
    "Gather": lambda: model_of(
        node("Gather", "faces which", "wide", axis=1), node("Gather", "wide which", axis=2),
        which=np.zeros(1 << 12, np.int64),
    ),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_tensors_beyond_all_measure_are_refused(tmp_path: Path, bomb: str) -> None:
    with pytest.raises(InputError, match=r"computes '|cannot be told|do not fit|takes 'faces' of"):
        judged(tmp_path, BOMBS[bomb]())


@pytest.mark.parametrize(
    ("kind", "shape", "said"),
    [
        (TensorProto.STRING, ["batch", 3, 112, 112], "of type 8, images are float32 or bytes"),
        (99, ["batch", 3, 112, 112], "of type 99, images are"),
        (TensorProto.FLOAT, [33, 3, 112, 112], r"of \[33, 3, 112, 112\]"),
        (TensorProto.FLOAT, ["batch", 112, 112, 4], r"of \['any', 112, 112, 4\], which are no RGB images"),
        (TensorProto.FLOAT, ["batch", 1, 112, 112], r"of \['any', 1, 112, 112\], which are no RGB images"),
        (TensorProto.FLOAT, ["batch", 3, -112, 112], r"of \['any', 3, -112, 112\]"),
        (TensorProto.FLOAT, ["batch", 3], "no batch of images"),
    ],
)
def test_other_inputs_than_images_are_refused(tmp_path: Path, kind: int, shape: list[object], said: str) -> None:
    model = conv()
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("faces", kind, shape))
    with pytest.raises(InputError, match=said):
        judged(tmp_path, model)


def test_outputs_of_unknown_numbers_are_refused(tmp_path: Path) -> None:
    model = conv()
    model.graph.output[0].type.tensor_type.elem_type = 99
    with pytest.raises(InputError, match="calls 'out' numbers of type 99"):
        judged(tmp_path, model)


def integers(kind: str, inputs: str, **attributes: object) -> Callable[[], ModelProto]:
    scale, zero = np.float32(0.1), np.uint8(0)
    return lambda: model_of(
        node("QuantizeLinear", "faces s z", "x"), node(kind, inputs, domain="com.microsoft", **attributes),
        s=scale, z=zero, w=np.ones((2, 112, 1, 1), np.int8), ws=np.float32(1), wz=np.int8(0),
    )  # fmt: skip


@pytest.mark.parametrize(
    "model",
    [
        integers("QLinearAdd", "x s z x s z s z"),
        integers("QLinearMul", "x s z x s z s z"),
        integers("QLinearSigmoid", "x s z s z"),
        integers("QLinearConcat", "s z x s z x s z", axis=1),
        integers("QLinearGlobalAveragePool", "x s z s z", channels_last=1),
        integers("QLinearAveragePool", "x s z s z", channels_last=1, kernel_shape=[2, 2], strides=[2, 2]),
        integers("QLinearConv", "x s z w ws wz s z", channels_last=1),
    ],
)
def test_integer_operators_of_onnx_runtime_are_known(tmp_path: Path, model: Callable[[], ModelProto]) -> None:
    judged(tmp_path, model())


def test_integer_operators_are_measured(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="computes 'out'"):
        judged(tmp_path, integers("QLinearConcat", "s z " + "x s z " * 120, axis=1)())
    with pytest.raises(InputError, match="is a BeamSearch of"):
        judged(tmp_path, integers("BeamSearch", "x s z")())


SEGMENT = TensorProto.Segment(begin=0, end=4)


def subgraph() -> onnx.GraphProto:
    return helper.make_graph([], "body", [], [])


def change(model: ModelProto, what: Callable[[ModelProto], object]) -> ModelProto:
    what(model)
    return model


def outside(model: ModelProto, location: str = "weights.bin") -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def set_raw(data: bytes) -> Callable[[ModelProto], object]:
    return lambda model: setattr(model.graph.initializer[0], "raw_data", data)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: model_of(node("Loop", "- -", body=subgraph())), "with a graph inside"),
        (lambda: model_of(node("If", "c", then_branch=subgraph(), else_branch=subgraph()), c=True), "a graph inside"),
        (lambda: model_of(node("Scan", "faces", body=subgraph(), num_scan_inputs=1)), "with a graph inside"),
        (lambda: model_of(node("Relu", "faces", body=subgraph())), "with a graph inside"),
        (lambda: model_of(node("SequenceConstruct", "faces")), "which no face network has"),
        (lambda: model_of(node("SplitToSequence", "faces")), "which no face network has"),
        (lambda: model_of(node("RandomNormal", "", shape=[2, 2])), "which no face network has"),
        (lambda: model_of(node("NonZero", "faces")), "which no face network has"),
        (lambda: model_of(node("Relu", "faces", domain="ai.custom")), "operators are not known"),
        (lambda: change(conv(), lambda m: m.functions.add()), "functions"),
        (lambda: change(conv(), lambda m: m.training_info.add()), "training"),
        (lambda: change(conv(), lambda m: m.graph.sparse_initializer.add()), "sparse"),
        (lambda: change(conv(), lambda m: setattr(m, "ir_version", 99)), "version 99"),
        (lambda: change(conv(), lambda m: setattr(m.opset_import[0], "version", 999)), "version 999"),
        (lambda: change(conv(), lambda m: setattr(m.opset_import[0], "version", -1)), "version -1"),
        (lambda: change(conv(), lambda m: m.ClearField("opset_import")), "operators are not known"),
        (lambda: model_of(node("Relu", "b", "a"), node("Relu", "a", "b"), node("Relu", "b")), "reads 'b', which"),
        (lambda: model_of(node("Relu", "nowhere")), "reads 'nowhere'"),
        (lambda: model_of(node("Relu", "faces"), node("Relu", "faces")), "'out' is written twice"),
        (lambda: model_of(node("Relu", "faces", "other")), "gives 'out', which nothing writes"),
        (lambda: change(conv(), lambda m: m.graph.initializer.append(m.graph.initializer[0])), "'weight' twice"),
        (lambda: change(conv(), lambda m: m.graph.input.append(m.graph.output[0])), "takes 2 inputs|written twice"),
        (lambda: change(conv(), lambda m: m.graph.ClearField("input")), "takes 0 inputs"),
        (lambda: change(conv(), lambda m: m.graph.ClearField("output")), "gives 0 outputs"),
        (lambda: change(conv(), outside), "keeps 'weight' in another file"),
        (lambda: change(conv(), lambda m: outside(m, "/etc/passwd")), "keeps 'weight' in another file"),
        (lambda: change(conv(), set_raw(bytes(8))), "of shape \\[4, 3, 3, 3\\] holds 8 bytes"),
        (lambda: change(conv(), set_raw(np.full(108, np.nan, np.float32).tobytes())), "holds 108 NaN"),
        (lambda: change(conv(), lambda m: m.graph.initializer[0].dims.__setitem__(0, -4)), "has the shape"),
        (lambda: change(conv(), lambda m: m.graph.initializer[0].dims.__setitem__(0, 1 << 60)), "holds 432 bytes"),
        (lambda: change(conv(), lambda m: m.graph.initializer[0].segment.CopyFrom(SEGMENT)), "is one part of several"),
        (lambda: change(conv(), lambda m: setattr(m.graph.initializer[0], "data_type", 8)), "is of type 8"),
        (lambda: change(conv(), lambda m: setattr(m.graph.initializer[0], "data_type", 77)), "is of type 77"),
        (lambda: change(conv(), lambda m: m.graph.node[0].attribute.add(name="strides", i=1, type=2)), "readable"),
        (lambda: change(conv(), lambda m: m.graph.node[0].attribute.add(name="unknown", i=1, type=2)), "readable"),
        (lambda: change(conv(), lambda m: m.graph.node[0].ClearField("input")), r"not a readable|do not fit"),
        (lambda: model_of(node("Add", "faces w"), w=np.ones(5, np.float32)), "do not fit"),
        (lambda: model_of(*(node("Relu", "faces", f"x{i}") for i in range(20_001))), "operators, more than 20,000"),
    ],
)  # fmt: skip
def test_other_models_are_refused(tmp_path: Path, model: Callable[[], ModelProto], message: str) -> None:
    with pytest.raises(InputError, match=message):
        judged(tmp_path, model())


def test_a_kind_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(conv().SerializeToString().replace(b"Relu", b"Rel\xe1"))
    with pytest.raises(InputError):
        check(path)


def test_constants_of_operators_are_looked_at_too(tmp_path: Path) -> None:
    value = helper.make_tensor("v", TensorProto.FLOAT, [2], [0.0, float("nan")])
    with pytest.raises(InputError, match="holds 1 NaN"):
        judged(tmp_path, model_of(node("Constant", "", "c", value=value), node("Mul", "c c")))
    value.data_location = TensorProto.EXTERNAL
    with pytest.raises(InputError, match="in another file"):
        judged(tmp_path, model_of(node("Constant", "", "c", value=value), node("Mul", "c c")))


def test_cut_and_changed_files_are_refused_or_read(tmp_path: Path) -> None:
    whole, path = conv().SerializeToString(), tmp_path / "model.onnx"
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        with contextlib.suppress(InputError):
            check(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="no graph"):
        read_onnx(path)
