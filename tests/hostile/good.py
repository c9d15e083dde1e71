"""Good files of every kind that the tool reads: what hostile ones are made from and stand beside.

Small, made on the spot, equal from run to run. Heavy libraries are imported by the functions that need them.
"""

import functools
import hashlib
import io
import json
import struct
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

PEOPLE = ("Ann_Lee", "Bob_Ray", "Cy_Fox", "Di_Poe")
COLUMNS = "image," + ",".join(
    f"{point}_{axis}" for point in ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right") for axis in "xy"
)
LANDMARKS = (38.3, 51.7, 73.5, 51.5, 56.0, 71.7, 41.5, 92.4, 70.7, 92.2)
RECORD_MAGIC = 0xCED7230A


@functools.cache
def image(seed: int = 0, side: int = 112, suffix: str = ".png") -> bytes:
    """An encoded RGB picture; one of 112x112 pixels counts as an aligned face."""
    import cv2

    coarse = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), np.uint8)
    return bytes(cv2.imencode(suffix, cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR))[1])


def photographs() -> dict[str, bytes]:
    """`NAME/NAME_0001.png` and `_0002` of four people."""
    return {
        f"{name}/{name}_{number:04d}.png": image(2 * who + number)
        for who, name in enumerate(PEOPLE)
        for number in (1, 2)
    }


def landmarks() -> bytes:
    """The CSV of those photographs."""
    rows = [f"{name},{','.join(map(str, LANDMARKS))}" for name in photographs()]
    return "\n".join([COLUMNS, *rows, ""]).encode()


def people() -> bytes:
    """Attributes of those people."""
    return "\n".join(["person,sex,region", *(f"{name},f,north" for name in PEOPLE), ""]).encode()


def pairs() -> bytes:
    """A pair list of those photographs: five folds, each of a pair of one person and one of two."""
    lines = ["5\t1"]
    for fold in range(5):
        person, other = (PEOPLE[(fold + step) % len(PEOPLE)] for step in (0, 1))
        lines += [f"{person}\t1\t2", f"{person}\t1\t{other}\t1"]
    return "\n".join([*lines, ""]).encode()


def bin_of(images: object, labels: object, protocol: int = 4) -> bytes:
    """A `.bin` of whatever is given."""
    import pickle

    return pickle.dumps((images, labels), protocol)


def faces_bin(count: int = 10) -> bytes:
    """A `.bin` of that many pairs."""
    return bin_of([image(number) for number in range(2 * count)], [number % 2 == 0 for number in range(count)])


def archive(members: dict[str, bytes] | None = None, mode: str = "w:gz") -> bytes:
    """A tar of photographs below `lfw/`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, data in (photographs() if members is None else members).items():
            entry = tarfile.TarInfo(f"lfw/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def record(payload: bytes, *labels: float) -> bytes:
    """One RecordIO record."""
    flag = 0 if len(labels) == 1 else len(labels)
    body = struct.pack("<IfQQ", flag, 0.0 if flag else labels[0], 0, 0)
    body += (struct.pack(f"<{flag}f", *labels) if flag else b"") + payload
    return struct.pack("<II", RECORD_MAGIC, len(body)) + body + bytes(-len(body) % 4)


def records() -> tuple[bytes, bytes]:
    """`train.rec` and `train.idx` of four pictures of two people."""
    parts = {0: record(b"", 5.0, 7.0)}
    parts |= {key: record(image(key), float((key - 1) // 2)) for key in range(1, 5)}
    parts |= {5: record(b"", 1.0, 3.0), 6: record(b"", 3.0, 5.0)}
    offset, lines = 0, []
    for key, data in parts.items():
        lines.append(f"{key}\t{offset}\n")
        offset += len(data)
    return b"".join(parts.values()), "".join(lines).encode()


def recipe() -> bytes:
    """A recipe that needs seconds."""
    return b"name: short\nranges: {method: min-max, faces: 16}\ncorrection: {biases: false, faces: 16}\nsensitivity_faces: 0\n"


def policy() -> bytes:
    """The built-in policy."""
    from ghostface_edge.reports.policy import DEFAULT_FILE

    return DEFAULT_FILE.read_bytes()


@functools.cache
def report() -> dict[str, object]:
    """A consistent report of three variants, as report.json has it; its gate passes."""
    return json.loads(_report().to_json())


def report_json() -> bytes:
    """The same as a file."""
    return json.dumps(report(), indent=1).encode()


@functools.cache
def _report():
    from ..reports.conftest import make_faces, make_report, make_variant

    faces = make_faces(2_000)
    named = {"onnxruntime-fp32": (0.0, 3_200_000, 1.0), "onnxruntime-int8": (0.02, 1_000_000, 0.8)}
    variants = [make_variant(faces, name, *figures) for name, figures in named.items()]
    variants = [
        variant.model_copy(
            update={
                "artifact": variant.artifact.model_copy(
                    update={"sha256": hashlib.sha256(model(variant.id)).hexdigest(), "bytes": len(model(variant.id))}
                ),
                "files": {variant.artifact.path: hashlib.sha256(model(variant.id)).hexdigest()},
            }
        )
        for variant in variants
    ]
    made = make_report(faces, variants)
    return made.model_copy(
        update={"model": made.model.model_copy(update={"parameters": 300})}
    )  # as the models are small


def model(variant: str) -> bytes:
    """The file that stands for a variant's model in `run_folder`."""
    return variant.encode() * (96 if variant.endswith("fp32") else 32)


def run_folder(folder: Path) -> None:
    """What a run leaves behind, as far as `bundle` packs it."""
    from ghostface_edge.reports.renderings import junit, markdown

    from ..pipeline.release.forging import statement_of

    (folder / "models").mkdir(parents=True)
    for variant in _report().variants:
        (folder / variant.artifact.path).write_bytes(model(variant.id))
    (folder / "report.json").write_text(_report().to_json())
    (folder / "provenance.json").write_text(statement_of(_report()).to_json())
    (folder / "report.html").write_text("<!doctype html><title>report</title>")
    (folder / "report.md").write_text(markdown.render(_report()))
    (folder / "junit.xml").write_text(junit.render(_report()))


@functools.cache
def bundle() -> bytes:
    """A bundle of that folder."""
    from ghostface_edge.pipeline.release.bundle import write_bundle

    with tempfile.TemporaryDirectory() as folder:
        run_folder(Path(folder) / "run")
        write_bundle(Path(folder) / "run", Path(folder) / "bundle.zip")
        return (Path(folder) / "bundle.zip").read_bytes()


@functools.cache
def checkpoint():
    """The smallest member of the family, with seeded weights."""
    from ghostface_edge.pipeline.bench.models import seeded
    from ghostface_edge.pipeline.network.architecture import Architecture

    return seeded(Architecture(0.2, embedding_size=64))


def _written(name: str, write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


@functools.cache
def safetensors() -> bytes:
    """That network as `.safetensors`."""
    from ghostface_edge.pipeline.checkpoints.weights_file import write_safetensors

    return _written("net.safetensors", functools.partial(write_safetensors, checkpoint()))


@functools.cache
def torch_file() -> bytes:
    """As `.pt`."""
    from ghostface_edge.pipeline.checkpoints.weights_file import write_torch

    return _written("net.pt", functools.partial(write_torch, checkpoint()))


@functools.cache
def keras_file() -> bytes:
    """As Keras 2 writes it."""
    from ..pipeline.checkpoints.keras_writer import KerasFile

    return _written("net.h5", KerasFile(checkpoint()).write)


@functools.cache
def onnx_model() -> bytes:
    """As float32 ONNX with a dynamic batch."""
    from ghostface_edge.pipeline.graph.export import export_onnx

    faces = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    return _written("net.onnx", lambda path: export_onnx(checkpoint(), path, faces=faces))


def _converted(runtime: str, ending: str) -> bytes:
    from ghostface_edge.targets.protocol import Precision
    from ghostface_edge.targets.table import load_target

    with tempfile.TemporaryDirectory() as folder:
        source, artifact = Path(folder) / "net.onnx", Path(folder) / f"net{load_target(runtime).extension}"
        source.write_bytes(onnx_model())
        load_target(runtime).convert(source, Precision.FP32, artifact)
        return artifact.with_suffix(ending).read_bytes()


@functools.cache
def tflite_model() -> bytes:
    """As `.tflite`."""
    return _converted("tflite", ".tflite")


@functools.cache
def ir_model() -> tuple[bytes, bytes]:
    """As OpenVINO's `.xml` and `.bin`."""
    return _converted("openvino", ".xml"), _converted("openvino", ".bin")


@functools.cache
def tiny_onnx(*, quantized: bool = False) -> bytes:
    """A convolution, its activation and a pool, in a few hundred bytes; between QDQ pairs if asked."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "weight": np.linspace(-1, 1, 108, dtype=np.float32).reshape(4, 3, 3, 3),
        "bias": np.ones(4, np.float32),
    }
    nodes, source, weight = [], "faces", "weight"
    if quantized:
        constants |= {
            "weight": np.arange(-54, 54, dtype=np.int8).reshape(4, 3, 3, 3),
            "weight.scale": np.full(4, 0.01, np.float32),
            "weight.zero": np.zeros(4, np.int8),
            "scale": np.float32(1 / 128),
            "zero": np.int8(0),
        }
        nodes += [
            helper.make_node("QuantizeLinear", ["faces", "scale", "zero"], ["faces.q"]),
            helper.make_node("DequantizeLinear", ["faces.q", "scale", "zero"], ["faces.dq"]),
            helper.make_node("DequantizeLinear", ["weight", "weight.scale", "weight.zero"], ["weight.dq"], axis=0),
        ]
        source, weight = "faces.dq", "weight.dq"
    nodes += [
        helper.make_node("Conv", [source, weight, "bias"], ["map"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["map"], ["active"]),
        helper.make_node("GlobalAveragePool", ["active"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embeddings"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return made.SerializeToString(deterministic=True)


@functools.cache
def tiny_tflite() -> bytes:
    """An average over the picture, in a few hundred bytes."""
    from ghostface_edge.targets.tflite.flatbuffer import serialize
    from ghostface_edge.targets.tflite.subgraph import Subgraph

    graph = Subgraph(batch_is_dynamic=False)
    faces, axes = (
        graph.activation("faces", (1, 8, 8, 3), np.float32),
        graph.constant("axes", np.array([1, 2], np.int32)),
    )
    embeddings = graph.activation("embeddings", (1, 3), np.float32)
    graph.operator("MEAN", (faces, axes), embeddings, "ReducerOptions", keepDims=False)
    graph.inputs, graph.outputs = [faces], [embeddings]
    return serialize(graph)


def cfp() -> dict[str, bytes]:
    """A folder of CFP: six people, frontal and profile, in two splits of three pairs of one person and three of two."""
    files = {}
    for number in range(1, 7):
        for pose, seed in (("frontal", 40), ("profile", 60)):
            files[f"Data/Images/{number:03d}/{pose}/01.jpg"] = image(seed + number, suffix=".jpg")
    for letter, pose in (("F", "frontal"), ("P", "profile")):
        lines = [f"{number} ../Data/Images/{number:03d}/{pose}/01.jpg" for number in range(1, 7)]
        files[f"Protocol/Pair_list_{letter}.txt"] = "\n".join([*lines, ""]).encode()
    for split, people in (("01", (1, 2, 3)), ("02", (4, 5, 6))):
        for label, step in (("same", 0), ("diff", 1)):
            lines = [b"%d,%d\n" % (one, (one + step - 1) % 6 + 1) for one in people]
            files[f"Protocol/Split/FP/{split}/{label}.txt"] = b"".join(lines)
    return files


@functools.cache
def detector() -> bytes:
    """A network with YuNet's inputs and outputs, to which every square of 32 pixels shows a face."""
    from onnx import TensorProto, helper, numpy_helper

    face = np.array([[-0.3, -0.3], [0.3, -0.3], [0.0, 0.0], [-0.25, 0.3], [0.25, 0.3]], np.float32).ravel() * 4
    nodes, constants, outputs = [], {}, []
    for stride in (8, 16, 32):
        found = float(stride == 32)
        says = {"cls": [found], "obj": [found], "bbox": [0.0, 0.0, np.log(4), np.log(4)], "kps": face}
        for kind, values in says.items():
            name = f"{kind}_{stride}"
            constants[f"{name}.weight"] = np.zeros((len(values), 3, 1, 1), np.float32)
            constants[f"{name}.bias"] = np.asarray(values, np.float32)
            constants[f"{name}.shape"] = np.array([1, -1, len(values)], np.int64)
            nodes += [
                helper.make_node(
                    "Conv", ["input", f"{name}.weight", f"{name}.bias"], [f"{name}.map"], strides=[stride, stride]
                ),
                helper.make_node("Transpose", [f"{name}.map"], [f"{name}.last"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}.last", f"{name}.shape"], [name]),
            ]
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "n", len(values)]))
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "h", "w"])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return made.SerializeToString(deterministic=True)


@functools.cache
def film() -> bytes:
    """Three frames as MPEG-4."""
    import cv2

    def write(path: Path) -> None:
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (112, 112))
        for number in range(3):
            writer.write(cv2.imdecode(np.frombuffer(image(number), np.uint8), cv2.IMREAD_COLOR))
        writer.release()

    return _written("film.mp4", write)


@functools.cache
def ncnn_model() -> tuple[bytes, bytes]:
    """The small quantized network as ncnn's `.param` and `.bin`."""
    from ghostface_edge.targets.ncnn.lowering import lower

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "tiny.onnx"
        source.write_bytes(tiny_onnx(quantized=True))
        lower(source).write(source.with_suffix(".param"))
        return source.with_suffix(".param").read_bytes(), source.with_suffix(".bin").read_bytes()


def sophgo_program() -> bytes:
    """The program that lies beside a `.cvimodel`; its weights are called `net.npz`."""
    from ..targets.sophgo.mlir import PROGRAM

    return PROGRAM.encode()


def sophgo_weights() -> bytes:
    """Those weights."""
    from ..targets.sophgo.mlir import weights

    return weights()


RKNN = b"RKNN" * 100
"""What stands for a chip's file."""


@functools.cache
def rknn_model() -> bytes:
    """The ONNX model that lies beside it."""
    from ghostface_edge.targets.rknn.model import as_built, write

    from ..targets.rknn.compiler import SAID

    with tempfile.TemporaryDirectory() as folder:
        source, artifact = Path(folder) / "tiny.onnx", Path(folder) / "net.rknn"
        source.write_bytes(tiny_onnx(quantized=True))
        artifact.write_bytes(RKNN)
        write(*as_built(source, "rk3588"), SAID, artifact)
        return artifact.with_suffix(".onnx").read_bytes()


def executorch_program() -> bytes:
    """A `.pte` of one convolution."""
    from ..targets.executorch.pte import small_program

    return small_program()
