"""One finished main job on real inputs, shared by the tests of all verbs."""

import os
import pickle
import subprocess
import sys

import pytest

CHECKPOINT = "checkpoints/GN_W0.5_S2_ArcFace_epoch16.h5"


@pytest.fixture(scope="session")
def few_pairs(assets, tmp_path_factory):
    """The first 10 + 10 pairs of each of LFW's folds, in the .bin's own form."""
    images, same = pickle.loads((assets / "lfw/lfw.bin").read_bytes())
    keep = [fold * 600 + half * 300 + row for fold in range(10) for half in range(2) for row in range(10)]
    path = tmp_path_factory.mktemp("pairs") / "few.bin"
    chosen = [images[2 * pair + side] for pair in keep for side in range(2)]
    path.write_bytes(pickle.dumps((chosen, [bool(same[pair]) for pair in keep])))
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def cli(cache):
    """Run `ghostface-edge` as a user does, in a process of its own, with a cache of its own."""

    def call(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "ghostface_edge.pipeline", *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**os.environ, "GHOSTFACE_EDGE_CACHE": str(cache), "COLUMNS": "200", **environment},
            check=False,
        )

    return call


@pytest.fixture(scope="session")
def given(assets, few_pairs, tmp_path_factory):
    """Options of a small but whole job: real checkpoint, 200 pairs, a recipe that needs seconds."""
    recipe = tmp_path_factory.mktemp("recipe") / "short.yaml"
    recipe.write_text(
        "name: short\nranges: {method: min-max, faces: 32}\ncorrection: {faces: 32}\nsensitivity_faces: 0\n"
    )
    return {
        "recipe": recipe,
        "--checkpoint": assets / CHECKPOINT,
        "--pairs": few_pairs,
        "--calibration": assets / "lfw/calibration",
    }


@pytest.fixture(scope="session")
def finished(cli, given, tmp_path_factory):
    """The outcome of that job over all variants, and its folder."""
    out = tmp_path_factory.mktemp("run") / "out"
    return cli("run", *arguments_of(given), "--out", out), out


def arguments_of(given):
    return [part for name, value in given.items() for part in ((value,) if name == "recipe" else (name, value))]
