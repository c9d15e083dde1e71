from pathlib import Path

import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import replacing, write_text


def test_nothing_is_seen_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "model.onnx"
    with replacing(path) as partial:
        partial.write_bytes(b"half")
        assert not path.exists()
        assert (partial.parent, partial.suffix) == (path.parent, ".onnx")
    assert path.read_bytes() == b"half"
    assert [file.name for file in path.parent.iterdir()] == ["model.onnx"]


def test_a_failed_block_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")

    def fail(partial: Path) -> None:
        partial.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), replacing(path) as partial:
        fail(partial)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]


def test_files_may_be_read_as_the_user_s_mask_says(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "text", "a\nb\n")
    assert (tmp_path / "text").read_bytes() == b"a\nb\n"
    assert (tmp_path / "text").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "out" / "report.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
