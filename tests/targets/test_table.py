"""The table, and runtimes that other packages bring."""

import importlib
import sys

import pytest

from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.table import TARGETS, all_variants, load_target, parse_variants, runtimes

_MODULE = """
from ghostface_edge.targets.onnxruntime import OnnxruntimeTarget
from ghostface_edge.targets.protocol import Precision


class PrivateTarget(OnnxruntimeTarget):
    name = "private"
    methods = ((Precision.INT8, ""),)


class Impostor(OnnxruntimeTarget):
    pass
"""


@pytest.fixture
def private_package(tmp_path, monkeypatch):
    """A package with a runtime of its own, and one that would take a name of the table."""
    (tmp_path / "private_runtime.py").write_text(_MODULE)
    metadata = tmp_path / "private_runtime-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: private-runtime\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[ghostface_edge.targets]\nprivate = private_runtime:PrivateTarget\ntflite = private_runtime:Impostor\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield
    sys.modules.pop("private_runtime", None)


def test_an_installed_package_adds_a_runtime(private_package):
    assert runtimes() == (*TARGETS, "private")
    assert [str(variant) for variant in parse_variants(["private"])] == ["private-int8"]
    target = load_target("private")
    assert (target.name, target.methods) == ("private", ((Precision.INT8, ""),))
    assert load_target("tflite").name == "tflite", "names of the table stay the table's"


def test_without_it_there_is_none():
    assert runtimes() == tuple(TARGETS)
    assert {variant.runtime for variant in all_variants()} == set(TARGETS)
