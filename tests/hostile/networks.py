"""Hostile checkpoints, and hostile artifacts for the verbs that run them."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import good
from .case import PLACES, Case, Content, Door, Payload, case_folder, later, link, tree

INSPECT = {
    suffix: Door(f"net{suffix}", ("inspect", f"net{suffix}"), {})
    for suffix in (".h5", ".pt", ".safetensors", ".onnx", ".tflite", ".xml")
}
EXPORT = {
    suffix: Door(f"net{suffix}", ("export", f"net{suffix}", "-o", "out.onnx"), {})
    for suffix in (".h5", ".pt", ".safetensors", ".onnx")
}
BENCHMARK = {suffix: Door(f"net{suffix}", ("benchmark", f"net{suffix}"), {}) for suffix in (".onnx", ".tflite", ".xml")}
EVALUATE = {
    suffix: Door(
        f"net{suffix}", ("evaluate", f"net{suffix}", "--pairs", "faces.bin"), {"faces.bin": later(good.faces_bin)}
    )
    for suffix in (".onnx", ".tflite", ".xml")
}
QUANTIZE = Door(
    "net.onnx",
    (
        "quantize",
        "net.onnx",
        "--target",
        "onnxruntime-int8",
        "--calibration",
        "faces",
        "-o",
        "out",
        "--recipe",
        "short.yaml",
    ),
    {"faces": tree(good.photographs()), "short.yaml": good.recipe()},
)
SIZE = 1 << 40
"""Elements of an array that no machine holds."""
RUN_OR_REFUSED = frozenset({0, 2})
"""Of `inspect`, which may say what an odd but whole file holds."""


def cases() -> Iterator[Case]:
    """All of this part."""
    yield from _keras()
    yield from _torch()
    yield from _safetensors()
    yield from _onnx()
    yield from _tflite()
    yield from _openvino()
    for part, doors in {"inspect": INSPECT, "export": EXPORT, "benchmark": BENCHMARK}.items():
        for suffix, door in doors.items():
            for name, content in PLACES.items():
                if part == "inspect" or name in {"pipe", "endless-device", "8-gib", "noise"}:
                    yield door.case(f"{part}/{suffix[1:]}-{name}", content)


# --- Keras


def _hdf5(change: Callable[[Any], object], *, beside: bool = False) -> Content:
    """The good Keras file, changed through h5py; `beside` lays a second one beside it."""

    def make(path: Path) -> None:
        import h5py

        path.write_bytes(good.keras_file())
        if beside:
            path.with_name("other.h5").write_bytes(good.keras_file())
        with h5py.File(path, "r+") as file:
            change(file)

    return make


def _config(change: Callable[[dict[str, Any], list[Any]], object]) -> Content:
    def apply(file: Any) -> None:
        config = json.loads(file.attrs["model_config"])
        change(config, config["config"]["layers"])
        del file.attrs["model_config"]
        _attribute(file, json.dumps(config))

    return _hdf5(apply)


def _attribute(file: Any, text: str) -> None:
    import h5py

    file.attrs.create("model_config", text, dtype=h5py.string_dtype())


def _first_kernel(file: Any) -> str:
    layer = next(name for name in file["model_weights"] if name.startswith("conv2d"))
    return f"model_weights/{layer}/{layer}/kernel:0"


def _replaced_kernel(make: Callable[[Any, str, tuple[int, ...]], object]) -> Content:
    def change(file: Any) -> None:
        name = _first_kernel(file)
        shape = file[name].shape
        del file[name]
        make(file, name, shape)

    return _hdf5(change, beside=True)


def _replaced_group(name: str, target: Callable[[Any], object]) -> Content:
    def change(file: Any) -> None:
        del file[name]
        file[name] = target(file)

    return _hdf5(change, beside=True)


def _keras() -> Iterator[Case]:
    def external(file: Any, name: str, shape: tuple[int, ...]) -> None:
        file.create_dataset(name, shape, "<f4", external=[("/etc/passwd", 0, 4 * int(np.prod(shape)))])

    def virtual(file: Any, name: str, shape: tuple[int, ...]) -> None:
        import h5py

        layout = h5py.VirtualLayout(shape, "<f4")
        layout[...] = h5py.VirtualSource("other.h5", name, shape)
        file.create_virtual_dataset(name, layout)

    def linked(file: Any, name: str, shape: tuple[int, ...]) -> None:
        import h5py

        del shape
        file[name] = h5py.ExternalLink("other.h5", name)

    def soft(file: Any, name: str, shape: tuple[int, ...]) -> None:
        import h5py

        del shape
        file[name] = h5py.SoftLink(f"/{name}")

    def texts(file: Any, name: str, shape: tuple[int, ...]) -> None:
        import h5py

        del shape
        file.create_dataset(name, data=["x" * 50_000_000] * 4, dtype=h5py.string_dtype())

    def sized(shape: tuple[int, ...], dtype: Any = "<f4", **options: Any) -> Content:
        return _replaced_kernel(lambda file, name, _: file.create_dataset(name, shape, dtype, **options))

    def external_group(name: str) -> Content:
        def target(file: Any) -> Any:
            import h5py

            del file
            return h5py.ExternalLink("other.h5", name)

        return _replaced_group(name, target)

    def renamed_weights(names: list[bytes]) -> Content:
        def change(file: Any) -> None:
            group = file[_first_kernel(file).rsplit("/", 2)[0]]
            del group.attrs["weight_names"]
            group.attrs["weight_names"] = names

        return _hdf5(change)

    def config_text(text: str) -> Content:
        def change(file: Any) -> None:
            del file.attrs["model_config"]
            _attribute(file, text)

        return _hdf5(change)

    code = {
        "class_name": "Lambda",
        "config": {"name": "evil", "function": ["4wEAAA==", None, None]},
        "name": "evil",
        "inbound_nodes": [],
    }
    files: dict[str, Content] = {
        "an-external-link-at-model-weights": external_group("model_weights"),
        "an-external-link-at-a-layer": external_group("model_weights/conv2d"),
        "an-external-link-at-an-array": _replaced_kernel(linked),
        "a-soft-link-to-itself": _replaced_kernel(soft),
        "a-soft-link-to-the-root-at-model-weights": _replaced_group("model_weights", lambda file: __import__("h5py").SoftLink("/")),
        "external-storage": _replaced_kernel(external),
        "a-virtual-dataset": _replaced_kernel(virtual),
        "texts-instead-of-numbers": _replaced_kernel(texts),
        "a-terabyte-of-fill-values": sized((SIZE,)),
        "a-terabyte-in-chunks": sized((1 << 20, 1 << 20), chunks=(1024, 1024)),
        "chunks-of-4-gib": sized((1 << 15, 1 << 15, 3), chunks=(1 << 14, 1 << 14, 3)),
        "a-deflated-array-of-250-mb": _replaced_kernel(lambda file, name, _: file.create_dataset(name, data=np.zeros((1 << 26) - 1, "<f4"), compression="gzip")),
        "compound-numbers": sized((3, 3, 3, 4), np.dtype([("a", "<f4"), ("b", "<f8", (1000,))])),
        "complex-numbers": sized((3, 3, 3, 4), "<c16"),
        "references-instead-of-numbers": _replaced_kernel(lambda file, name, _: file.create_dataset(name, (3, 3, 3, 4), __import__("h5py").ref_dtype)),
        "no-elements": sized((0, 3, 3, 4)),
        "no-axes": sized(()),
        "32-axes": sized((1,) * 32),
        "a-kernel-of-nan": _hdf5(lambda file: file[_first_kernel(file)].write_direct(np.full(file[_first_kernel(file)].shape, np.nan, "<f4"))),
        "a-group-instead-of-an-array": _replaced_kernel(lambda file, name, _: file.create_group(name)),
        "weights-that-climb": renamed_weights([b"../../../model_weights"]),
        "weights-of-noise": renamed_weights([b"\xff\xfe/kernel:0"]),
        "a-million-weight-names": renamed_weights([b"x"] * 1_000),
        "no-weight-names": _hdf5(lambda file: file[_first_kernel(file).rsplit("/", 2)[0]].attrs.pop("weight_names")),
        "no-model-config": _hdf5(lambda file: file.attrs.pop("model_config")),
        "no-model-weights": _hdf5(lambda file: file.pop("model_weights")),
        "a-config-of-numbers": _hdf5(lambda file: file.attrs.__setitem__("model_config", 5)),
        "a-config-of-many-numbers": _hdf5(lambda file: file.attrs.__setitem__("model_config", np.arange(5))),
        "a-config-of-60000-brackets": config_text("[" * 60_000),
        "a-config-of-5000-digits": config_text('{"config": {"layers": ' + "1" * 5000 + "}}"),
        "a-config-without-layers": config_text("{}"),
        "a-config-of-text": config_text('"Functional"'),
        "a-lambda-layer": _config(lambda config, layers: layers.insert(1, code)),
        "layers-in-a-ring": _config(lambda config, layers: layers[1].update(inbound_nodes=[[[layers[1]["name"], 0, 0, {}]]])),
        "a-layer-that-reads-nothing": _config(lambda config, layers: layers[5].update(inbound_nodes=[[["nosuch", 0, 0, {}]]])),
        "a-layer-of-no-inputs": _config(lambda config, layers: layers[5].update(inbound_nodes=[])),
        "an-unknown-layer": _config(lambda config, layers: layers[5].update(class_name="Evil")),
        "a-layer-name-with-a-newline": _config(lambda config, layers: (layers[5].update(class_name="\n::error::PWNED"), layers[5]["config"].update(name=layers[5]["config"]["name"]))),
        "filters-of-text": _config(lambda config, layers: layers[1]["config"].update(filters="many")),
        "filters-of-2-to-the-62": _config(lambda config, layers: layers[1]["config"].update(filters=1 << 62)),
        "negative-filters": _config(lambda config, layers: layers[1]["config"].update(filters=-4)),
        "no-strides": _config(lambda config, layers: layers[1]["config"].pop("strides")),
        "strides-of-text": _config(lambda config, layers: layers[1]["config"].update(strides="xx")),
        "empty-strides": _config(lambda config, layers: layers[1]["config"].update(strides=[])),
        "strides-of-zero": _config(lambda config, layers: layers[1]["config"].update(strides=[0, 0])),
        "an-input-of-a-billion": _config(lambda config, layers: layers[0]["config"].update(batch_input_shape=[None, 10**9, 10**9, 3])),
        "an-input-of-text": _config(lambda config, layers: layers[0]["config"].update(batch_input_shape="many")),
        "an-input-of-halves": _config(lambda config, layers: layers[0]["config"].update(batch_input_shape=[None, 16.5, 16.5, 3])),
        "an-epsilon-of-text": _config(lambda config, layers: [layer["config"].update(epsilon="x") for layer in layers if "epsilon" in layer["config"]]),
        "an-activation-that-nests": _config(lambda config, layers: layers[-1]["config"].update(activation=_nested(900))),
        "an-activation-of-nothing": _config(lambda config, layers: layers[-1]["config"].update(activation={})),
        "a-hundred-thousand-layers": _config(lambda config, layers: layers.extend(dict(layers[1], config=dict(layers[1]["config"], name=f"c{k}")) for k in range(100_000))),
    }  # fmt: skip
    for name, content in files.items():
        # `inspect` and `export` read the whole; a hundred thousand layers that feed nothing are no part of the network
        harmless = name in {"an-activation-that-nests", "an-activation-of-nothing", "a-hundred-thousand-layers"}
        yield INSPECT[".h5"].case(
            f"h5/{name}",
            content,
            allowed=RUN_OR_REFUSED if harmless else frozenset({2}),
            why="what the embedding does not depend on may be passed over" if harmless else "",
            runs_code=name == "a-lambda-layer",
        )
    for number, part in enumerate((0.01, 0.4, 0.97)):
        yield INSPECT[".h5"].case(
            f"h5/cut-{number}", later(lambda part=part: good.keras_file()[: int(part * len(good.keras_file()))])
        )
    for number in range(12):
        # a byte of a weight may turn unnoticed: the file has no checksums
        yield INSPECT[".h5"].case(
            f"h5/turned-{number}",
            later(lambda number=number: _turned(good.keras_file(), 8 + number * 331)),
            allowed=RUN_OR_REFUSED,
            why="HDF5 has no checksums: a byte that nothing depends on may turn unnoticed",
        )


def _turned(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x7F]) + data[at + 1 :]


def _nested(depth: int) -> Any:
    value: Any = "linear"
    for _ in range(depth):
        value = {"config": value}
    return value


# --- PyTorch


def _saved(make: Callable[[Path], object], **options: Any) -> Content:
    def write(path: Path) -> None:
        import torch

        torch.save(make(case_folder(path)), path, **options)

    return write


def _state(change: Callable[[dict[str, Any]], object]) -> Content:
    def make(folder: Path) -> Any:
        import torch

        del folder
        state = {name: torch.from_numpy(np.array(value)) for name, value in good.checkpoint().weights.items()}
        return change(state) or state

    return _saved(make)


def _replaced(make: Callable[[Any], Any]) -> Content:
    """The stem's weight, replaced by another tensor."""
    return _state(lambda state: state.update({"stem.conv.weight": make(state["stem.conv.weight"])}))


def _pickle_in_zip(program: bytes, *, deflate: bool = False, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as archive:
        archive.writestr("net/data.pkl", program)
        archive.writestr("net/version", "3\n")
        archive.writestr("net/byteorder", "little")
        for name, data in members.items():
            archive.writestr(f"net/data/{name}", data)
    return buffer.getvalue()


def _tensor_program(shape: bytes, strides: bytes, *, numel: bytes, offset: bytes = b"K\x00") -> bytes:
    """{"stem.conv.weight": a float tensor of this shape over storage 0}, as PyTorch pickles it."""
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + numel + b"tQ"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + offset
        + shape
        + strides
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )
    return b"\x80\x02}X\x10\0\0\0stem.conv.weight" + tensor + b"s."


def _zeros_in_zip() -> bytes:
    """An honest state whose storages are zeros, deflated to nothing."""
    size = 3 << 30
    numel = b"\x8a\x05" + (size // 4).to_bytes(5, "little")
    program = _tensor_program(numel + b"\x85", b"K\x01\x85", numel=numel)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("net/data.pkl", program)
        archive.writestr("net/version", "3\n")
        with archive.open("net/data/0", "w", force_zip64=True) as member:
            for _ in range(size >> 24):
                member.write(bytes(1 << 24))
    return buffer.getvalue()


def _cyclic() -> dict[str, Any]:
    holder: dict[str, Any] = {"epoch": 1}
    holder["state_dict"] = holder
    return holder


def _torch() -> Iterator[Case]:
    code: dict[str, Content] = {
        "reduce-exec": _saved(lambda folder: {"state_dict": Payload(folder)}),
        "reduce-exec-legacy": _saved(lambda folder: {"state_dict": Payload(folder)}, _use_new_zipfile_serialization=False),
        "a-bare-pickle": lambda path: path.write_bytes(pickle.dumps(Payload(case_folder(path)))),
        "global-os-system": _pickle_in_zip(b"cos\nsystem\n(X\x0e\0\0\0touch EXECUTEDtR."),
        "torch-load-within": _pickle_in_zip(b"ctorch\nload\n(X\x06\0\0\0net.pttR."),
        "torch-hub": _pickle_in_zip(b"ctorch.hub\nload\n(X\x01\0\0\0xtR."),
        "torch-jit": _pickle_in_zip(b"ctorch.jit\nload\n(X\x06\0\0\0net.pttR."),
        "torch-load-library": _pickle_in_zip(b"ctorch.ops\nload_library\n(X\x06\0\0\0net.sotR."),
        "a-whole-module": _saved(lambda folder: __import__("torch").nn.Linear(2, 2)),
        "numpy-inside": _saved(lambda folder: {"state_dict": {"a": np.ones(3)}}),
    }  # fmt: skip
    for name, content in code.items():
        yield INSPECT[".pt"].case(f"pt/{name}", content, runs_code=True)
    big = b"\x8a\x06" + SIZE.to_bytes(6, "little")
    few = struct.pack("<I", 16)
    files: dict[str, Content] = {
        "a-dict-that-holds-itself": _saved(lambda folder: _cyclic()),
        "a-dict-of-nothing": _saved(lambda folder: {}),
        "a-list": _saved(lambda folder: [1, 2]),
        "keys-of-numbers": _state(lambda state: dict(enumerate(state.values()))),
        "keys-with-newlines": _state(lambda state: {f"{name}\n::error::PWNED": value for name, value in state.items()}),
        "a-sparse-tensor": _replaced(lambda tensor: tensor.to_sparse()),
        "a-sparse-csr-tensor": _state(lambda state: state.update({"embed.conv.weight": state["embed.conv.weight"].flatten(1).to_sparse_csr()})),
        "a-meta-tensor": _replaced(lambda tensor: tensor.to("meta")),
        "a-quantized-tensor": _replaced(lambda tensor: __import__("torch").quantize_per_tensor(tensor, 0.1, 0, __import__("torch").qint8)),
        "a-complex-tensor": _replaced(lambda tensor: tensor.to(__import__("torch").complex64)),
        "a-boolean-tensor": _replaced(lambda tensor: tensor > 100),
        "a-nan-tensor": _replaced(lambda tensor: tensor * float("nan")),
        "an-expanded-half-tensor": _replaced(lambda tensor: __import__("torch").ones(1).half().expand(1 << 33)),
        "an-expanded-stem": _replaced(lambda tensor: __import__("torch").ones(1, 1, 1, 1).half().expand(1 << 12, 1 << 12, 7, 7)),
        "a-tensor-of-no-elements": _replaced(lambda tensor: tensor[:0]),
        "a-tensor-of-no-axes": _replaced(lambda tensor: tensor.sum()),
        "a-tensor-of-30-axes": _replaced(lambda tensor: tensor.flatten()[:1].reshape([1] * 30)),
        "a-tensor-of-a-terabyte": _pickle_in_zip(_tensor_program(big + b"\x85", b"K\x01\x85", numel=big), **{"0": few}),
        "a-tensor-beyond-its-storage": _pickle_in_zip(_tensor_program(b"M\xff\xff\x85", b"K\x01\x85", numel=b"K\x01"), **{"0": few}),
        "a-negative-offset": _pickle_in_zip(_tensor_program(b"K\x01\x85", b"K\x01\x85", numel=b"K\x01", offset=b"J\xff\xff\xff\xff"), **{"0": few}),
        "a-negative-stride": _pickle_in_zip(_tensor_program(b"K\x02\x85", b"J\xff\xff\xff\xff\x85", numel=b"K\x01"), **{"0": few}),
        "no-storage": _pickle_in_zip(_tensor_program(b"K\x01\x85", b"K\x01\x85", numel=b"K\x01")),
        "a-storage-of-no-bytes": _pickle_in_zip(_tensor_program(b"K\x01\x85", b"K\x01\x85", numel=b"K\x01"), **{"0": b""}),
        "3-gb-deflated": later(_zeros_in_zip),
        "a-program-of-a-gigabyte": later(lambda: _pickle_in_zip(b"\x80\x02" + b"0N" * (1 << 28) + b".", deflate=True)),
        "a-million-brackets": _pickle_in_zip(b"\x80\x02" + b"(" * 1_000_000 + b"."),
        "a-memo-index-of-2-to-the-31": _pickle_in_zip(b"\x80\x02]r\xff\xff\xff\x7f."),
        "a-program-cut": _pickle_in_zip(b"\x80\x02}X\xff\xff"),
        "a-program-of-nothing": _pickle_in_zip(b""),
        "a-zip-without-a-program": lambda path: zipfile.ZipFile(path, "w").close(),
        "a-zip-of-text": later(_text_zip),
        "metadata-of-nonsense": _saved(lambda folder: {"weights": _tensors(), "metadata": {"ghostface_edge.architecture": "[" * 60_000}}),
        "metadata-of-5000-digits": _saved(lambda folder: {"weights": _tensors(), "metadata": {"ghostface_edge.architecture": "1" * 5000}}),
        "a-tar-checkpoint": later(good.archive),
        "a-legacy-magic": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03." + bytes(100),
    }  # fmt: skip
    for name, content in files.items():
        numbers = name == "a-boolean-tensor"
        allowed, why = (RUN_OR_REFUSED, "zeros and ones are numbers") if numbers else (frozenset({2}), "")
        yield INSPECT[".pt"].case(f"pt/{name}", content, allowed=allowed, why=why)
    for part in (0.01, 0.5, 0.99):
        yield INSPECT[".pt"].case(
            f"pt/cut-at-{part}", later(lambda part=part: good.torch_file()[: int(part * len(good.torch_file()))])
        )
    for name in ("a-sparse-tensor", "a-meta-tensor", "a-dict-that-holds-itself", "an-expanded-half-tensor"):
        yield EXPORT[".pt"].case(f"export/pt-{name}", files[name])


def _tensors() -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(np.array(value)) for name, value in good.checkpoint().weights.items()}


def _text_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return buffer.getvalue()


# --- safetensors


def _header(change: Callable[[dict[str, Any]], object]) -> Content:
    """The good file with a changed header."""

    def make() -> bytes:
        data = good.safetensors()
        end = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:end])
        header = change(header) or header
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + data[end:]

    return later(make)


def _declared(**fields: Any) -> Content:
    def change(header: dict[str, Any]) -> None:
        key = "ghostface_edge.architecture"
        header["__metadata__"][key] = json.dumps(json.loads(header["__metadata__"][key]) | fields)

    return _header(change)


def _metadata(key: str, text: str) -> Content:
    return _header(lambda header: header["__metadata__"].update({f"ghostface_edge.{key}": text}))


def _bare(text: bytes, length: int | None = None, data: bytes = b"") -> bytes:
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def _safetensors() -> Iterator[Case]:
    stem = "stem.conv.weight"
    files: dict[str, Content] = {
        "a-header-of-an-exabyte": _bare(b"{}", 1 << 60),
        "a-header-of-100-mb": later(lambda: _bare(b"{" + b" " * 100_000_000 + b"}")),
        "a-header-of-60000-brackets": _bare(b'{"a":' + b"[" * 60_000),
        "a-header-of-5000-digits": _bare(b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 4]}}', None, bytes(4)),
        "a-header-of-a-list": _bare(b"[]"),
        "a-header-of-noise": _bare(bytes(range(128, 256))),
        "a-header-of-nothing": _bare(b""),
        "an-empty-header": _bare(b"{}"),
        "a-shape-of-terabytes": _header(lambda header: header[stem].update(shape=[SIZE])),
        "a-shape-that-overflows": _header(lambda header: header[stem].update(shape=[1 << 62, 4])),
        "a-negative-shape": _header(lambda header: header[stem].update(shape=[-1, 3, 3, 3])),
        "a-shape-of-no-axes": _header(lambda header: header[stem].update(shape=[])),
        "offsets-beyond-the-end": _header(lambda header: header[stem].update(data_offsets=[1 << 40, (1 << 40) + 4])),
        "offsets-reversed": _header(lambda header: header[stem].update(data_offsets=header[stem]["data_offsets"][::-1])),
        "offsets-that-overlap": _header(lambda header: header[stem].update(data_offsets=[0, header[stem]["data_offsets"][1]])),
        "an-unknown-dtype": _header(lambda header: header[stem].update(dtype="X99")),
        "half-precision-that-does-not-fit": _header(lambda header: header[stem].update(dtype="F16")),
        "an-eight-bit-float": _header(lambda header: header[stem].update(dtype="F8_E4M3")),
        "a-boolean": _header(lambda header: header[stem].update(dtype="BOOL")),
        "a-tensor-missing": _header(lambda header: {name: value for name, value in header.items() if name != stem}),
        "a-duplicate-tensor": later(_duplicated),
        "a-name-with-a-newline": _header(lambda header: header.update({"\n::error::PWNED": header.pop(stem)})),
        "a-name-with-escapes": _header(lambda header: header.update({"\x1b[31m": header.pop(stem)})),
        "metadata-of-numbers": _header(lambda header: header.update(__metadata__={"a": 5})),
        "metadata-of-text": _header(lambda header: header.update(__metadata__="x")),
        "image-size-of-halves": _declared(image_size=16.5),
        "image-size-of-text": _declared(image_size="112"),
        "image-size-true": _declared(image_size=True),
        "image-size-of-a-million": _declared(image_size=10**6),
        "embedding-size-negative": _declared(embedding_size=-5),
        "embedding-size-zero": _declared(embedding_size=0),
        "embedding-size-of-a-quintillion": _declared(embedding_size=10**18),
        "embedding-size-of-halves": _declared(embedding_size=64.5),
        "embedding-size-of-null": _declared(embedding_size=None),
        "width-of-nan": _declared(width=float("nan")),
        "width-of-text": _declared(width="0.2"),
        "width-of-null": _declared(width=None),
        "width-of-nothing": _declared(width=1e-320),
        "width-true": _declared(width=True),
        "stride-of-halves": _declared(stride=1.5),
        "stride-of-3": _declared(stride=3),
        "version-of-2": _declared(version=2),
        "version-as-float": _declared(version=1.5),
        "an-unknown-activation": _declared(activation="evil"),
        "an-activation-of-a-list": _declared(activation=["prelu"]),
        "head-bias-of-text": _declared(head_bias="yes please"),
        "an-unknown-field": _declared(evil=1),
        "an-architecture-of-brackets": _metadata("architecture", "[" * 60_000),
        "an-architecture-of-digits": _metadata("architecture", "1" * 5000),
        "an-architecture-of-a-list": _metadata("architecture", "[]"),
        "preprocessing-of-brackets": _metadata("preprocessing", "[" * 60_000),
        "preprocessing-of-nan": _metadata("preprocessing", '{"colour": "RGB", "mean": NaN, "scale": 1, "layout": "NCHW"}'),
        "preprocessing-of-no-scale": _metadata("preprocessing", '{"colour": "RGB", "mean": 0, "scale": 0, "layout": "NCHW"}'),
        "preprocessing-of-5000-digits": _metadata("preprocessing", '{"colour": "RGB", "mean": ' + "1" * 400 + ', "scale": 1, "layout": "NCHW"}'),
        "preprocessing-of-text": _metadata("preprocessing", '"RGB"'),
    }  # fmt: skip
    for name, content in files.items():
        allowed = RUN_OR_REFUSED if name == "head-bias-of-text" else frozenset({2})
        yield INSPECT[".safetensors"].case(
            f"safetensors/{name}", content, allowed=allowed, why="a yes is a yes" if 0 in allowed else ""
        )
    for part in (0.001, 0.5, 0.999):
        data = later(lambda part=part: good.safetensors()[: int(part * len(good.safetensors()))])
        yield INSPECT[".safetensors"].case(f"safetensors/cut-at-{part}", data)
    for name in ("image-size-of-halves", "embedding-size-negative", "a-shape-of-terabytes"):
        yield EXPORT[".safetensors"].case(f"export/safetensors-{name}", files[name])


def _duplicated() -> bytes:
    data = good.safetensors()
    end = 8 + int.from_bytes(data[:8], "little")
    header = data[8:end].rstrip()
    start = header.index(b'"stem.conv.weight":')
    entry = header[start : header.index(b"}", start) + 1]
    text = header[:-1] + b"," + entry + b"}"
    return _bare(text, None, data[end:])


# --- ONNX


def _graph(change: Callable[[Any], object], source: Callable[[], bytes] = good.tiny_onnx) -> Content:
    """An ONNX model, changed as a message."""

    def make() -> bytes:
        import onnx

        model = onnx.ModelProto.FromString(source())
        change(model)
        return bytes(model.SerializeToString())

    return later(make)


def _onnx_models() -> dict[str, Content]:
    from onnx import AttributeProto, TensorProto, helper

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Callable[[Any], None]:
        def change(model: Any) -> None:
            model.graph.node.append(helper.make_node(kind, inputs, [output], **attributes))
            model.graph.output[0].name = output

        return change

    def filled(sizes: list[int]) -> Callable[[Any], None]:
        def change(model: Any) -> None:
            model.graph.initializer.append(helper.make_tensor("sizes", TensorProto.INT64, [len(sizes)], sizes))
            model.graph.node.append(helper.make_node("ConstantOfShape", ["sizes"], ["filled"]))
            model.graph.node.append(helper.make_node("ReduceSum", ["filled"], ["sum"], keepdims=0))
            model.graph.node.append(helper.make_node("Add", ["embeddings", "sum"], ["all"]))
            model.graph.output[0].name = "all"

        return change

    def expanded(model: Any) -> None:
        model.graph.initializer.append(helper.make_tensor("sizes", TensorProto.INT64, [3], [1 << 16, 1 << 16, 1]))
        model.graph.node.append(helper.make_node("Expand", ["embeddings", "sizes"], ["large"]))
        model.graph.output[0].name = "large"
        model.graph.output[0].type.tensor_type.ClearField("shape")

    def looped(model: Any) -> None:
        body = helper.make_graph(
            [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["x"], ["y"])],
            "body",
            [
                helper.make_tensor_value_info("turn", TensorProto.INT64, []),
                helper.make_tensor_value_info("go", TensorProto.BOOL, []),
                helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
            ],
            [
                helper.make_tensor_value_info("on", TensorProto.BOOL, []),
                helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
            ],
        )
        model.graph.initializer.append(helper.make_tensor("turns", TensorProto.INT64, [], [2**62]))
        model.graph.initializer.append(helper.make_tensor("true", TensorProto.BOOL, [], [1]))
        model.graph.node.append(helper.make_node("Loop", ["turns", "true", "embeddings"], ["looped"], body=body))
        model.graph.output[0].name = "looped"

    def sized(index: int, size: int) -> Callable[[Any], None]:
        return lambda model: setattr(model.graph.input[0].type.tensor_type.shape.dim[index], "dim_value", size)

    def outside(location: str) -> Callable[[Any], None]:
        def change(model: Any) -> None:
            tensor = model.graph.initializer[0]
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            entry = tensor.external_data.add()
            entry.key, entry.value = "location", location

        return change

    def outside_in_an_attribute(model: Any) -> None:
        constant = helper.make_node(
            "Constant", [], ["aside"], value=helper.make_tensor("t", TensorProto.FLOAT, [1], [1.0])
        )
        constant.attribute[0].t.ClearField("float_data")
        constant.attribute[0].t.data_location = TensorProto.EXTERNAL
        entry = constant.attribute[0].t.external_data.add()
        entry.key, entry.value = "location", "/etc/passwd"
        model.graph.node.insert(0, constant)

    def deep(model: Any) -> None:
        for number in range(20_000):
            model.graph.node.append(
                helper.make_node("Identity", [f"x{number}" if number else "embeddings"], [f"x{number + 1}"])
            )
        model.graph.output[0].name = "x20000"

    def nested(model: Any) -> None:
        graph = model.graph
        for number in range(60):
            inner = type(graph)()
            inner.CopyFrom(graph)
            graph.node.append(helper.make_node("If", ["c"], [f"y{number}"]))
            graph.node[-1].attribute.append(
                AttributeProto(name="then_branch", type=AttributeProto.GRAPH, g=helper.make_graph([], "x", [], []))
            )
            graph = graph.node[-1].attribute[0].g

    def function(model: Any) -> None:
        made = helper.make_function(
            "evil", "F", ["x"], ["y"], [helper.make_node("F", ["x"], ["y"], domain="evil")], model.opset_import
        )
        model.functions.append(made)
        model.opset_import.append(helper.make_opsetid("evil", 1))
        model.graph.node[1].op_type, model.graph.node[1].domain = "F", "evil"

    def weight(**fields: Any) -> Callable[[Any], None]:
        def change(model: Any) -> None:
            tensor = model.graph.initializer[0]
            for field, value in fields.items():
                if field == "dims":
                    del tensor.dims[:]
                    tensor.dims.extend(value)
                else:
                    setattr(tensor, field, value)

        return change

    return {
        "constant-of-shape-of-a-terabyte": _graph(filled([1 << 20, 1 << 18])),
        "constant-of-shape-of-6-gib": _graph(filled([1 << 15, 1 << 15, 3])),
        "constant-of-shape-negative": _graph(filled([-5])),
        "expand-to-16-gib": _graph(expanded),
        "a-loop-without-end": _graph(looped),
        "batch-of-a-million": _graph(sized(0, 1_000_000)),
        "channels-of-a-million": _graph(sized(1, 1_000_000)),
        "a-side-of-a-million": _graph(lambda model: [sized(index, 1_000_000)(model) for index in (2, 3)]),
        "a-side-of-2-to-the-62": _graph(lambda model: [sized(index, 1 << 62)(model) for index in (2, 3)]),
        "a-negative-side": _graph(lambda model: [sized(index, -8)(model) for index in (2, 3)]),
        "external-data": _graph(outside("weights.bin")),
        "external-data-that-climbs": _graph(outside("../../../../etc/passwd")),
        "external-data-at-an-absolute-path": _graph(outside("/etc/passwd")),
        "external-data-that-is-a-device": _graph(outside("/dev/zero")),
        "external-data-in-an-attribute": _graph(outside_in_an_attribute),
        "a-custom-operator": _graph(lambda model: (setattr(model.graph.node[1], "op_type", "Evil"), setattr(model.graph.node[1], "domain", "evil"))),
        "an-unknown-operator": _graph(lambda model: setattr(model.graph.node[1], "op_type", "Evil")),
        "an-operator-named-by-a-newline": _graph(lambda model: setattr(model.graph.node[1], "op_type", "\n::error::PWNED")),
        "a-function-that-calls-itself": _graph(function),
        "nodes-in-a-ring": _graph(lambda model: model.graph.node[0].input.__setitem__(0, "embeddings")),
        "a-node-without-inputs": _graph(lambda model: model.graph.node[0].ClearField("input")),
        "a-node-without-outputs": _graph(lambda model: model.graph.node[0].ClearField("output")),
        "twenty-thousand-nodes": _graph(deep),
        "sixty-nested-ifs": _graph(nested),
        "an-output-that-nobody-writes": _graph(lambda model: setattr(model.graph.output[0], "name", "nosuch")),
        "two-tensors-of-one-name": _graph(lambda model: model.graph.node.append(helper.make_node("Identity", ["map"], ["map"]))),
        "no-nodes": _graph(lambda model: model.graph.ClearField("node")),
        "no-inputs": _graph(lambda model: model.graph.ClearField("input")),
        "no-outputs": _graph(lambda model: model.graph.ClearField("output")),
        "no-graph": _graph(lambda model: model.ClearField("graph")),
        "an-input-without-a-type": _graph(lambda model: model.graph.input[0].ClearField("type")),
        "an-input-without-a-shape": _graph(lambda model: model.graph.input[0].type.tensor_type.ClearField("shape")),
        "an-input-of-no-axes": _graph(lambda model: model.graph.input[0].type.tensor_type.shape.ClearField("dim")),
        "an-input-of-text": _graph(lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", TensorProto.STRING)),
        "an-input-of-an-unknown-type": _graph(lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", 99)),
        "an-input-that-is-a-sequence": _graph(lambda model: model.graph.input[0].type.sequence_type.elem_type.tensor_type.SetInParent()),
        "two-inputs": _graph(lambda model: model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))),
        "a-weight-of-terabytes": _graph(weight(dims=[1 << 20, 1 << 20, 3, 3])),
        "a-weight-of-negative-size": _graph(weight(dims=[-4, 3, 3, 3])),
        "a-weight-that-overflows": _graph(weight(dims=[1 << 62, 16])),
        "a-weight-without-data": _graph(weight(raw_data=b"")),
        "a-weight-of-text": _graph(weight(data_type=TensorProto.STRING)),
        "a-weight-of-an-unknown-type": _graph(weight(data_type=77)),
        "opset-of-the-future": _graph(lambda model: setattr(model.opset_import[0], "version", 9_999)),
        "opset-negative": _graph(lambda model: setattr(model.opset_import[0], "version", -1)),
        "no-opset": _graph(lambda model: model.ClearField("opset_import")),
        "ir-version-of-the-future": _graph(lambda model: setattr(model, "ir_version", 999)),
        "strides-of-zero": _graph(lambda model: [attribute.ints.__setitem__(0, 0) for attribute in model.graph.node[0].attribute if attribute.name == "strides"]),
        "pads-of-a-billion": _graph(lambda model: [attribute.ints.__setitem__(0, 1 << 30) for attribute in model.graph.node[0].attribute if attribute.name == "pads"]),
        "metadata-macs-of-text": _graph(lambda model: model.metadata_props.add(key="ghostface-edge.macs", value="x")),
        "metadata-macs-of-brackets": _graph(lambda model: model.metadata_props.add(key="ghostface-edge.macs", value="[" * 60_000)),
        "metadata-macs-of-digits": _graph(lambda model: model.metadata_props.add(key="ghostface-edge.macs", value='{"fp32": ' + "9" * 5000 + "}")),
        "metadata-macs-of-a-list": _graph(lambda model: model.metadata_props.add(key="ghostface-edge.macs", value="[1]")),
        "metadata-macs-of-words": _graph(lambda model: model.metadata_props.add(key="ghostface-edge.macs", value='{"fp32": "many"}')),
        "message-of-2-gib": lambda path: (path.write_bytes(b"\x3a\xff\xff\xff\xff\x07"), __import__("os").truncate(path, (2 << 30) - 1)),
        "message-nested-200-deep": b"".join(b"\x3a\xff\x7f" for _ in range(5000)),
        "a-field-without-end": b"\x08" + b"\xff" * 100,
    }  # fmt: skip


def _onnx() -> Iterator[Case]:
    models = _onnx_models()
    told = {
        "a-custom-operator", "an-unknown-operator", "an-operator-named-by-a-newline", "twenty-thousand-nodes",
        "external-data-in-an-attribute", "batch-of-a-million", "sixty-nested-ifs", "opset-of-the-future",
        "ir-version-of-the-future", "an-input-of-text", "two-inputs", "strides-of-zero", "pads-of-a-billion",
        "channels-of-a-million", "a-side-of-a-million", "a-side-of-2-to-the-62", "a-negative-side", "no-opset",
        "an-output-that-nobody-writes", "two-tensors-of-one-name", "no-nodes", "no-outputs", "opset-negative",
        "a-function-that-calls-itself", "nodes-in-a-ring", "a-node-without-outputs", "an-input-that-is-a-sequence",
        "a-loop-without-end", "constant-of-shape-of-a-terabyte", "constant-of-shape-of-6-gib", "expand-to-16-gib",
        "constant-of-shape-negative", "a-node-without-inputs", "a-weight-without-data",
    }  # fmt: skip
    for name, content in models.items():
        yield INSPECT[".onnx"].case(
            f"onnx/{name}",
            content,
            allowed=RUN_OR_REFUSED if name in told else frozenset({2}),
            why="`inspect` says what a model holds, and runs nothing of it" if name in told else "",
        )
    light = ("twenty-thousand-nodes", "message-nested-200-deep")
    for name, content in models.items():
        if name.startswith("metadata") or name in light:
            continue
        legal = name in {"ir-version-of-the-future", "external-data-in-an-attribute"}
        # run on a picture of 8x8: what is legal ONNX must run, or be refused as no face network
        yield EVALUATE[".onnx"].case(
            f"evaluate/onnx-{name}",
            content,
            allowed=RUN_OR_REFUSED if legal else frozenset({2}),
            why="it may be whole but for what is aside" if legal else "",
        )
    for name in (
        "constant-of-shape-of-a-terabyte",
        "a-loop-without-end",
        "batch-of-a-million",
        "external-data",
        "no-inputs",
        "an-unknown-operator",
    ):
        yield BENCHMARK[".onnx"].case(f"benchmark/onnx-{name}", models[name])
        yield EXPORT[".onnx"].case(f"export/onnx-{name}", models[name])
        yield QUANTIZE.case(f"quantize/onnx-{name}", models[name])
    grown = {
        "a-net-with-a-loop": _graph(_append_loop, good.onnx_model),
        "a-net-with-a-terabyte-beside": _graph(_append_filled, good.onnx_model),
        "a-net-with-external-weights": _graph(_push_out, good.onnx_model),
        "a-net-that-computes-something-else": _graph(_spoil, good.onnx_model),
        "a-net-of-a-million-faces": _graph(lambda model: setattr(model.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", 1_000_000), good.onnx_model),
    }  # fmt: skip
    for name, content in grown.items():
        yield EXPORT[".onnx"].case(f"export/onnx-{name}", content)
    for part in (0.01, 0.5, 0.99):
        data = later(lambda part=part: good.onnx_model()[: int(part * len(good.onnx_model()))])
        yield INSPECT[".onnx"].case(f"onnx/cut-at-{part}", data)
        yield EVALUATE[".onnx"].case(f"evaluate/onnx-cut-at-{part}", data)


def _append_loop(model: Any) -> None:
    from onnx import TensorProto, helper

    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [helper.make_tensor_value_info("turn", TensorProto.INT64, []), helper.make_tensor_value_info("go", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )  # fmt: skip
    model.graph.initializer.append(helper.make_tensor("turns", TensorProto.INT64, [], [2**62]))
    model.graph.initializer.append(helper.make_tensor("true", TensorProto.BOOL, [], [1]))
    model.graph.node.append(helper.make_node("Loop", ["turns", "true"], [], body=body))


def _append_filled(model: Any) -> None:
    from onnx import TensorProto, helper

    model.graph.initializer.append(helper.make_tensor("sizes", TensorProto.INT64, [2], [1 << 20, 1 << 18]))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["sizes"], ["filled"]))
    model.graph.output.append(helper.make_tensor_value_info("filled", TensorProto.FLOAT, None))


def _push_out(model: Any) -> None:
    from onnx import TensorProto

    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > 1000:
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            entry = tensor.external_data.add()
            entry.key, entry.value = "location", "net.bin"


def _spoil(model: Any) -> None:
    from onnx import helper

    model.graph.node.append(helper.make_node("Neg", [model.graph.output[0].name], ["negated"]))
    model.graph.output[0].name = "negated"


# --- TFLite and OpenVINO


def _tflite() -> Iterator[Case]:
    def changed(change: Callable[[Any], object]) -> Content:
        def make() -> bytes:
            import flatbuffers
            from ai_edge_litert import schema_py_generated as schema

            model = schema.ModelT.InitFromPackedBuf(good.tiny_tflite())
            change(model)
            builder = flatbuffers.Builder(1024)
            builder.Finish(model.Pack(builder), b"TFL3")
            return bytes(builder.Output())

        return later(make)

    graph = lambda model: model.subgraphs[0]  # noqa: E731 - a word for many lines
    numbers = lambda *values: np.array(values, np.int32)  # noqa: E731
    files: dict[str, Content] = {
        "of-no-graphs": changed(lambda model: setattr(model, "subgraphs", [])),
        "of-no-inputs": changed(lambda model: setattr(graph(model), "inputs", numbers())),
        "of-no-outputs": changed(lambda model: setattr(graph(model), "outputs", numbers())),
        "of-no-operators": changed(lambda model: setattr(graph(model), "operators", [])),
        "an-input-beyond-the-tensors": changed(lambda model: setattr(graph(model), "inputs", numbers(99))),
        "an-input-of-minus-one": changed(lambda model: setattr(graph(model), "inputs", numbers(-1))),
        "an-operator-beyond-the-tensors": changed(lambda model: setattr(graph(model).operators[0], "inputs", numbers(0, 1 << 30))),
        "an-operator-that-writes-nothing": changed(lambda model: setattr(graph(model).operators[0], "outputs", numbers())),
        "an-unknown-operator": changed(lambda model: setattr(model.operatorCodes[0], "builtinCode", 9999)),
        "a-custom-operator": changed(lambda model: (setattr(model.operatorCodes[0], "builtinCode", 32), setattr(model.operatorCodes[0], "deprecatedBuiltinCode", 32), setattr(model.operatorCodes[0], "customCode", "Evil"))),
        "an-operator-code-beyond-the-codes": changed(lambda model: setattr(graph(model).operators[0], "opcodeIndex", 77)),
        "a-buffer-beyond-the-buffers": changed(lambda model: setattr(graph(model).tensors[1], "buffer", 1 << 20)),
        "a-tensor-of-an-unknown-type": changed(lambda model: setattr(graph(model).tensors[0], "type", 99)),
        "a-tensor-of-text": changed(lambda model: setattr(graph(model).tensors[0], "type", 5)),
        "a-tensor-of-terabytes": changed(lambda model: setattr(graph(model).tensors[0], "shape", numbers(1, 1 << 20, 1 << 20, 3))),
        "a-tensor-of-negative-size": changed(lambda model: setattr(graph(model).tensors[0], "shape", numbers(1, -8, 8, 3))),
        "a-tensor-of-no-axes": changed(lambda model: setattr(graph(model).tensors[0], "shape", numbers())),
        "a-batch-of-a-million": changed(lambda model: setattr(graph(model).tensors[0], "shape", numbers(1_000_000, 8, 8, 3))),
        "an-axis-beyond-the-axes": changed(lambda model: setattr(model.buffers[1], "data", np.frombuffer(struct.pack("<2i", 7, 900), np.uint8))),
        "a-buffer-cut": changed(lambda model: setattr(model.buffers[1], "data", np.zeros(3, np.uint8))),
        "a-name-with-a-newline": changed(lambda model: setattr(graph(model).tensors[0], "name", "\n::error::PWNED")),
        "a-name-of-noise": later(lambda: good.tiny_tflite().replace(b"faces", b"fa\xff\xfes")),
        "a-version-of-99": changed(lambda model: setattr(model, "version", 99)),
        "an-offset-of-4-gib": later(lambda: b"\xff\xff\xff\xff" + good.tiny_tflite()[4:]),
        "an-offset-of-zero": later(lambda: bytes(4) + good.tiny_tflite()[4:]),
        "a-mark-and-nothing": b"\x08\0\0\0TFL3",
        "a-mark-and-noise": b"\x10\0\0\0TFL3" + bytes(range(256)),
    }  # fmt: skip
    told = {"a-name-with-a-newline", "a-version-of-99", "of-no-operators", "an-axis-beyond-the-axes", "a-buffer-cut", "a-batch-of-a-million", "a-tensor-of-text", "a-tensor-of-terabytes", "a-tensor-of-negative-size", "of-no-outputs", "a-buffer-beyond-the-buffers", "a-custom-operator", "an-operator-that-writes-nothing", "a-tensor-of-no-axes"}  # fmt: skip
    for name, content in files.items():
        yield INSPECT[".tflite"].case(
            f"tflite/{name}",
            content,
            allowed=RUN_OR_REFUSED if name in told else frozenset({2}),
            why="`inspect` says what a model holds, and runs nothing of it" if name in told else "",
        )
        yield EVALUATE[".tflite"].case(f"evaluate/tflite-{name}", content)
    for name in ("an-offset-of-4-gib", "a-tensor-of-terabytes", "an-input-beyond-the-tensors", "a-mark-and-noise"):
        yield BENCHMARK[".tflite"].case(f"benchmark/tflite-{name}", files[name])
    for part in (0.02, 0.5, 0.98):
        data = later(lambda part=part: good.tflite_model()[: int(part * len(good.tflite_model()))])
        yield INSPECT[".tflite"].case(
            f"tflite/cut-at-{part}", data, allowed=RUN_OR_REFUSED, why="what is cut may be weights alone"
        )
        yield EVALUATE[".tflite"].case(f"evaluate/tflite-cut-at-{part}", data)
    for number in range(6):
        data = later(lambda number=number: _turned(good.tiny_tflite(), 8 + number * 67))
        yield INSPECT[".tflite"].case(
            f"tflite/turned-{number}", data, allowed=RUN_OR_REFUSED, why="a name or a size may turn to another"
        )


def _openvino() -> Iterator[Case]:
    def edited(edit: Callable[[str], str], weights: Content | None = None, name: str = "net.bin") -> Content:
        def make(path: Path) -> None:
            text, data = good.ir_model()
            path.write_text(edit(text.decode()))
            if weights is None:
                path.with_name(name).write_bytes(data)
            elif callable(weights):
                weights(path.with_name(name))
            else:
                path.with_name(name).write_bytes(weights)

        return make

    same = lambda text: text  # noqa: E731
    entity = '<!DOCTYPE net [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    laughs = (
        "<!DOCTYPE net [<!ENTITY a 'xx'>"
        + "".join(f"<!ENTITY {chr(98 + k)} '{f'&{chr(97 + k)};' * 10}'>" for k in range(12))
        + "]>"
    )
    files: dict[str, Content] = {
        "no-bin": lambda path: path.write_bytes(good.ir_model()[0]),
        "a-doctype": edited(lambda text: text.replace("<net", f"{entity}<net", 1)),
        "a-doctype-of-laughs": edited(lambda text: text.replace("<net", f"{laughs}<net", 1).replace('name="', 'name="&m;', 1)),
        "a-doctype-far-in": edited(lambda text: text.replace("<net", f"<!--{'x' * 100_000}-->{entity}<net", 1)),
        "a-doctype-in-utf-16": lambda path: (path.write_bytes(good.ir_model()[0].decode().replace("<net", f"{entity}<net", 1).encode("utf-16")), path.with_suffix(".bin").write_bytes(good.ir_model()[1])),
        "bin-empty": edited(same, b""),
        "bin-cut": edited(same, later(lambda: good.ir_model()[1][:1000])),
        "bin-pipe": edited(same, __import__("os").mkfifo),
        "bin-device": edited(same, link("/dev/zero")),
        "bin-folder": edited(same, lambda path: path.mkdir()),
        "offsets-beyond-the-bin": edited(lambda text: text.replace('offset="0"', 'offset="999999999999"')),
        "offsets-negative": edited(lambda text: text.replace('offset="0"', 'offset="-8"')),
        "sizes-of-2-to-the-63": edited(lambda text: text.replace(' size="', ' size="9223372036854775807', 1)),
        "shapes-of-terabytes": edited(lambda text: text.replace('shape="?,3,112,112"', 'shape="?,3,1099511627776,112"')),
        "shapes-of-text": edited(lambda text: text.replace('shape="?,3,112,112"', 'shape="many"')),
        "an-unknown-layer": edited(lambda text: text.replace('type="Convolution"', 'type="Evil"', 1)),
        "an-unknown-opset": edited(lambda text: text.replace('version="opset1"', 'version="opset999"')),
        "a-version-of-99": edited(lambda text: text.replace('version="11"', 'version="99"', 1)),
        "edges-in-a-ring": edited(lambda text: text.replace('to-layer="2"', 'to-layer="1"').replace('from-layer="0"', 'from-layer="9"')),
        "edges-to-nowhere": edited(lambda text: text.replace('to-layer="2"', 'to-layer="99999"', 1)),
        "no-layers": edited(lambda text: '<?xml version="1.0"?><net name="x" version="11"><layers/><edges/></net>'),
        "no-net": edited(lambda text: '<?xml version="1.0"?><x/>'),
        "a-hundred-thousand-open-tags": edited(lambda text: "<net>" * 100_000),
        "cut": edited(lambda text: text[: len(text) // 2]),
    }  # fmt: skip
    for name, content in files.items():
        yield INSPECT[".xml"].case(f"ir/{name}", content)
        if name in {
            "no-bin",
            "a-doctype",
            "bin-cut",
            "bin-pipe",
            "offsets-beyond-the-bin",
            "an-unknown-layer",
            "shapes-of-terabytes",
            "no-layers",
        }:
            yield EVALUATE[".xml"].case(f"evaluate/ir-{name}", content)
            yield BENCHMARK[".xml"].case(f"benchmark/ir-{name}", content)
