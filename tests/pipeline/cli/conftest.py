"""One finished main job on the embedded network and rendered faces, shared by the tests of all verbs."""

import os
import subprocess
import sys

import pytest

from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.synthetic.sets import write_calibration, write_pairs

from ..people import write_people

TARGETS = "openvino-fp32,openvino-fp16,openvino-int8,onnxruntime,tflite"
"""Of the shared job: all but what NNCF makes, which takes longest."""


@pytest.fixture(scope="session")
def few_pairs(tmp_path_factory):
    """60 rendered pairs, with the list of names beside them."""
    return write_pairs(tmp_path_factory.mktemp("pairs"), 60)


@pytest.fixture(scope="session")
def few_faces(tmp_path_factory):
    """40 rendered people, none of them in the pairs."""
    return write_calibration(tmp_path_factory.mktemp("calibration"), 40)


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A folder of 40 rendered people with two pictures and 35 with one, none of them in the pairs."""
    return write_people(tmp_path_factory.mktemp("gallery") / "people", [2] * 40 + [1] * 35)


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


@pytest.fixture
def hiding(tmp_path):
    """Environment in which top-level modules are not found, as if they were not installed; their metadata stays."""

    def environment(*modules):
        folder = tmp_path / "hiding"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(
            "import sys\nfrom importlib.machinery import PathFinder\n"
            "class Hiding:\n"
            "    find_distributions = staticmethod(PathFinder.find_distributions)\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            f"        hidden = name.split('.')[0] in {set(modules)}\n"
            "        return None if hidden else PathFinder.find_spec(name, path, target)\n"
            "sys.meta_path[:] = [Hiding() if finder is PathFinder else finder for finder in sys.meta_path]\n"
        )
        return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))}

    return environment


@pytest.fixture(scope="session")
def given(few_pairs, few_faces, tmp_path_factory):
    """Options of a small but whole job, with a recipe that needs seconds."""
    recipe = tmp_path_factory.mktemp("recipe") / "short.yaml"
    recipe.write_text(
        "name: short\nranges: {method: min-max, faces: 32}\ncorrection: {faces: 32}\nsensitivity_faces: 0\n"
    )
    return {
        "recipe": recipe,
        "--checkpoint": default_checkpoint(),
        "--pairs": few_pairs,
        "--calibration": few_faces,
    }


@pytest.fixture(scope="session")
def finished(cli, given, tmp_path_factory):
    """The outcome of that job over all variants but the slowest, and its folder."""
    out = tmp_path_factory.mktemp("run") / "out"
    return cli("run", *arguments_of(given), "--targets", TARGETS, "--out", out), out


def arguments_of(given):
    return [part for name, value in given.items() for part in ((value,) if name == "recipe" else (name, value))]
