from pathlib import Path

import cv2
import numpy as np
import pytest

from ghostface_edge.calibration.bin_file import write_bin
from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.calibration.gallery_folder import open_gallery
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.calibration.verification import load_pairs
from ghostface_edge.pipeline.stages import face_reader
from ghostface_edge.pipeline.stages.face_reader import FaceReader, apart, read_gallery, read_pairs, sample_faces
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import InputError, ToolError


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache")


@pytest.fixture
def small_bin(tmp_path):
    """Ten pairs over six faces, and their list beside it."""
    noise = np.random.default_rng(1).integers(0, 256, (6, 112, 112, 3), np.uint8)
    faces = [cv2.imencode(".jpg", face)[1].tobytes() for face in noise]
    pairs = [(0, 1), (2, 3), (4, 5), (1, 0), (3, 2), (0, 2), (1, 3), (2, 4), (3, 5), (5, 1)]
    path = tmp_path / "small.bin"
    write_bin(path, [faces[side] for pair in pairs for side in pair], [a // 2 == b // 2 for a, b in pairs])
    sides = [(f"P{a // 2}\t{a % 2 + 1}", f"P{b // 2}\t{b % 2 + 1}", a // 2 == b // 2) for a, b in pairs]
    lines = [f"{a}\t{b.split()[1] if same else b}" for a, b, same in sides]
    (tmp_path / "pairs.txt").write_text("\n".join(["1\t5", *lines, ""]))
    return path


def test_gives_what_reading_here_gives(small_bin, store):
    here, there = load_pairs(small_bin), read_pairs(PairsSource(small_bin), store, 1, Progress())
    assert there.images == here.images
    assert (there.index == here.index).all()
    assert there.index.dtype == here.index.dtype
    assert (there.same == here.same).all()
    assert there.people == {"P0", "P1", "P2"}
    facts = ("name", "path", "sha256", "folds", "identities", "skipped", "dealt", "protocol")
    assert [getattr(there, fact) for fact in facts] == [getattr(here, fact) for fact in facts]


def test_what_was_skipped_comes_back(small_bin, store):
    data = small_bin.read_bytes()
    small_bin.write_bytes(data.replace(b"\xff\xd9", b"\xff\xd8", 1))
    with pytest.raises(InputError, match="1 of 6 images"):
        read_pairs(PairsSource(small_bin), store, 1, Progress())
    source = PairsSource(small_bin, on_bad_image=OnBadImage.SKIP)
    there = read_pairs(source, store, 1, Progress())
    assert there.skipped_pairs == 3
    assert len(there.skipped) == 1
    assert len(there.images) == there.index.max() + 1 == 5


def test_calibration_faces_are_those_chosen_here(tmp_path, store):
    for number in range(4):
        noise = np.random.default_rng(number).integers(0, 256, (112, 112, 3), np.uint8)
        (tmp_path / "faces" / f"P{number}").mkdir(parents=True)
        (tmp_path / "faces" / f"P{number}/P{number}_0001.png").write_bytes(cv2.imencode(".png", noise)[1].tobytes())
    there = sample_faces(tmp_path / "faces", 3, 7, store)
    assert there == sample(scan_folder(tmp_path / "faces"), 3, 7)
    (tmp_path / "faces/P0/P0_0001.png").write_bytes(b"")
    with pytest.raises(InputError, match="empty file"):
        sample_faces(tmp_path / "faces", 4, 7, store)


def test_a_gallery_is_the_one_read_here(tmp_path, store, monkeypatch):
    """Also where one message does not name all files."""
    monkeypatch.setattr(face_reader, "_FILES_AT_ONCE", 2)
    for number in range(5):
        noise = np.random.default_rng(number).integers(0, 256, (112, 112, 3), np.uint8)
        (tmp_path / f"faces/P{number // 2}").mkdir(parents=True, exist_ok=True)
        path = tmp_path / f"faces/P{number // 2}/{number}.png"
        path.write_bytes(cv2.imencode(".png", noise)[1].tobytes())
    there = read_gallery(tmp_path / "faces", OnBadImage.ERROR, store, Progress())
    assert there == open_gallery(tmp_path / "faces")
    assert len(there.files) == 5
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty file"):
        read_gallery(tmp_path / "faces", OnBadImage.ERROR, store, Progress())


class Greedy(FaceReader):
    def take(self, size_mb: int) -> int:
        return len(bytearray(size_mb << 20))

    def end(self) -> int:
        raise SystemExit(9)


def test_a_process_that_ends_is_named_with_the_file(store, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[3])
    with (
        pytest.raises(ToolError, match=r"x\.bin cannot be read: .*exit code 9"),
        apart(Greedy, store, Path("x.bin")) as one,
    ):
        one.end()
    monkeypatch.setattr(face_reader, "MEMORY_MB", 300)
    with pytest.raises(ToolError), apart(Greedy, store, Path("x.bin")) as one:
        one.take(3000)
    assert not list(store.folder.glob(".partial-*"))
