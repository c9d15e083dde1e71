import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import ToolError

SCRIPT = """
import os, signal, sys
from pathlib import Path
import numpy as np
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import GhostfaceEdgeError

faces = np.zeros((200, 112, 112, 3), np.uint8)
try:
    with DecodedFaces(Store(Path(sys.argv[1])), "faces", len(faces), lambda: iter([faces])) as decoded:
        decoded.path
        os.kill(os.getpid(), signal.SIGKILL)
except GhostfaceEdgeError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_faces_are_written_once_and_go_with_the_context(tmp_path):
    store, asked = Store(tmp_path), []
    faces = np.random.default_rng(1).integers(0, 256, (5, 112, 112, 3), np.uint8)

    def batches():
        asked.append(1)
        yield faces[:3]
        yield faces[3:, :, ::-1]

    with DecodedFaces(store, "faces", len(faces), batches) as decoded:
        mapped = np.load(decoded.path, mmap_mode="r")
        assert (mapped[:3] == faces[:3]).all()
        assert (mapped[3:] == faces[3:, :, ::-1]).all()
        assert decoded.path.exists()
    assert asked == [1]
    assert not list(tmp_path.rglob("*.npy"))


def test_faces_of_a_killed_run_go_with_the_next_one(tmp_path):
    ended = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path], check=False)
    assert ended.returncode == -signal.SIGKILL
    (left,) = tmp_path.rglob("faces.npy")
    for folder in (left.parent, left.parents[1]):
        assert folder.stat().st_mode & 0o077 == 0
    Store(tmp_path)
    assert not list(tmp_path.rglob("faces.npy"))


def test_a_disk_that_is_too_small_is_an_error_and_no_signal(tmp_path):
    """200 faces are 7.5 MB; a map of a file with holes would end the process by SIGBUS."""
    mount = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    command = 'mount -t tmpfs -o size=300k none "$1" && exec "$0" -c "$3" "$2"; exit 99'
    place = tmp_path / "small"
    place.mkdir()
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            [*mount, 'mount -t tmpfs -o size=300k none "$0"', place], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    done = subprocess.run(
        [*mount, command, sys.executable, place, place / "cache", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert "faces.npy cannot be written: No space left on device" in done.stdout


def test_no_room_for_faces_leaves_nothing(tmp_path):
    store = Store(tmp_path)

    def batches():
        yield np.zeros((1, 112, 112, 3), np.uint8)
        raise OSError(28, "No space left on device")

    with (
        DecodedFaces(store, "faces", 2, batches) as decoded,
        pytest.raises(ToolError, match="No space left on device"),
    ):
        _ = decoded.path
    assert not list(tmp_path.rglob("*faces*.npy"))
