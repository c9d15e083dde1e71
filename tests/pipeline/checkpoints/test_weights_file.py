import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint, save_checkpoint
from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.preprocessing import METADATA_KEY, ColourOrder, Preprocessing
from ghostface_edge.reports.errors import InputError

from ..conftest import MakeCheckpoint

SUFFIXES = [".safetensors", ".pt", ".pth"]
ARCHITECTURES = [
    Architecture(0.2),
    Architecture(0.55, stride=1, activation=Activation.RELU),
    Architecture(0.3, version=2, embedding_size=128, head_bias=True),
]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_what_is_saved_is_loaded(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, suffix: str, architecture: Architecture
) -> None:
    saved = make_checkpoint(architecture)
    path = tmp_path / f"net{suffix}"
    save_checkpoint(saved, path)
    loaded = load_checkpoint(path)
    assert loaded.architecture == architecture
    assert loaded.preprocessing == Preprocessing()
    assert loaded.weights.keys() == saved.weights.keys()
    for name, value in saved.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], value)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_declared_preprocessing_and_size_survive(make_checkpoint: MakeCheckpoint, tmp_path: Path, suffix: str) -> None:
    made = make_checkpoint(Architecture(0.2, image_size=96))
    declared = Preprocessing(ColourOrder.BGR, 0.0, 255.0)
    path = tmp_path / f"net{suffix}"
    save_checkpoint(type(made)(path, "", made.architecture, made.weights, declared), path)
    loaded = load_checkpoint(path)
    assert loaded.architecture.image_size == 96
    assert loaded.preprocessing == declared


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_bare_weights_show_their_plan(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, architecture: Architecture
) -> None:
    weights = make_checkpoint(architecture).weights
    save_file(dict(weights), tmp_path / "bare.safetensors")
    assert load_checkpoint(tmp_path / "bare.safetensors").architecture == architecture
    prefixed = {f"module.{name}": torch.from_numpy(value) for name, value in weights.items()}
    torch.save({"epoch": 3, "state_dict": prefixed}, tmp_path / "bare.pt")
    loaded = load_checkpoint(tmp_path / "bare.pt")
    assert loaded.architecture == architecture
    assert loaded.weights.keys() == weights.keys()


def test_equal_checkpoints_give_equal_bytes(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_checkpoint(make_checkpoint(Architecture(0.2)), first)
    for _ in range(8):  # the library's own order changes from call to call
        save_checkpoint(make_checkpoint(Architecture(0.2)), second)
        assert first.read_bytes() == second.read_bytes()


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("bomb-went-off"),)  # type: ignore[return-value]


def test_a_pt_with_code_in_it_is_refused_unrun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"stem.conv.weight": torch.zeros(1)}, "callback": _Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(InputError, match="would run code"):
        load_checkpoint(tmp_path / "bomb.pt")
    assert not (tmp_path / "bomb-went-off").exists()


def test_a_whole_pickled_network_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pt")
    with pytest.raises(InputError, match="would run code"):
        load_checkpoint(tmp_path / "module.pt")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("keep", [0, 7, 1000])
def test_a_cut_file_is_refused(make_checkpoint: MakeCheckpoint, tmp_path: Path, suffix: str, keep: int) -> None:
    path = tmp_path / f"net{suffix}"
    save_checkpoint(make_checkpoint(Architecture(0.2)), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("blocks.4.project.cheap.norm.bias"), "'blocks.4.project.cheap.norm.bias' is missing"),
        (lambda w: w.pop("pool.conv.weight"), "pool.conv.weight"),
        (lambda w: w.update({"extra": np.zeros(3, np.float32)}), "'extra' is nothing"),
        (lambda w: w.update({"tail.norm.bias": np.zeros(3, np.float32)}), "'tail.norm.bias' has shape"),
        (lambda w: w.update({"stem.norm.bias": np.full_like(w["stem.norm.bias"], np.nan)}), "NaN"),
    ],
)
def test_other_weights_are_refused_by_name(make_checkpoint: MakeCheckpoint, tmp_path: Path, change, message) -> None:
    weights = dict(make_checkpoint(Architecture(0.2)).weights)
    change(weights)
    save_file(weights, tmp_path / "net.safetensors")
    with pytest.raises(InputError, match=message):
        load_checkpoint(tmp_path / "net.safetensors")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (METADATA_KEY, "{"),
        (METADATA_KEY, json.dumps({"colour": "GBR", "mean": 0, "scale": 1, "layout": "NCHW"})),
        (METADATA_KEY, json.dumps({"colour": "RGB", "mean": 0, "scale": 0, "layout": "NCHW"})),
        ("ghostface_edge.architecture", json.dumps({"width": 0.2})),
        ("ghostface_edge.architecture", json.dumps({"width": 1e9, "stride": 2, "version": 1, "activation": "prelu"})),
        ("ghostface_edge.architecture", json.dumps({"width": 0.2, "version": 3, "activation": "prelu"})),
    ],
)
def test_damaged_declarations_are_refused(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, key: str, value: str
) -> None:
    save_file(dict(make_checkpoint(Architecture(0.2)).weights), tmp_path / "net.safetensors", {key: value})
    with pytest.raises(InputError, match="metadata"):
        load_checkpoint(tmp_path / "net.safetensors")


def test_unknown_endings_are_refused(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.npz"):
        save_checkpoint(make_checkpoint(Architecture(0.2)), tmp_path / "net.npz")
    (tmp_path / "net.npz").touch()
    with pytest.raises(InputError, match=r"\.npz"):
        load_checkpoint(tmp_path / "net.npz")
    with pytest.raises(InputError, match="no such"):
        load_checkpoint(tmp_path / "none.pt")


def test_the_official_weights_survive_every_format(assets: Path, tmp_path: Path) -> None:
    official = load_checkpoint(assets / "checkpoints/GN_W0.5_S2_ArcFace_epoch16.h5")
    for suffix in SUFFIXES:
        save_checkpoint(official, tmp_path / f"net{suffix}")
        loaded = load_checkpoint(tmp_path / f"net{suffix}")
        assert loaded.architecture == official.architecture
        assert all(np.array_equal(loaded.weights[name], value) for name, value in official.weights.items())
