from pathlib import Path

import pytest

from ghostface_edge.pipeline.tools.benchmark import labelled
from ghostface_edge.reports.errors import InputError


def test_artifacts_go_by_name_and_by_path_where_names_are_equal() -> None:
    paths = [Path("a/net.onnx"), Path("b/net.onnx"), Path("b/other.onnx")]
    assert labelled(paths) == {"a/net.onnx": paths[0], "b/net.onnx": paths[1], "other.onnx": paths[2]}


def test_one_artifact_under_two_paths_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="named twice"):
        labelled([tmp_path / "net.onnx", tmp_path / "sub" / ".." / "net.onnx"])
