import os
import tarfile

import pytest

from ghostface_edge.calibration.bin_file import write_bin
from ghostface_edge.calibration.first_look import (
    look_at_detector,
    look_at_landmarks,
    look_at_pairs,
    look_at_photographs,
)
from ghostface_edge.calibration.landmarks import COLUMNS
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


@pytest.mark.parametrize("text", ["", "0\t0\n", "1" * 5000, "name\t1\n", "300000\n"])
def test_a_list_is_refused_by_its_header(tmp_path, text):
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(InputError, match=r"pairs\.txt, line 1"):
        look_at_pairs(tmp_path / "pairs.txt")


def test_a_table_is_refused_by_its_columns(tmp_path):
    table = tmp_path / "marks.csv"
    for text in (",".join(COLUMNS), f"\ufeff{','.join(COLUMNS)}\r\n", ",".join(f'"{name}"' for name in COLUMNS)):
        table.write_text(text, encoding="utf-8")
        look_at_landmarks(table)
    for text in ("", "image,x\n", "x" * 5000):
        table.write_text(text)
        with pytest.raises(InputError, match=r"marks\.csv, line 1: the columns are"):
            look_at_landmarks(table)


def test_what_is_no_text_is_left_to_its_reader(tmp_path):
    for name, look in (("marks.csv", look_at_landmarks), ("pairs.txt", look_at_pairs)):
        (tmp_path / name).write_bytes(b"caf\xe9\n")
        look(tmp_path / name)


def test_a_detector_is_an_onnx_file(tmp_path):
    (tmp_path / "yunet.onnx").write_bytes(b"\x08\x08")
    look_at_detector(tmp_path / "yunet.onnx")
    for start in (b"", b"hello"):
        (tmp_path / "yunet.onnx").write_bytes(start)
        with pytest.raises(InputError, match="does not start as an ONNX file does"):
            look_at_detector(tmp_path / "yunet.onnx")


def test_photographs_are_a_folder_or_an_archive(tmp_path):
    look_at_photographs(tmp_path)
    for name, mode in (("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz"), ("a.tar", "w"), ("b.tgz", "w")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.addfile(tarfile.TarInfo("A/a.png"))
        look_at_photographs(tmp_path / name)
    (tmp_path / "a.bin").write_bytes(b"hello")
    (tmp_path / "c.tgz").write_bytes(b"hello")
    for name, says in (("a.bin", "neither a folder nor an archive"), ("c.tgz", "does not start as one does")):
        with pytest.raises(InputError, match=says):
            look_at_photographs(tmp_path / name)
