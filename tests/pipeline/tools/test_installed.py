import sys

import pytest

from ghostface_edge.pipeline.tools import installed
from ghostface_edge.pipeline.tools.installed import requirements


@pytest.fixture
def asking(monkeypatch):
    def ask(*lines):
        monkeypatch.setattr(installed, "requires", lambda _: list(lines))
        return requirements()

    return ask


def test_own_requirements_are_met_here():
    core = [each for each in requirements() if each.extra is None]
    assert {"numpy", "onnxruntime", "typer"} <= {each.name for each in core}
    assert all(each.is_met for each in core)


def test_a_missing_one_an_old_one_and_one_of_an_extra(asking):
    found = asking("numpy>=1", "numpy>=999", "no-such-thing-at-all>=1", 'typer>=0.1; extra == "cli"')
    assert [each.is_met for each in found] == [True, False, False, True]
    assert [each.extra for each in found] == [None, None, None, "cli"]
    assert found[1].found is not None
    assert found[2].found is None


def test_what_is_for_another_python_or_for_other_extras_is_left_out(asking):
    found = asking('numpy; python_version < "3" and extra == "old"', "ghostface-edge[a,b]; extra == 'all'", "numpy>=1")
    assert [each.asked for each in found] == ["numpy>=1"]


def test_it_looks_without_packaging_too(asking, monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert [each.is_met for each in asking("no-such-thing-at-all>=1", "numpy>=1")] == [False, True]
