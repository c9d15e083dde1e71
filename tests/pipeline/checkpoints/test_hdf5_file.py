"""What is refused of an HDF5 file before any value of it is read."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.checkpoints.hdf5_file import open_hdf5, texts
from ghostface_edge.pipeline.checkpoints.keras_model import check
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.reports.errors import InputError

from ..conftest import MakeCheckpoint
from .keras_writer import KerasFile


@pytest.fixture
def path(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> Path:
    return KerasFile(make_checkpoint(Architecture(0.2))).write(tmp_path / "net.h5")


def test_links_out_of_place_are_refused_wherever_they_stand(path: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file.create_group("model_weights")
    links = {
        "model_weights": h5py.ExternalLink("secret.h5", "/model_weights"),
        "model_weights/conv2d": h5py.ExternalLink("secret.h5", "/"),
        "model_weights/conv2d/conv2d/kernel:0": h5py.SoftLink("/model_weights"),
        "optimizer": h5py.ExternalLink("/dev/zero", "/"),
        "dangling": h5py.SoftLink("/nowhere"),
    }
    whole = path.read_bytes()
    for name, link in links.items():
        path.write_bytes(whole)
        with h5py.File(path, "r+") as file:
            if name in file:
                del file[name]
            file[name] = link
        with pytest.raises(InputError, match=f"'/{name}' is a link to another place"):
            check(path)


def test_circles_of_hard_links_end(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["model_weights/conv2d/round"] = file["/"]
        file["again"] = file["model_weights"]
    check(path)


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), np.float32)
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (4,))
    file.create_virtual_dataset("virtual", layout)


def padded(file: h5py.File) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((1 << 13, 1 << 13))
    plan.set_deflate(1)
    space = h5py.h5s.create_simple((2, 2), (h5py.h5s.UNLIMITED,) * 2)
    dataset = h5py.h5d.create(file.id, b"chunk", h5py.h5t.IEEE_F32LE, space, plan)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ones((2, 2), np.float32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (virtual, "is a virtual one"),
        (lambda f: f.create_dataset("x", (4,), "f4", external=[("raw", 0, 16)]), "lies in another file"),
        (lambda f: f.create_dataset("x", data=np.zeros(1 << 24, "f4"), chunks=(1 << 16,), compression="gzip"), "takes"),
        (lambda f: f.create_dataset("x", (1 << 40,), "f4", chunks=(1 << 10,)), "takes 0 bytes"),
        (lambda f: f.create_dataset("x", (1 << 30,), "f4"), "takes 0 bytes"),
        (padded, "in chunks of 268,435,456 bytes"),
        (lambda f: f.create_dataset("x", data=np.arange(999.0), compression="lzf"), "packed in another way"),
        (lambda f: f.create_dataset("x", data=np.arange(999), scaleoffset=2), "packed in another way"),
        (lambda f: f.create_dataset("x", data=["a", "bc"]), "does not hold plain numbers"),
        (lambda f: f.create_dataset("x", (1,), h5py.ref_dtype, data=[f.ref]), "does not hold plain numbers"),
        (lambda f: f.create_dataset("x", (1,), h5py.vlen_dtype(np.int8), data=[[1]]), "does not hold plain numbers"),
        (lambda f: f.create_dataset("x", data=np.zeros(2, [("a", "f4")])), "does not hold plain numbers"),
        (lambda f: f.__setitem__("x", np.dtype("f8")), "neither a group nor an array"),
        (lambda f: [f.create_group(f"g{index}") for index in range(20_001)], "more than 20,000 objects"),
    ],
)  # fmt: skip
def test_arrays_that_are_not_plain_numbers_of_their_size_are_refused(
    path: Path, change: Callable[[h5py.File], object], message: str
) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=message):
        check(path)


def test_gzip_as_keras_users_choose_it_is_read(path: Path) -> None:
    expected = load_checkpoint(path).weights["stem.conv.weight"]
    name = "model_weights/conv2d/conv2d/kernel:0"
    with h5py.File(path, "r+") as file:
        values = file[name][()]
        del file[name]
        file.create_dataset(name, data=values, compression="gzip", shuffle=True, fletcher32=True)
    np.testing.assert_array_equal(load_checkpoint(path).weights["stem.conv.weight"], expected)


def test_an_array_of_another_shape_is_not_read(path: Path) -> None:
    name = "model_weights/conv2d/conv2d/kernel:0"
    with h5py.File(path, "r+") as file:
        del file[name]
        file.create_dataset(name, data=np.ones((3, 3, 3, 512), np.float32))
    with pytest.raises(InputError, match=r"kernel \(out, in, h, w\) \(512, 3, 3, 3\), expected"):
        load_checkpoint(path)


def test_texts_are_few_and_short(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["many"] = ["layer"] * 17
        file.attrs["numbers"] = [1, 2]
        file.attrs["none"] = np.zeros(0)
        file.attrs["names"] = [b"kernel:0", b"bias:0"]
        file.attrs["one"] = "text"
        file.attrs["long"] = "x" * (8 * 2**20 + 1)
    for name, message in {
        "many": "17 values",
        "numbers": "2 values",
        "long": "characters",
        "missing": "missing",
    }.items():
        with pytest.raises(InputError, match=message), open_hdf5(tmp_path / "net.h5") as file:
            texts(file, name)
    with open_hdf5(tmp_path / "net.h5") as file:
        assert texts(file, "none") == []
        assert texts(file, "names") == ["kernel:0", "bias:0"]
        assert texts(file, "one") == ["text"]


@pytest.mark.parametrize("config", ["[" * 60_000, '{"config": ' * 60_000, '{"config": {"layers": ' + "9" * 5000 + "}}"])
def test_a_model_config_of_any_text_is_refused(tmp_path: Path, config: str) -> None:
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["model_config"] = config
    with pytest.raises(InputError, match="not a Keras 2 functional model"):
        check(tmp_path / "net.h5")


STEM = [
    {"strides": None}, {"strides": []}, {"strides": [1e308, 1]}, {"strides": "22"}, {"strides": [0, 0]},
    {"filters": -1}, {"filters": 1e400}, {"filters": 10**30}, {"filters": {}}, {"kernel_size": []}, {"use_bias": "no"},
]  # fmt: skip


@pytest.mark.parametrize("changed", STEM, ids=str)
def test_a_layer_with_any_config_is_refused(make_checkpoint: MakeCheckpoint, tmp_path: Path, changed: dict) -> None:
    file = KerasFile(make_checkpoint(Architecture(0.2)))
    file.first("Conv2D")["config"].update(changed)
    with pytest.raises(InputError):
        load_checkpoint(file.write(tmp_path / "net.h5"))
    for key in changed:
        del file.first("Conv2D")["config"][key]
    with pytest.raises(InputError):
        load_checkpoint(file.write(tmp_path / "net.h5"))


@pytest.mark.parametrize("shape", [None, 5, [], [None, 1e9, 1e9, 3], [None, 10**6, 10**6, 3], [None, "x", "x", 3]])
def test_an_input_of_any_shape_is_refused(make_checkpoint: MakeCheckpoint, tmp_path: Path, shape: object) -> None:
    file = KerasFile(make_checkpoint(Architecture(0.2)))
    file.first("InputLayer")["config"]["batch_input_shape"] = shape
    with pytest.raises(InputError):
        load_checkpoint(file.write(tmp_path / "net.h5"))


def test_changed_bytes_are_refused_or_read(tmp_path: Path) -> None:
    """The structure of a small file, a byte at a time."""
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": []}})
        file.create_dataset("model_weights/a", data=np.arange(4.0))
    whole = (tmp_path / "net.h5").read_bytes()
    for place in range(0, len(whole), 37):
        (tmp_path / "net.h5").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(InputError):
            check(tmp_path / "net.h5")
