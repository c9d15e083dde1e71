import hashlib
import os

import pytest

from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError


def test_files_are_hashed_one_after_the_other(tmp_path):
    parts = [bytes(range(256)) * 5000, b"", b"end"]
    for number, part in enumerate(parts):
        (tmp_path / str(number)).write_bytes(part)
    paths = [tmp_path / str(number) for number in range(len(parts))]
    assert file_sha256(*paths) == hashlib.sha256(b"".join(parts)).hexdigest()


def test_what_has_no_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError):
            file_sha256(tmp_path / path)
