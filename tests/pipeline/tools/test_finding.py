import json
from pathlib import Path

import pytest

from ghostface_edge.pipeline.tools.finding import ISSUE_HEAD, Examination, Finding, State


@pytest.fixture
def examined(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("LOGNAME", "ada")
    findings = {
        "core": (Finding("packages", State.OK, "all", is_core=True),),
        "runtimes": (
            Finding("openvino", State.MISSING, "openvino is not installed", "pip install 'ghostface-edge[openvino]'"),
            Finding("tflite", State.BROKEN, "/data/ada/lib.so: SIGSEGV", "install it again", facts={"uses": ["AVX2"]}),
        ),
        "cache": (Finding("cache", State.OK, f"2 artifacts in {Path.home()}/.cache and /home/adam", is_core=True),),
    }
    return Examination("1.0", "Python 3.11", {"numpy": "2.4"}, findings)


def test_lines_name_the_fix_below_what_is_amiss_and_end_with_the_issue(examined):
    lines = list(examined.as_lines())
    at = lines.index("  openvino: missing · openvino is not installed")
    assert lines[at + 1] == "    fix: pip install 'ghostface-edge[openvino]'"
    assert lines[lines.index(ISSUE_HEAD) + 2 :] == list(examined.as_issue())


def test_an_issue_has_versions_and_what_is_amiss_but_nobodys_name(examined):
    issue = "\n".join(examined.as_issue())
    assert "ghostface-edge 1.0, Python 3.11" in issue
    assert "tflite: broken · /data/USER/lib.so: SIGSEGV" in issue
    assert "missing: openvino" in issue
    assert "packages: numpy 2.4" in issue
    assert "in ~/.cache and /home/adam" in issue, "whose name only begins alike is somebody else"


def test_json_has_all_of_it_and_no_home(examined):
    told = json.loads(json.dumps(examined.as_json()))
    assert told["core_works"]
    assert told["findings"]["runtimes"][1]["uses"] == ["AVX2"]
    assert "/home/ada/" not in json.dumps(told)


@pytest.mark.parametrize(("state", "works"), [(State.OK, True), (State.MISSING, False), (State.BROKEN, False)])
def test_the_core_decides(state, works):
    findings = {"core": (Finding("packages", state, "", is_core=True),), "x": (Finding("y", State.BROKEN, ""),)}
    assert Examination("1", "", {}, findings).core_works is works
