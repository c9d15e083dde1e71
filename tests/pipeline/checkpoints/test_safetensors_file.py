import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.checkpoints.safetensors_file import check
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.reports.errors import InputError

from ..conftest import MakeCheckpoint


def written(path: Path, header: object, data: bytes = bytes(16)) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def tensor(**changed: object) -> dict[str, object]:
    return {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16], **changed}}


def test_what_the_library_writes_passes(tmp_path: Path) -> None:
    arrays = {"a": np.zeros((2, 3), np.float32), "b": np.zeros((), np.float16), "none": np.zeros((0, 3), np.int64)}
    save_file(arrays, tmp_path / "net.safetensors", {"key": "value"})
    check(tmp_path / "net.safetensors")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"[" * 60_000, "nested too deep"),
        (b'{"a": ' * 60_000, "nested too deep"),
        (b"", "header of|Expecting value"),
        (b"[]", "no JSON object"),
        (b'{"a": {}, "a": {}}', "twice"),
        (b'{"\xff": 1}', "utf-8"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
        ({"a": 1}, "lacks its type"),
        ({"a": {"dtype": "F32"}}, "lacks its type"),
        (tensor(dtype=["F32"]), "is of type"),
        (tensor(dtype="C64"), "is of type"),
        (tensor(shape=[2, -2]), "has the shape"),
        (tensor(shape=[2.0, 2]), "has the shape"),
        (tensor(shape=[1] * 1000), "has the shape"),
        (tensor(shape=[1 << 40, 1 << 40]), "takes 16 bytes"),
        (tensor(shape=[3, 2]), "takes 16 bytes"),
        (tensor(data_offsets=[0, 1 << 40]), "takes"),
        (tensor(data_offsets=[16, 32]), "overlap, leave gaps"),
        (tensor() | {"b": tensor()["a"]}, "overlap, leave gaps"),
        ({"__metadata__": {"a": 1}, **tensor()}, "metadata is not text"),
    ],
)
def test_other_headers_are_refused(tmp_path: Path, header: object, message: str) -> None:
    path = written(tmp_path / "net.safetensors", header)
    with pytest.raises(InputError, match=message):
        check(path)


@pytest.mark.parametrize("length", [1 << 40, 0, 100_000_000])
def test_a_header_is_not_longer_than_the_file(tmp_path: Path, length: int) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}" + bytes(100))
    with pytest.raises(InputError, match="not a readable safetensors file"):
        check(path)


def test_pipes_folders_and_endless_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "device.safetensors").symlink_to("/dev/zero")
    with (tmp_path / "sparse.safetensors").open("wb") as file:
        file.truncate(1 << 40)
    for name, message in {"pipe": "a pipe", "folder": "a folder", "device": "a device", "sparse": "more than"}.items():
        with pytest.raises(InputError, match=message):
            load_checkpoint(tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image_size", 16.5), ("image_size", 10**9), ("image_size", True), ("embedding_size", -5),
        ("embedding_size", 10**12), ("embedding_size", "512"), ("width", 1e9), ("width", float("nan")), ("width", "1"),
        ("stride", 3), ("stride", [2]), ("version", 2.0), ("head_bias", "no"), ("activation", "gelu"), ("extra", 1),
    ],
)  # fmt: skip
def test_declared_architectures_have_bounds(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, field: str, value: object
) -> None:
    declared = {"width": 0.2, "activation": "prelu", field: value}
    weights = dict(make_checkpoint(Architecture(0.2)).weights)
    save_file(weights, tmp_path / "net.safetensors", {"ghostface_edge.architecture": json.dumps(declared)})
    with pytest.raises(InputError, match="metadata"):
        load_checkpoint(tmp_path / "net.safetensors")


@pytest.mark.parametrize("text", ["[" * 60_000, '{"a": ' * 60_000, "9" * 5000])
@pytest.mark.parametrize("key", ["architecture", "preprocessing"])
def test_declarations_of_any_text_are_refused(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, key: str, text: str
) -> None:
    weights = dict(make_checkpoint(Architecture(0.2)).weights)
    save_file(weights, tmp_path / "net.safetensors", {f"ghostface_edge.{key}": text})
    with pytest.raises(InputError, match="metadata"):
        load_checkpoint(tmp_path / "net.safetensors")
