"""An environment of its own: a real one, of a wheel that is made here and lends it this Python's NumPy."""

import importlib.metadata
import json
import os
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from ghostface_edge.pipeline.tools.environments import described, install, remove
from ghostface_edge.reports.errors import RuntimeMissingError, ToolError
from ghostface_edge.targets.environment import Environment, NodeEnvironment
from ghostface_edge.targets.onnxruntime.embedder import OnnxruntimeEmbedder
from ghostface_edge.targets.places.board import Board
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.places.inside import open_inside
from ghostface_edge.targets.places.inventory import Inventory
from ghostface_edge.targets.tflite.old_runtime import TFLITE_RUNTIME

TINY = Environment(
    name="tiny",
    python=".".join(map(str, sys.version_info[:2])),
    requirements=("lender==1.0",),
    imports=("lender", "numpy"),
    modules=(
        "targets.onnxruntime.embedder",
        "targets.onnxruntime.exact",
        "targets.places.board",
        "targets.places.board_facts",
    ),
    download_mb=1,
    installed_mb=20,
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """An empty cache, and a folder of wheels that is all that pip sees."""
    folder = tmp_path_factory.mktemp("environments")
    (folder / "wheels").mkdir()
    described_as = "Metadata-Version: 2.1\nName: lender\nVersion: 1.0\nRequires-Dist: nowhere\n"
    site = Path(np.__file__).parents[1]
    with zipfile.ZipFile(folder / "wheels/lender-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("lender.py", "")
        wheel.writestr("lender.pth", f"{site}\n")
        wheel.writestr("lender-1.0.dist-info/METADATA", described_as)
        wheel.writestr("lender-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("lender-1.0.dist-info/RECORD", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHOSTFACE_EDGE_CACHE", str(folder / "cache"))
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(folder / "wheels"))
        patch.setenv("PIP_CONFIG_FILE", "/dev/null")
        yield folder / "cache"


@pytest.fixture(scope="module")
def installed(cache):
    """Made over what a killed process left there."""
    TINY.folder.mkdir(parents=True)
    (TINY.folder / "half").touch()
    assert not TINY.is_installed
    told = []
    install(TINY, told.append)
    return told


def test_it_says_its_size_first_and_its_versions_then(installed):
    size, versions, where = installed
    assert "1 packages for" in size
    assert "20 MB on disk, as recorded" in size
    assert "lender 1.0" in versions
    assert str(TINY.folder) in where
    assert not (TINY.folder / "half").exists()
    assert described(TINY).size_bytes > 1e6
    again = []
    install(TINY, again.append)
    assert len(again) == 1


def test_other_pins_are_another_environment(installed):
    other = replace(TINY, requirements=("lender==1.1",))
    assert other.folder != TINY.folder
    with pytest.raises(RuntimeMissingError) as missing, open_inside(other, Inventory, ()):
        pass
    assert missing.value.fix == "ghostface-edge targets install tiny"


def test_what_runs_there_sees_nothing_of_ours_but_what_was_sent(installed):
    with open_inside(TINY, Inventory, ("ghostface_edge.targets.places.board",)) as there:
        assert there.versions()["lender"] == "1.0"
    with (
        open_inside(TINY, Inventory, ("ghostface_edge.targets.table",)) as there,
        pytest.raises(ToolError, match="No module"),
    ):
        there.versions()


def test_a_model_that_is_loaded_there_gives_what_it_gives_here(installed, tmp_path):
    faces, model = np.random.default_rng(3).integers(0, 256, (2, 28, 28, 3), dtype=np.uint8), tmp_path / "model.onnx"
    nodes = [
        helper.make_node("GlobalAveragePool", ["faces"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embeddings"]),
    ]
    ends = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3, *size])
        for name, size in (("faces", (28, 28)), ("embeddings", ()))
    )
    graph = helper.make_graph(nodes, "tiny", *([end] for end in ends))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), model)
    here, there = OnnxruntimeEmbedder(model, 1, 2), Elsewhere(TINY, Board, ("onnxruntime",), model, 1, 2)
    inputs = there.prepare(faces)
    np.testing.assert_array_equal(there.run(inputs), here.run(here.prepare(faces)))
    np.testing.assert_array_equal(there.infer(inputs), here.infer(here.prepare(faces)))
    assert len(there.time(faces, 3)) == 3
    assert there.peak_rss_mb() > 10
    with pytest.raises(ToolError, match=r"none\.onnx"):
        Elsewhere(TINY, Board, ("onnxruntime",), tmp_path / "none.onnx", 1, 2)


def test_it_is_removed_with_those_of_other_pins(installed):
    old, other = TINY.root / f"tiny-{'0' * 16}", TINY.root / "tiny-but-another"
    for folder in (old, other):
        folder.mkdir()
    assert remove(TINY) > 1e6
    assert not TINY.is_installed
    assert [old.exists(), other.exists()] == [False, True]
    assert described(TINY).size_bytes is None


NODE = NodeEnvironment(
    name="node-tiny",
    requirements=("lender==1.0", "@of/its-own==2.0"),
    imports=("lender",),
    download_mb=1,
    installed_mb=2,
    node=18,
    far_side="ghostface_edge.targets.web:sources/far_side.mjs",
)


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Stands for npm, which installs nothing without a registry: leaves what it is told, and runs on the real Node."""
    if shutil.which("node") is None:
        pytest.skip("no Node here")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(tmp_path / "cache"))

    def leave(*packages, code=0):
        lines = ['for folder; do :; done; grep -q \'"lender": "1.0"\' "$folder/package.json" || exit 3']
        for name, version, program in packages:
            where, described_as = f"$folder/node_modules/{name}", json.dumps({"name": name, "version": version})
            lines += [f'mkdir -p "{where}"; echo \'{described_as}\' > "{where}/package.json"']
            lines += [f'echo "{program}" > "{where}/index.js"']
        (tmp_path / "npm").write_text("\n".join(["#!/bin/sh", *lines, f"echo 'npm error no room' >&2; exit {code}"]))
        (tmp_path / "npm").chmod(0o755)

    return leave


def test_packages_of_npm_are_installed_and_imported(npm):
    npm(("lender", "1.0", "module.exports = 1"), ("@of/its-own", "2.0", ""))
    told = []
    install(NODE, told.append)
    size, versions, _ = told
    assert "2 packages for Node 18, 1 MB to download" in size
    assert "@of/its-own 2.0, lender 1.0" in versions
    assert described(NODE).interpreter == "Node 18"
    assert remove(NODE) > 0
    assert not NODE.is_installed


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([("lender", "1.0", ""), ("@of/its-own", "2.0", ""), ("more", "1.0", "")], 0, "not what is pinned"),
        ([("lender", "1.0", "throw Error('no such thing')"), ("@of/its-own", "2.0", "")], 0, "no such thing"),
        ([], 1, "npm error no room"),
    ],
)
def test_what_npm_does_otherwise_leaves_nothing(npm, packages, code, said):
    npm(*packages, code=code)
    with pytest.raises(ToolError, match=said):
        install(NODE, lambda _: None)
    assert not NODE.folder.exists()


def test_without_node_there_is_a_line_that_brings_it(monkeypatch, tmp_path):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeMissingError) as missing:
        install(NODE, lambda _: None)
    assert "apt-get install nodejs npm" in missing.value.fix
    with pytest.raises(RuntimeMissingError) as missing:
        NODE.require()
    assert missing.value.fix == "ghostface-edge targets install node-tiny"


def test_old_interpreters_are_pinned_with_all_that_they_need():
    assert TFLITE_RUNTIME.versions == {"tflite-runtime": "2.14.0", "numpy": "1.26.4"}
    assert "tflite-runtime" not in {each.metadata["Name"] for each in importlib.metadata.distributions()}
