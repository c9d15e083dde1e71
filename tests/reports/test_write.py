import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ghostface_edge.reports.errors import ExitCode, InputError, ToolError
from ghostface_edge.reports.write import remove, replacing, write_bytes, write_text


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


@pytest.mark.parametrize(
    ("number", "code"),
    [
        *((number, ExitCode.TOOL_FAILED) for number in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)),
        *((number, ExitCode.BAD_INPUT) for number in (errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOTDIR)),
        (None, ExitCode.TOOL_FAILED),
    ],
)
def test_a_disk_that_fails_is_no_fault_of_the_input(tmp_path: Path, number: int | None, code: ExitCode) -> None:
    """NumPy and others say without a number that less was written than they wanted to."""
    error = OSError("100 requested and 10 written") if number is None else OSError(number, os.strerror(number))
    path = tmp_path / "out.json"

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises((InputError, ToolError), match=r"out\.json cannot be written: ") as caught:
        fail()
    assert caught.value.exit_code is code
    assert caught.value.fix
    assert not list(tmp_path.iterdir())


def test_a_file_beyond_the_limit_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(ToolError, match="File too large"):
            write_bytes(tmp_path / "model.onnx", bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["pipe", "link to a device", "."])
def test_only_files_are_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to a device":
        path.symlink_to("/dev/null")
    else:
        path = Path(kind)
    with pytest.raises(InputError, match="no file that could be replaced"):
        write_text(path, "{}")
    assert path.is_fifo() or path.is_symlink() or path.is_dir()


def test_what_a_killed_process_left_goes_with_the_next_file_in_that_folder(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from ghostface_edge.reports.write import replacing\n"
        "with replacing(Path(sys.argv[1])) as partial:\n"
        "    partial.write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, tmp_path / "model.onnx"], check=False)
    assert ended.returncode == -signal.SIGKILL
    (tmp_path / ".mine.partial").write_text("precious")
    (tmp_path / ".folder.0123abcd.partial/below").mkdir(parents=True)
    assert len(list(tmp_path.glob(".*.partial*"))) == 3
    write_text(tmp_path / "other.json", "{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine.partial", "other.json"]


def test_what_is_still_being_written_is_no_leftover(tmp_path: Path) -> None:
    with replacing(tmp_path / "one") as first:
        first.write_text("1")
        with replacing(tmp_path / "two") as second:
            second.write_text("2")
        write_text(tmp_path / "three", "3")
    assert [(tmp_path / name).read_text() for name in ("one", "two", "three")] == ["1", "2", "3"]


def test_removing_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("precious")
    (tmp_path / "link").symlink_to("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/link").symlink_to(tmp_path / "mine")
    (tmp_path / "mine").chmod(0o500)
    (tmp_path / "folder/closed/below").mkdir(parents=True)
    (tmp_path / "folder/closed").chmod(0)
    for name in ("link", "folder", "never there"):
        remove(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "file"]
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o500
