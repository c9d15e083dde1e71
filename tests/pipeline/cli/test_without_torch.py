"""What the command line says where PyTorch is not installed."""

import json

import pytest

from ghostface_edge.reports.errors import ExitCode

from .conftest import arguments_of


@pytest.mark.parametrize("verb", ["run", "export", "inspect", "train"])
def test_verbs_that_need_torch_say_how_to_get_it(cli, given, hiding, tmp_path, verb):
    arguments = {
        "run": [*arguments_of(given), "--targets", "onnxruntime-fp32", "--out", tmp_path / "out"],
        "export": [given["--checkpoint"], "-o", tmp_path / "net.onnx"],
        "inspect": [given["--checkpoint"]],
        "train": ["--out", tmp_path / "out"],
    }[verb]
    done = cli(verb, *arguments, **hiding("torch"))
    assert done.returncode == ExitCode.TOOL_FAILED
    assert "pip install 'ghostface-edge[torch]'" in done.stderr
    assert "fault of ghostface-edge" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_artifact_is_inspected_without_torch(finished, cli, hiding):
    _, out = finished
    (path,) = out.glob("models/*-onnxruntime-fp32.onnx")
    facts = json.loads(cli("inspect", path, "--json", **hiding("torch")).stdout)
    assert facts["mmacs"] == pytest.approx(10.72, abs=0.01)
    assert "name" not in facts
