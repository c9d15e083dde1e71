import os

import pytest

from ghostface_edge.targets.probe import probe


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that a process of its own can import."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def test_a_runtime_says_what_it_can_use():
    found = probe("onnxruntime")
    assert found.fault is None
    assert "CPUExecutionProvider" in found.says


def test_one_that_crashes_is_named_and_crashes_nothing_else(module):
    whole, crashing = module("whole", "print('hello')"), module("crashing", "import os; os.kill(os.getpid(), 11)")
    assert probe(whole, crashing, "json").fault == "crashing: importing it ends the process with SIGSEGV"
    leaving = module("leaving", "import os; os._exit(7)")
    assert probe(leaving).fault == "leaving: importing it ends the process with exit code 7"


def test_one_that_cannot_be_imported_says_why(module):
    failing = module("failing", "raise ImportError('libgomp.so.1: no such file')")
    assert probe(failing).fault == "failing: ImportError: libgomp.so.1: no such file"
