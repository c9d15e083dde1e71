import os

import pytest

from ghostface_edge.calibration.bin_file import write_bin
from ghostface_edge.calibration.first_look import look_at_pairs
from ghostface_edge.reports.errors import InputError


def test_pairs_pass(tmp_path):
    write_bin(tmp_path / "set.bin", [b"a", b"b"], [True])
    (tmp_path / "old.bin").write_bytes(b"(lp0\n.")
    (tmp_path / "pairs.txt").write_text("1\t1\n")
    for name in ("set.bin", "old.bin", "pairs.txt"):
        look_at_pairs(tmp_path / name)


def test_refuses_what_never_starts_so(tmp_path):
    for start in (b"", b"hello", b"\x89PNG", b"PK\x03\x04"):
        (tmp_path / "set.bin").write_bytes(start)
        with pytest.raises(InputError, match="does not start as a pickle does"):
            look_at_pairs(tmp_path / "set.bin")
    os.mkfifo(tmp_path / "pipe.bin")
    with pytest.raises(InputError, match="a pipe"):
        look_at_pairs(tmp_path / "pipe.bin")
