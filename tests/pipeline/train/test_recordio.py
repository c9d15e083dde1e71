import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from ghostface_edge.pipeline.train.recordio import RecordFaces
from ghostface_edge.reports.errors import InputError


def record(payload: bytes, *labels: float) -> bytes:
    flag = 0 if len(labels) == 1 else len(labels)
    body = struct.pack("<IfQQ", flag, 0.0 if flag else labels[0], 0, 0)
    body += (struct.pack(f"<{flag}f", *labels) if flag else b"") + payload
    return struct.pack("<II", 0xCED7230A, len(body)) + body + bytes(-len(body) % 4)


def png(seed: int, size: int = 112) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1])


def write_set(folder: Path, records: dict[int, bytes]) -> Path:
    offset, lines = 0, []
    with (folder / "train.rec").open("wb") as file:
        for key, data in records.items():
            lines.append(f"{key}\t{offset}\n")
            offset += file.write(data)
    (folder / "train.idx").write_text("".join(lines))
    return folder


@pytest.fixture
def people() -> dict[int, bytes]:
    """InsightFace's layout: header, images of three people, then the people's own records."""
    records = {0: record(b"", 6.0, 9.0)}
    for key, who in zip(range(1, 6), (0, 0, 1, 2, 2), strict=True):
        # labels of newer sets are written as two, of which the first counts
        records[key] = record(png(key), float(who)) if key < 3 else record(png(key), float(who), 0.0)
    spans = {6: (1, 3), 7: (3, 4), 8: (4, 6)}
    return records | {key: record(b"", *map(float, span)) for key, span in spans.items()}


def test_images_and_people_are_read_by_position(people: dict[int, bytes], tmp_path: Path) -> None:
    faces = RecordFaces(write_set(tmp_path, people))
    assert (len(faces), faces.people) == (5, 3)
    loaded = [faces.load(position, epoch=0) for position in range(5)]
    assert [who for _, who in loaded] == [0, 0, 1, 2, 2]
    for key, (face, _) in enumerate(loaded, start=1):
        np.testing.assert_array_equal(face, cv2.imdecode(np.frombuffer(png(key), np.uint8), 1)[..., ::-1])


def test_a_set_without_a_header_of_people_holds_images_alone(people: dict[int, bytes], tmp_path: Path) -> None:
    bare = {0: record(b"", 0.0)} | {key: people[key] for key in range(1, 6)}
    faces = RecordFaces(write_set(tmp_path, bare))
    assert (len(faces), faces.people) == (5, 3)


def test_images_are_read_when_asked_for_and_not_before(people: dict[int, bytes], tmp_path: Path) -> None:
    people[4] = record(b"no image", 1.0)
    faces = RecordFaces(write_set(tmp_path, people))
    faces.load(0, epoch=0)
    with pytest.raises(InputError, match="record 4 cannot be used"):
        faces.load(3, epoch=0)


@pytest.mark.parametrize(
    ("key", "data", "message"),
    [
        (2, record(png(2, size=96), 0.0), "record 2 cannot be used: 96x96"),
        (2, record(png(2), 3.0), "shows person 3 of 3"),
        (2, b"\0" * 400, "no whole record 2"),
        (2, struct.pack("<II", 0xCED7230A, 1 << 29 | 40) + bytes(60), "no whole record 2"),
        (2, struct.pack("<II", 0xCED7230A, 30) + struct.pack("<IfQQ", 1 << 30, 0, 0, 0) + bytes(8), "announces"),
        (8, struct.pack("<II", 0xCED7230A, 1 << 20) + struct.pack("<IfQQ", 0, 0, 0, 0), ""),
    ],
)
def test_hostile_records_are_refused(
    people: dict[int, bytes], tmp_path: Path, key: int, data: bytes, message: str
) -> None:
    people[key] = data
    faces = RecordFaces(write_set(tmp_path, people))
    if message:
        with pytest.raises(InputError, match=message):
            faces.load(1, epoch=0)
    else:  # the people's own records are not needed
        assert len([faces.load(position, epoch=0) for position in range(5)]) == 5


def test_a_cut_file_is_refused(people: dict[int, bytes], tmp_path: Path) -> None:
    write_set(tmp_path, {key: people[key] for key in (0, 6, 7, 8, 1, 2, 3, 4, 5)})
    data = (tmp_path / "train.rec").read_bytes()
    (tmp_path / "train.rec").write_bytes(data[:-100])
    faces = RecordFaces(tmp_path)
    with pytest.raises(InputError, match="ends inside record 5"):
        faces.load(4, epoch=0)


@pytest.mark.parametrize("index", ["", "0 12\n", "zero\t0\n", "1\t0\n", "0\t-4\n"])
def test_a_damaged_index_is_refused(people: dict[int, bytes], tmp_path: Path, index: str) -> None:
    write_set(tmp_path, people)
    (tmp_path / "train.idx").write_text(index)
    with pytest.raises(InputError, match=r"train\.idx"):
        RecordFaces(tmp_path)


def test_a_missing_file_is_named(people: dict[int, bytes], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.idx"):
        RecordFaces(tmp_path)
    write_set(tmp_path, people)
    (tmp_path / "train.rec").unlink()
    with pytest.raises(InputError, match=r"train\.rec cannot be read: No such file"):
        RecordFaces(tmp_path)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({0: record(b"", 6.0, 3e38)}, "record 0 has the label"),
        ({0: record(b"", 6.0, 2.0**30)}, "tells of 1,073,741,818 identities"),
        ({0: record(b"", 6.0, 3.0)}, "tells of -3 identities"),
        ({0: record(b"", float("nan"), 9.0)}, "record 0 has the label nan"),
        ({0: record(b"", 0.0), 1: record(png(1), float("inf"))}, "record 1 has the label inf"),
        ({0: record(b"", 0.0), 1: record(png(1), -1.0)}, "record 1 has the label -1.0"),
        ({0: record(b"", *[1.0] * 2000)}, "announces 2000 labels"),
    ],
)
def test_labels_and_counts_are_bounded(people, tmp_path, changed, reason):
    with pytest.raises(InputError, match=reason):
        RecordFaces(write_set(tmp_path, people | changed))


@pytest.mark.parametrize("index", ["0\t" + "9" * 5000, "0\t0\n1\t" + "9" * 40, "0\t0\n" + "9" * 40 + "\t0", "0\t0\t0"])
def test_places_outside_of_any_file_are_refused(people, tmp_path, index):
    (write_set(tmp_path, people) / "train.idx").write_text(index)
    with pytest.raises(InputError, match=r"train\.idx"):
        RecordFaces(tmp_path)


def test_what_is_no_ordinary_file_is_refused_unread(people, tmp_path):
    write_set(tmp_path, people)
    for name in ("train.rec", "train.idx"):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
        with pytest.raises(InputError, match=r"train\..* is a pipe"):
            RecordFaces(tmp_path)
