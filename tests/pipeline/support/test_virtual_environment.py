"""The Python that an environment needs."""

import platform
import sys
from pathlib import Path

import pytest

from ghostface_edge.pipeline.support.virtual_environment import find_python, make
from ghostface_edge.reports.errors import RuntimeMissingError, ToolError


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_this_python_is_taken_where_it_will_do():
    assert find_python(platform.python_version()) == Path(sys.executable)


def test_what_path_and_pyenv_have_is_asked_for_its_version(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}/shims:/bin:/usr/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    program(tmp_path / "shims/python3.99", "echo 'pyenv: python3.99: command not found' >&2; exit 127")
    with pytest.raises(RuntimeMissingError, match=r"no Python 3\.99") as missing:
        find_python("3.99")
    assert "pyenv install 3.99" in missing.value.fix
    installed = program(tmp_path / "pyenv/versions/3.99.2/bin/python3.99", "echo 3.99")
    program(tmp_path / "pyenv/versions/3.99.7/bin/python3.99", "echo 3.98")
    assert find_python("3.99.1") == installed


def test_what_could_not_be_made_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    program(tmp_path / "python3.99", "[ $1 = -c ] && echo 3.99 && exit; mkdir $3; echo 'ERROR: no room' >&2; exit 1")
    folder = tmp_path / "made/here"
    with pytest.raises(ToolError, match="cannot be made: ERROR: no room"):
        make(folder, "3.99", ["nothing==1"], pytest.fail)
    assert not folder.exists()
