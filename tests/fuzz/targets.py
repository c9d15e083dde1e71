"""What is fuzzed: a name, the parser, seeds, mutations, and the only errors that it may raise.

A parser that wants a path gets one in memory-backed storage. To add a target, write a function from bytes that calls
the parser the way the tool does, and add a line to `TARGETS`.
"""

import contextlib
import functools
import io
import json
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import Target

from ..hostile import good
from . import mutators

Parse = Callable[[bytes], object]
_MOST_ELEMENTS = 1 << 20
"""Of an array that a described file holds."""


@dataclass(frozen=True, slots=True)
class FuzzTarget:
    """One parser."""

    prepare: Callable[[], Parse]
    """Imports what it needs and gives the parser."""
    seeds: Callable[[], Iterable[bytes]]
    mutate: mutators.Mutator = mutators.bytewise
    words: tuple[str, ...] = ()
    """Pieces that plain mutations insert."""
    max_bytes: int = 16_384


def as_file(name: str, data: bytes) -> Path:
    """The bytes as a file of this name, which the next call overwrites."""
    path = _folder() / name
    path.write_bytes(data)
    return path


@functools.cache
def _folder() -> Path:
    """In TMPDIR, which the driver lays into memory and removes."""
    return Path(tempfile.mkdtemp())


def _bin() -> Parse:
    from ghostface_edge.calibration.bin_file import read_bin

    return lambda data: read_bin(as_file("faces.bin", data))


def _bin_seeds() -> Iterable[bytes]:
    import numpy as np

    small = [b"\xff\xd8\xff", b"\x89PNG", b"", b"x" * 9]
    arrays = [np.frombuffer(one, np.uint8) for one in small]
    for protocol in (0, 2, 4):
        yield good.bin_of(small, [True, False], protocol)
        yield good.bin_of(arrays, np.array([True, False]), protocol)
    yield good.bin_of([np.zeros((112, 112, 3), np.uint8)] * 2, [1])


def _pairs() -> Parse:
    from ghostface_edge.calibration.pairs_file import read_pairs_file

    return lambda data: read_pairs_file(as_file("pairs.txt", data))


def _cfp() -> Parse:
    """The lists of images, after a zero byte the pairs of both splits."""
    from ghostface_edge.calibration.cfp_protocol import read_cfp

    protocol = _folder() / "cfp/Protocol"
    for split in ("01", "02"):
        (protocol / "Split/FP" / split).mkdir(parents=True)
        (protocol / "Split/FP" / split / "diff.txt").write_bytes(b"1,2\n")
        (protocol / "Split/FP" / split / "same.txt").symlink_to(_folder() / "same.txt")
    for letter in "FP":
        (protocol / f"Pair_list_{letter}.txt").symlink_to(_folder() / "images.txt")

    def parse(data: bytes) -> object:
        images, _, pairs = data.partition(b"\0")
        as_file("images.txt", images)
        as_file("same.txt", pairs)
        return read_cfp(_folder() / "cfp")

    return parse


def _landmarks() -> Parse:
    from ghostface_edge.calibration.landmarks import read_landmarks

    return lambda data: read_landmarks(as_file("landmarks.csv", data))


def _people() -> Parse:
    from ghostface_edge.calibration.people_file import read_people

    return lambda data: read_people(as_file("people.csv", data))


def _image() -> Parse:
    from ghostface_edge.calibration.aligned import check_aligned
    from ghostface_edge.calibration.image_file import BadImageError, decode

    def parse(data: bytes) -> None:
        try:
            check_aligned(data, gray=True)
            assert decode(data, gray=True).shape == (112, 112, 3)
        except BadImageError:
            pass

    return parse


def _archive() -> Parse:
    from ghostface_edge.calibration.photos import open_photos

    def parse(data: bytes) -> None:
        photos = open_photos(as_file("photos.tar", data))
        for _ in photos.stream(photos.names()):
            pass

    return parse


def _archive_seeds() -> Iterable[bytes]:
    import tarfile

    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
            for name in ("lfw/A/A_0001.jpg", f"lfw/{'B' * 120}/B_0001.png"):
                entry = tarfile.TarInfo(name)
                entry.size, entry.pax_headers = 5, {"comment": "x"}
                tar.addfile(entry, io.BytesIO(b"bytes"))
        yield buffer.getvalue()


def _records() -> Parse:
    from ghostface_edge.pipeline.train.recordio import RecordFaces

    def parse(data: bytes) -> None:
        index, _, records = data.partition(b"\0")
        as_file("train.rec", records)
        faces = RecordFaces(as_file("train.idx", index).parent)
        for position in range(min(len(faces), 4)):
            faces.load(position, 0)

    return parse


def _recipe() -> Parse:
    from ghostface_edge.pipeline.quantize.options import load_recipe

    return lambda data: load_recipe(str(as_file("recipe.yaml", data)))


def _policy() -> Parse:
    from ghostface_edge.reports.policy import Policy

    return lambda data: Policy.read(as_file("policy.yaml", data))


def _report() -> Parse:
    from ghostface_edge.reports.gate import judge_report
    from ghostface_edge.reports.policy import Policy
    from ghostface_edge.reports.report import Report

    policy = Policy.read()

    def parse(data: bytes) -> None:
        report = Report.read(as_file("report.json", data))
        judge_report(report, policy, baseline=report)

    return parse


def _history() -> Parse:
    from ghostface_edge.reports.history.folder import read_history
    from ghostface_edge.reports.history.history import look_at

    folder = _folder() / "history"
    folder.mkdir(exist_ok=True)

    def parse(data: bytes) -> None:
        as_file("history/run.json", data)
        look_at(read_history(folder))

    return parse


def _kept_run() -> Iterable[bytes]:
    from ..reports.history.made import made_history

    yield made_history(1, 0)[0].to_json().encode()


def _small_report() -> Iterable[bytes]:
    whole = good.report()
    yield json.dumps(whole).encode()
    fp32, int8 = whole["variants"]
    failed = {name: int8[name] for name in ("id", "runtime", "precision", "method")} | {
        "status": "failed",
        "error": "x",
    }
    yield json.dumps(whole | {"variants": [fp32, failed]}).encode()


def _bundle() -> Parse:
    from ghostface_edge.pipeline.release.check import check_bundle

    return lambda data: check_bundle(as_file("bundle.zip", data))


def _fast_networks() -> None:
    """Building networks takes longer than all parsing together: equal ones are built once, and few widths are tried."""
    from ghostface_edge.pipeline.checkpoints import architecture_from_shapes, keras

    for module in (architecture_from_shapes, keras):
        module.GhostFaceNet = functools.lru_cache(64)(module.GhostFaceNet)
    architecture_from_shapes.widths = lambda: [0.2, 0.5]


def _checkpoint(name: str) -> Callable[[], Parse]:
    def prepare() -> Parse:
        import torch

        from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint

        torch.set_num_threads(1)
        _fast_networks()
        return lambda data: load_checkpoint(as_file(name, data))

    return prepare


def _safetensors_seeds() -> Iterable[bytes]:
    from ghostface_edge.pipeline.checkpoints.weights_file import _metadata  # what it declares about itself

    declared = _metadata(good.checkpoint())
    shapes = {"pool.conv.weight": [1, 1, 4, 4], "embed.conv.weight": [2, 1, 1, 1], "stem.activation.weight": [1]}
    header, data = {"__metadata__": declared}, b""
    for name, shape in shapes.items():
        end = len(data) + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), end]}
        data = bytes(end)
    for one in (header, {name: part for name, part in header.items() if name != "__metadata__"}):
        text = json.dumps(one).encode()
        yield len(text).to_bytes(8, "little") + text + data


def _hdf5() -> Parse:
    """The walk over a Keras file that is described in JSON, so that its structure mutates and not HDF5's own bytes."""
    import torch

    from ghostface_edge.pipeline.checkpoints.keras import read_checkpoint  # begins with all that the check does

    torch.set_num_threads(1)
    _fast_networks()

    def parse(data: bytes) -> None:
        try:
            described = json.loads(data)
            arrays = _arrays(json.dumps(described["datasets"]))
            file = _with_attributes(arrays, described["attributes"])
        except Exception:  # no file can be made of it
            return
        read_checkpoint(as_file("net.h5", file))

    return parse


@functools.lru_cache(256)
def _arrays(datasets: str) -> bytes:
    """An HDF5 file in memory: by name a dataset's kind, dtype and shape; most mutations change attributes alone."""
    import h5py
    import numpy as np
    from h5py import h5d, h5p, h5s, h5t

    with _in_memory(None) as file:
        for name, (kind, dtype, shape) in json.loads(datasets).items():
            match kind:
                case "external-link":
                    file[name] = h5py.ExternalLink("net.h5", "/")
                case "soft-link":
                    file[name] = h5py.SoftLink("/")
                case "group":
                    file.create_group(name).attrs["weight_names"] = [str(one).encode() for one in shape]
                case "text":
                    file.create_dataset(name, data=["x"] * len(shape), dtype=h5py.string_dtype())
                case "virtual":
                    layout = h5py.VirtualLayout(tuple(shape), dtype)
                    layout[...] = h5py.VirtualSource("other.h5", "x", tuple(shape))
                    file.create_virtual_dataset(name, layout)
                case "attribute":
                    file.require_group(name).attrs["weight_names"] = np.zeros(shape, dtype)
                case _:
                    if math.prod(shape) > _MOST_ELEMENTS:  # what only takes time to write
                        raise ValueError(shape)
                    settings = h5p.create(h5p.DATASET_CREATE)
                    settings.set_alloc_time(h5d.ALLOC_TIME_EARLY)  # as if it had been written
                    if kind == "chunked":
                        settings.set_chunk(tuple(shape))
                    made = h5d.create(
                        file.id, None, h5t.py_create(np.dtype(dtype)), h5s.create_simple(tuple(shape)), settings
                    )
                    file[name] = h5py.Dataset(made)
        file.flush()
        return bytes(file.id.get_file_image())


def _with_attributes(arrays: bytes, attributes: dict[str, object]) -> bytes:
    with _in_memory(arrays) as file:
        for name, text in attributes.items():
            file.attrs[name] = text if isinstance(text, str) else json.dumps(text)
        file.flush()
        return bytes(file.id.get_file_image())


@contextlib.contextmanager
def _in_memory(image: bytes | None) -> Iterator[Any]:
    """A file that touches no disk."""
    import h5py
    from h5py import h5f, h5p

    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_core(1 << 16, False)
    if image is None:
        opened = h5f.create(b"x", h5f.ACC_TRUNC, fapl=access)
    else:
        access.set_file_image(image)
        opened = h5f.open(b"x", h5f.ACC_RDWR, fapl=access)
    with h5py.File(opened) as file:
        yield file


def _keras_seeds() -> Iterable[bytes]:
    layers = [
        _layer("InputLayer", "input_1", [], batch_input_shape=[None, 112, 112, 3]),
        _layer("Conv2D", "conv2d", ["input_1"], filters=4, kernel_size=[3, 3], strides=[2, 2], padding="same"),
        _layer("BatchNormalization", "batch_normalization", ["conv2d"], epsilon=1e-5),
        _layer("PReLU", "activation", ["batch_normalization"], shared_axes=[1, 2]),
        _layer("Conv2D", "GDC_conv", ["activation"], filters=64, strides=[1, 1], use_bias=False, kernel_size=[1, 1]),
        _layer("BatchNormalization", "pre_embedding", ["GDC_conv"], epsilon=1e-5),
        _layer("Activation", "embedding", ["pre_embedding"], activation="linear"),
    ]
    layers[1]["config"] |= {"use_bias": False, "activation": "linear", "dilation_rate": [1, 1]}
    groups = {
        "conv2d": {"kernel": [3, 3, 3, 4]},
        "batch_normalization": {name: [4] for name in ("gamma", "beta", "moving_mean", "moving_variance")},
        "activation": {"alpha": [1, 1, 4]},
    }
    datasets = {}
    for name, arrays in groups.items():
        datasets[f"model_weights/{name}"] = ["group", "", [f"{name}/{array}:0" for array in arrays]]
        for array, shape in arrays.items():
            datasets[f"model_weights/{name}/{name}/{array}:0"] = ["plain", "<f4", shape]
    config = {"class_name": "Functional", "config": {"layers": layers}}
    yield json.dumps({"attributes": {"model_config": config}, "datasets": datasets}).encode()
    for kind in ("external-link", "soft-link", "virtual", "text", "chunked", "attribute"):
        changed = datasets | {"model_weights/conv2d/conv2d/kernel:0": [kind, "<f4", [3, 3, 3, 4]]}
        yield json.dumps({"attributes": {"model_config": config}, "datasets": changed}).encode()


def _layer(kind: str, name: str, sources: list[str], **config: object) -> dict:
    nodes = [[[source, 0, 0, {}] for source in sources]] if sources else []
    return {"class_name": kind, "config": {"name": name, **config}, "name": name, "inbound_nodes": nodes}


def _judged(name: str, read: Callable[[Path], object]) -> Parse:
    """What the tool does with an artifact: a check, and for what passes the reader."""
    judged = _judged_file(name, read)

    def parse(data: bytes) -> None:
        as_file(name, data)
        judged()

    return parse


def _judged_file(name: str, read: Callable[[Path], object]) -> Callable[[], None]:
    """The same for an artifact that was laid out before."""
    from pkgutil import resolve_name

    from ghostface_edge.targets.judge import ARTIFACT_CHECKS

    path = _folder() / name
    check = resolve_name(ARTIFACT_CHECKS[path.suffix])

    def judge() -> None:
        check(path)
        read(path)

    return judge


def _onnx_file() -> Parse:
    from ghostface_edge.targets import onnx_graph

    return _judged("net.onnx", onnx_graph.inspect)


def _torch_file() -> Parse:
    """The check alone: what passes it goes to PyTorch's own restricted reader."""
    from ghostface_edge.pipeline.checkpoints.formats import CHECKS
    from ghostface_edge.targets.judge import apply

    return lambda data: apply(as_file("net.pt", data), CHECKS[".pt"])


def _torch_seeds() -> Iterable[bytes]:
    import torch

    state = {"stem.conv.weight": torch.ones(2, 3), "norm.bias": torch.zeros(2).half()}
    for content in (state, {"state_dict": state, "epoch": 3, "metadata": {"a": "b"}}):
        buffer = io.BytesIO()
        torch.save(content, buffer)
        yield buffer.getvalue()


def _openvino_ir() -> Parse:
    from ghostface_edge.targets.openvino import OpenvinoTarget

    as_file("net.bin", _tiny_ir()[1])
    return _judged("net.xml", OpenvinoTarget().inspect)


@functools.cache
def _tiny_ir() -> tuple[bytes, bytes]:
    import openvino

    source = as_file("tiny.onnx", good.tiny_onnx())
    openvino.save_model(openvino.convert_model(source), source.with_suffix(".xml"), compress_to_fp16=False)
    return source.with_suffix(".xml").read_bytes(), source.with_suffix(".bin").read_bytes()


def _ncnn() -> Parse:
    """The text, after a zero byte the weights; the good ones if there is none."""
    from ghostface_edge.targets.ncnn import NcnnTarget

    judged, whole = _judged_file("net.param", _described(NcnnTarget())), good.ncnn_model()[1]

    def parse(data: bytes) -> None:
        text, _, weights = data.partition(b"\0")
        as_file("net.param", text)
        as_file("net.bin", weights or whole)
        judged()

    return parse


def _executorch() -> Parse:
    """With the length that the file says of itself made right, by which noise would be refused at once."""
    from ghostface_edge.targets.executorch.target import ExecutorchTarget

    judged = _judged("net.pte", _described(ExecutorchTarget()))

    def parse(data: bytes) -> None:
        base = int.from_bytes(data[24:32], "little")
        if len(data) >= base > 0:
            data = data[:32] + (len(data) - base).to_bytes(8, "little") + data[40:]
        judged(data)

    return parse


def _described(target: Target) -> Callable[[Path], object]:
    """What `inspect` and `localize` read of an artifact."""
    return lambda path: (target.inspect(path), target.tensors(path))


def _sophgo() -> Parse:
    """The program, after a zero byte its weights; the good ones if there is none."""
    from ghostface_edge.targets.sophgo.target import cv181x

    as_file("net.cvimodel", b"CviModel")
    judged, whole = _judged_file("net.cvimodel", _described(cv181x())), good.sophgo_weights()

    def parse(data: bytes) -> None:
        program, _, weights = data.partition(b"\0")
        as_file("net.mlir", program)
        as_file("net.npz", weights or whole)
        judged()

    return parse


def _sophgo_seeds() -> Iterable[bytes]:
    yield good.sophgo_program()
    yield good.sophgo_program() + b"\0" + good.sophgo_weights()


def _rknn() -> Parse:
    """What is said of how a file was built, over the good network."""
    from onnx import ModelProto, helper

    from ghostface_edge.targets.rknn import rk3588

    model = ModelProto.FromString(good.rknn_model())
    key = model.metadata_props[0].key
    artifact = as_file("net.rknn", good.RKNN)  # its network is as good each time: no check of `onnx`

    def parse(data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:  # no protocol buffer takes it
            return
        del model.metadata_props[:]
        helper.set_model_props(model, {key: text})
        as_file("net.onnx", model.SerializeToString())
        rk3588().inspect(artifact)

    return parse


def _rknn_seeds() -> Iterable[bytes]:
    from onnx import ModelProto

    yield ModelProto.FromString(good.rknn_model()).metadata_props[0].value.encode()


def _devices() -> Parse:
    """Names and addresses; nothing is reached."""
    from ghostface_edge.reports.errors import RuntimeMissingError
    from ghostface_edge.targets.devices.table import device_of, read_devices

    def parse(data: bytes) -> None:
        for name, entry in read_devices(as_file("devices.yaml", data)).items():
            with contextlib.suppress(InputError, RuntimeMissingError):
                device_of(name, entry, _folder())

    return parse


def _plan() -> Parse:
    """The axes; what they name are files, which have targets of their own."""
    from ghostface_edge.pipeline.matrix.plan import Plan

    return lambda data: Plan.read(as_file("plan.yaml", data))


def _matrix() -> Parse:
    from ghostface_edge.reports.matrix.record import MatrixReport

    return lambda data: MatrixReport.read(as_file("matrix.json", data))


def _binding() -> Parse:
    """What a shared store says of an outcome, signed or not."""
    from ghostface_edge.pipeline.support.binding import read_binding

    return lambda data: read_binding(data, "embed-0", None)


def _binding_seeds() -> Iterable[bytes]:
    from ghostface_edge.pipeline.support.binding import describe, write_binding

    entries = {"a/embeddings.npy": (128, "0" * 64), "seconds.json": (4, "1" * 64), "empty": (None, None)}
    yield write_binding(describe("embed-0", entries), None)


def _onnx_walk() -> Parse:
    """The walk alone, over graphs whose weights are zeros; what comes before it is the target `onnx`."""
    import logging

    import onnx_ir as ir
    from onnx import ModelProto, helper

    from ghostface_edge.pipeline.checkpoints.onnx_walk import Walk

    network = _short_network()
    logging.getLogger("onnx_ir").setLevel(logging.CRITICAL)

    def parse(data: bytes) -> None:
        try:
            model = ModelProto.FromString(data)
            for tensor in model.graph.initializer:  # which the check before holds to what they declare
                if math.prod(tensor.dims) > _MOST_ELEMENTS:
                    return
                width = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
                tensor.raw_data = bytes(width * math.prod(tensor.dims))
            if not all(node.output for node in model.graph.node):  # nor does a node without a result pass it
                return
            graph = ir.from_proto(model).graph
            entry = graph.inputs[0]
        except Exception:  # the reader before the walk refuses it
            return
        Walk(Path("net.onnx"), network, "").weights(entry)

    return parse


def _short_network():
    """With one block of sixteen, that has everything a block can have: the walk repeats itself from there."""
    from ghostface_edge.pipeline.network.checkpoint import network_of

    network = network_of(good.checkpoint())
    network.blocks = network.blocks[3:4]
    return network


def _onnx_without_weights() -> Iterable[bytes]:
    import onnx_ir as ir

    from ghostface_edge.pipeline.graph.emit import emit
    from ghostface_edge.pipeline.network.preprocessing import Preprocessing

    model = ir.to_proto(emit(_short_network(), Preprocessing(), None))
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
    del model.graph.value_info[:]
    yield model.SerializeToString()


def _qdq() -> Parse:
    from ghostface_edge.targets import qdq
    from ghostface_edge.targets.onnx_file import read_onnx

    def view(path: Path) -> None:
        for node in qdq.graph_of(read_onnx(path)):
            qdq.label(node)
            if qdq.is_quantizer(node):
                qdq.params(node)
            if node.op_type == "Conv":
                qdq.constant(node, 1).real()
                qdq.is_depthwise(node)
            qdq.sizes(node.outputs[0])

    return _judged("net.onnx", view)


def _tflite() -> Parse:
    from ghostface_edge.targets.tflite.inspection import inspect_artifact, read_interface

    return _judged("net.tflite", lambda path: (inspect_artifact(path), read_interface(path)))


def _wire() -> Parse:
    from ghostface_edge.targets.places import wire

    def parse(data: bytes) -> None:
        stream = io.BytesIO(data)

        def read(size: int) -> bytearray:
            part = stream.read(size)
            if len(part) < size:
                raise EOFError
            return bytearray(part)

        with contextlib.suppress(EOFError, wire.WireError):
            wire.unpack(read)

    return parse


def _wire_seeds() -> Iterable[bytes]:
    import numpy as np

    from ghostface_edge.targets.places import wire

    yield b"".join(wire.pack({"call": "embed", "arguments": {"faces": {"array": 0}}}, [np.zeros((2, 3), np.uint8)]))
    yield b"".join(wire.pack({"told": [1, 2.5]}, [np.ones(2, np.float32), np.empty((0, 4), np.int64)]))


def _images() -> Iterable[bytes]:
    yield from (good.image(1, 112, suffix) for suffix in (".jpg", ".png"))


def _some_devices() -> Iterable[bytes]:
    yield b"pi4:\n  at: ssh:pi@board.local\n  cores: [2, 3]\n  threads: 2\n  sustained_minutes: 1.5\n"
    yield b"m7: {at: 'qemu:cortex-m7'}\na53: {at: 'qemu:cortex-a53'}\n"
    yield b"a: {at: 'exec:run \"x y\"', folder: /m, power: /p}\nb: {at: local}\nc: {at: 'adb:1', python: p}\n"


def _some_plans() -> Iterable[bytes]:
    yield b"checkpoints: [a.h5]\nrecipes: [fast, best]\ntargets: ['c-int8, ncnn', [web]]\nseeds: [1, 2]\njobs: 2\n"
    yield b"pairs: [[lfw.bin, cfp]]\ncalibration: faces\ndevices: ['', [pi4]]\npolicy: p.yaml\ndevice_faces: 9\n"


def _small_matrix() -> Iterable[bytes]:
    from ..reports.matrix.made import died, matrix_of, task

    yield matrix_of(died("a", "x"), tasks=(task("embed", 0.0, 1.0, "w", "e"),)).to_json().encode()


_YAML = (
    "!!int ", "!!float ", "!!binary ", "!!timestamp ", "!!set ", "&a ", "*a", "<<: *a", "[[[[", "{{{{", "? ", "| ",
    "---", "2026-01-01", "0x", "1:30", ".nan", ".inf", "!!python/name:os.system ", "...", "%YAML 1.2",
)  # fmt: skip

_XML = (
    "<!DOCTYPE x>", "<!ENTITY a 'b'>", "&a;", "<![CDATA[", "]]>", "<?xml version='1.1'?>", "<layer ", "<data ",
    'type="Loop"', 'offset="-1"', 'size="99999999999"', 'shape="1,-1"', 'from-layer="0"', "<edge ",
)  # fmt: skip

_MLIR = (
    '"tpu.Cast"(%0)', '"top.Weight"() : () -> ', "tensor<1x2x", "!quant.uniform<i8:f32, 0.5:-1>", "loc(#loc3)",
    '#loc9 = loc("x")', '"tpu.Conv2D"(%1, %2) {', ") -> ", " : (", "99999999999x", 'cpu_op_name = "quant"',
    "    return %1 : ", "{}", "si8>", "f32>",
)  # fmt: skip

TARGETS = MappingProxyType(
    {
        "bin": FuzzTarget(_bin, _bin_seeds, mutators.pickle_program, max_bytes=50_000),
        "pairs": FuzzTarget(_pairs, lambda: [good.pairs(), b"1\nA\t1\t2\nA\t1\tB\t1\n"], mutators.table),
        "people": FuzzTarget(_people, lambda: [good.people()], mutators.table),
        "cfp": FuzzTarget(_cfp, lambda: [b"1 ../Data/Images/001/frontal/01.jpg\n2 ../Data/002/a/1.jpg\n\x001,1\n"]),
        "landmarks": FuzzTarget(_landmarks, lambda: [good.landmarks()], mutators.table),
        "image": FuzzTarget(_image, _images, max_bytes=40_000),
        "archive": FuzzTarget(_archive, _archive_seeds, max_bytes=20_480),
        "records": FuzzTarget(_records, lambda: [b"\0".join(reversed(good.records()))[:2000], _two_records()]),
        "recipe": FuzzTarget(_recipe, lambda: [good.recipe()], words=_YAML, max_bytes=2_048),
        "policy": FuzzTarget(_policy, lambda: [_short_policy()], words=_YAML, max_bytes=2_048),
        "devices": FuzzTarget(_devices, _some_devices, words=_YAML, max_bytes=2_048),
        "plan": FuzzTarget(_plan, _some_plans, words=_YAML, max_bytes=2_048),
        "matrix": FuzzTarget(_matrix, _small_matrix, mutators.json_tree),
        "binding": FuzzTarget(_binding, _binding_seeds, mutators.json_tree, max_bytes=8_192),
        "report": FuzzTarget(_report, _small_report, mutators.json_tree),
        "history": FuzzTarget(_history, _kept_run, mutators.json_tree),
        "bundle": FuzzTarget(_bundle, lambda: [good.bundle()], mutators.bundle_members, max_bytes=1 << 17),
        "safetensors": FuzzTarget(_checkpoint("net.safetensors"), _safetensors_seeds, mutators.framed_json),
        "hdf5": FuzzTarget(_hdf5, _keras_seeds, mutators.json_tree),
        "onnx": FuzzTarget(_onnx_file, lambda: [good.tiny_onnx(), good.tiny_onnx(quantized=True)], mutators.onnx_graph),
        "onnx-walk": FuzzTarget(_onnx_walk, _onnx_without_weights, mutators.onnx_graph, max_bytes=1 << 17),
        "torch": FuzzTarget(_torch_file, _torch_seeds, mutators.torch_zip),
        "ir": FuzzTarget(_openvino_ir, lambda: [_tiny_ir()[0]], words=_XML),
        "ncnn": FuzzTarget(_ncnn, lambda: [good.ncnn_model()[0], b"\0".join(good.ncnn_model())], max_bytes=4_096),
        "executorch": FuzzTarget(_executorch, lambda: [good.executorch_program()], max_bytes=4_096),
        "sophgo": FuzzTarget(_sophgo, _sophgo_seeds, words=_MLIR, max_bytes=8_192),
        "rknn": FuzzTarget(_rknn, _rknn_seeds, mutators.json_tree, max_bytes=8_192),
        "qdq": FuzzTarget(_qdq, lambda: [good.tiny_onnx(quantized=True)], mutators.onnx_graph),
        "tflite": FuzzTarget(_tflite, lambda: [good.tiny_tflite()], max_bytes=4_096),
        "wire": FuzzTarget(_wire, _wire_seeds, mutators.framed_json, max_bytes=4_096),
    }
)


def _short_policy() -> bytes:
    return (
        b"schema_version: 1\nname: short\nrules:\n  - {metric: drop_pp, variants: '*-int8', max: 0.75, why: because}\n"
        b"waivers:\n  - {check: drop_pp, variants: '*', reason: r, owner: o, expires: 2030-01-01}\n"
    )


def _two_records() -> bytes:
    first = good.record(b"", 0.0)
    return f"0\t0\n1\t{len(first)}\n".encode() + b"\0" + first + good.record(good.image(1, 112, ".jpg"), 0.0)
