import tarfile
from pathlib import Path

import pytest

from ghostface_edge.calibration.aligned_folder import new_folder
from ghostface_edge.calibration.alignment import Origin, central_landmarks
from ghostface_edge.calibration.bin_file import write_bin
from ghostface_edge.calibration.landmarks import COLUMNS
from ghostface_edge.calibration.pairs_source import PairsSource, open_pairs
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.reports.errors import InputError


@pytest.fixture
def raw(tmp_path, picture, encode):
    """A pair list, its photographs and their landmarks."""
    rows = [",".join(COLUMNS)]
    for number, name in enumerate(("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bo/Bo_0001.jpg")):
        (tmp_path / "lfw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lfw" / name).write_bytes(encode(picture(number, 200, 160)))
        rows.append(",".join([name, *map(str, central_landmarks(200, 160).ravel())]))
    (tmp_path / "landmarks.csv").write_text("\n".join([*rows, ""]))
    (tmp_path / "pairs.txt").write_text("2\t1\nAnn\t1\t2\nAnn\t1\tBo\t1\nAnn\t2\t1\nAnn\t2\tBo\t1\n")
    return PairsSource(tmp_path / "pairs.txt", tmp_path / "lfw", tmp_path / "landmarks.csv")


def test_photographs_are_aligned(raw, tmp_path):
    steps = []
    opened = open_pairs(raw, new_folder(tmp_path / "cache"), progress=lambda *step: steps.append(step))
    assert opened.aligned.count(Origin.GIVEN) == 3
    assert opened.pairs.same.tolist() == [True, False, True, False]
    assert steps[-1] == (3, 3)


def test_an_archive_gives_the_same_faces_as_its_folder(raw, tmp_path):
    with tarfile.open(tmp_path / "lfw.tgz", "w:gz") as archive:
        archive.add(tmp_path / "lfw", "lfw")
    packed = PairsSource(raw.path, tmp_path / "lfw.tgz", raw.landmarks)
    unpacked = open_pairs(raw, new_folder(tmp_path / "cache")).pairs
    assert open_pairs(packed, new_folder(tmp_path / "cache")).pairs.images == unpacked.images


def test_aligned_faces_and_bins_need_no_alignment(face_folder, tmp_path):
    listing = tmp_path / "pairs.txt"
    listing.write_text("2\t1\nAnn\t1\t2\nAnn\t1\tBo\t1\nAnn\t2\t1\nAnn\t2\tBo\t1\n")
    opened = open_pairs(PairsSource(listing, face_folder({"Ann": 2, "Bo": 1})), new_folder(tmp_path / "cache"))
    assert opened.aligned is None
    faces = [*opened.pairs.images, opened.pairs.images[0]] * 5
    write_bin(tmp_path / "set.bin", faces, [True, False] * 5)
    assert len(open_pairs(PairsSource(tmp_path / "set.bin"), new_folder(tmp_path / "cache")).pairs.images) == 3
    assert not (tmp_path / "cache").exists()


def test_bad_photographs_can_be_skipped(raw, tmp_path):
    (raw.faces / "Bo/Bo_0001.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"line 3: Bo/Bo_0001.jpg: empty file"):
        open_pairs(raw, new_folder(tmp_path / "cache"))
    skipping = PairsSource(raw.path, raw.faces, raw.landmarks, on_bad_image=OnBadImage.SKIP)
    opened = open_pairs(skipping, new_folder(tmp_path / "cache"))
    assert opened.pairs.skipped_pairs == 2
    assert len(opened.aligned.skipped) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"faces": "f", "landmarks": "l", "detector": "d"}, "both given"),
        ({"detector": "d"}, "no photographs"),
        ({"path": "x.bin", "faces": "f"}, "holds its own faces"),
        ({"faces": "f", "names": "n"}, "is a list of names itself"),
        ({}, "names images without holding them"),
    ],
)
def test_options_that_do_not_go_together(tmp_path, options, reason):
    paths = {"path": "pairs.txt", **options}
    with pytest.raises(InputError, match=reason):
        open_pairs(PairsSource(**{option: Path(path) for option, path in paths.items()}), new_folder(tmp_path))
