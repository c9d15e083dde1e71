import fcntl
import os
from pathlib import Path

import pytest

from ghostface_edge.pipeline.support import file_lock


@pytest.fixture
def path(tmp_path):
    (tmp_path / "lock").touch()
    return tmp_path / "lock"


def test_many_share_a_lock_and_one_has_it_alone(path):
    first, second = file_lock.try_shared(path), file_lock.try_shared(path)
    assert file_lock.try_exclusive(path) is None
    os.close(first)
    assert file_lock.try_exclusive(path) is None
    os.close(second)
    alone = file_lock.try_exclusive(path)
    assert file_lock.try_shared(path) is None
    file_lock.share(alone)
    os.close(file_lock.try_shared(path))
    os.close(alone)


def test_a_block_has_it_alone_and_gives_it_back(path):
    with file_lock.exclusive(path):
        assert file_lock.try_shared(path) is None
    os.close(file_lock.try_exclusive(path))


def test_a_link_and_what_is_not_there_are_no_locks(path):
    (path.parent / "link").symlink_to(path)
    for name, problem in (("link", "symbolic links"), ("nothing", "No such file")):
        with pytest.raises(OSError, match=problem):
            file_lock.try_shared(path.parent / name)


def test_a_wait_that_a_signal_ends_leaves_no_file_open(path, monkeypatch):
    """The wait itself is played: nobody can tell when a process has begun to wait."""

    def interrupted(*_):
        raise KeyboardInterrupt

    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(fcntl, "flock", interrupted)
    with pytest.raises(KeyboardInterrupt), file_lock.exclusive(path):
        pytest.fail("it was never locked")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
