"""The library's face: light, lazy, and what the command line calls; `script.py` is for mypy."""

import inspect
import subprocess
import sys

import pytest

import ghostface_edge
from ghostface_edge.pipeline.cli import main_job, match, measure


def test_importing_it_loads_no_library() -> None:
    program = (
        "import sys, ghostface_edge\n"
        "print(sorted({'numpy', 'cv2', 'pydantic', 'typer', 'rich', 'onnx', 'torch'} & set(sys.modules)))\n"
        "print(ghostface_edge.Report.__name__, ghostface_edge.Matching.__name__)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == ["[]", "Report Matching"]


def test_every_name_is_there_and_no_other() -> None:
    for name in ghostface_edge.__all__:
        assert getattr(ghostface_edge, name).__doc__
    with pytest.raises(AttributeError, match="enrol"):
        _ = ghostface_edge.enrol  # type: ignore[attr-defined]


def test_its_parameters_are_the_options_of_the_command_line() -> None:
    named_otherwise = {"recipe", "input_", "json_"}
    for function, verb in (
        (ghostface_edge.run, main_job.run),
        (ghostface_edge.evaluate, measure.evaluate),
        (ghostface_edge.match, match.match),
        (ghostface_edge.match_video, match.match),
    ):
        options = inspect.signature(verb).parameters.keys() - named_otherwise
        if verb is match.match:
            options -= {"second"} if function is ghostface_edge.match_video else {"video", "camera"}
        assert options <= inspect.signature(function).parameters.keys()
