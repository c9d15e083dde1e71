"""A checkpoint format is a function from a path to a checkpoint and a line of the table."""

import json
import sys

import numpy as np
import pytest

from ghostface_edge.pipeline.checkpoints import formats
from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.checkpoint import Checkpoint
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError


def read_npz(path):
    """NumPy's own archive: a JSON text of the architecture beside the weights."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            weights = dict(archive)
        architecture = Architecture(**json.loads(str(weights.pop("architecture"))))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a network's archive ({error})", fix="give a whole .npz") from error
    return Checkpoint(path, file_sha256(path), architecture, weights)


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setitem(sys.modules, "npz_file", sys.modules[__name__])
    monkeypatch.setattr(formats, "READERS", {**formats.READERS, ".npz": "npz_file:read_npz"})


def test_a_file_of_the_new_ending_is_read(known, tmp_path):
    weights = {"stem.weight": np.ones((8, 3, 3, 3), np.float32)}
    np.savez(tmp_path / "net.npz", architecture=json.dumps({"width": 0.25}), **weights)
    checkpoint = load_checkpoint(tmp_path / "net.npz")
    assert checkpoint.architecture.width == 0.25
    assert (checkpoint.weights["stem.weight"] == 1).all()


def test_what_goes_for_every_format_goes_for_it(known, tmp_path):
    (tmp_path / "cut.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="not a network's archive"):
        load_checkpoint(tmp_path / "cut.npz")
    np.savez(tmp_path / "nan.npz", architecture='{"width": 1.0}', weight=np.array([np.nan], np.float32))
    with pytest.raises(InputError, match="1 NaN"):
        load_checkpoint(tmp_path / "nan.npz")
    (tmp_path / "net.xyz").touch()
    with pytest.raises(InputError) as refused:
        load_checkpoint(tmp_path / "net.xyz")
    assert ".npz" in refused.value.fix
