from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ghostface_edge.calibration.aligned_folder import new_folder
from ghostface_edge.calibration.alignment import central_landmarks
from ghostface_edge.calibration.cfp_protocol import read_cfp
from ghostface_edge.calibration.first_look import look_at_pairs
from ghostface_edge.calibration.landmarks import COLUMNS
from ghostface_edge.calibration.pairs_source import PairsSource, open_pairs
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.reports.errors import InputError

PEOPLE, FRONTAL, PROFILE, SPLITS = ("001", "002", "003"), 2, 1, 3


@pytest.fixture
def cfp(tmp_path: Path) -> Path:
    """The lists of three people with two frontal images and a profile each, over three splits of 2 + 2 pairs."""
    protocol = tmp_path / "cfp/Protocol"
    for letter, pose, count in (("F", "frontal", FRONTAL), ("P", "profile", PROFILE)):
        names = [f"{person}/{pose}/{number:02d}.jpg" for person in PEOPLE for number in range(1, count + 1)]
        lines = [f"{number} ../Data/Images/{name}" for number, name in enumerate(names, start=1)]
        protocol.mkdir(parents=True, exist_ok=True)
        (protocol / f"Pair_list_{letter}.txt").write_text("\n".join([*lines, ""]))
    for split in range(SPLITS):
        folder = protocol / f"Split/FP/{split + 1:02d}"
        folder.mkdir(parents=True)
        person, other = split, (split + 1) % 3
        (folder / "same.txt").write_text("".join(f"{2 * person + view},{person + 1}\n" for view in (1, 2)))
        (folder / "diff.txt").write_text("".join(f"{2 * person + view},{other + 1}\r\n" for view in (1, 2)))
    return tmp_path / "cfp"


@pytest.fixture
def images(picture: Callable[..., Any], encode: Callable[..., bytes]) -> Callable[..., Path]:
    """Write the nine images of a folder, each another picture, and give the folder."""

    def write(folder: Path, width: int = 112, height: int = 112) -> Path:
        names = [(person, pose, n) for person in PEOPLE for pose, n in (("frontal", 1), ("frontal", 2), ("profile", 1))]
        for seed, (person, pose, number) in enumerate(names):
            path = folder / person / pose / f"{number:02d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(picture(seed, width, height)))
        return folder

    return write


def test_pairs_and_folds_are_those_of_the_splits(cfp: Path) -> None:
    found = read_cfp(cfp)
    assert (found.folds, len(found.pairs)) == (3, 12)
    named = [(pair.left.file, pair.right.file, pair.same) for pair in found.pairs[:4]]
    assert named == [
        ("001/frontal/01.jpg", "001/profile/01.jpg", True),
        ("001/frontal/02.jpg", "001/profile/01.jpg", True),
        ("001/frontal/01.jpg", "002/profile/01.jpg", False),
        ("001/frontal/02.jpg", "002/profile/01.jpg", False),
    ]
    assert [pair.same for pair in found.pairs] == [True, True, False, False] * 3
    assert [pair.left.person for pair in found.pairs[::4]] == list(PEOPLE)


def test_over_aligned_faces_of_its_own_or_elsewhere(cfp: Path, images: Callable[..., Path], tmp_path: Path) -> None:
    look_at_pairs(cfp)
    images(cfp / "Data/Images")
    own = open_pairs(PairsSource(cfp), new_folder(tmp_path / "none")).pairs
    assert (own.name, own.folds, len(own.images), own.people) == ("cfp", 3, 9, {*PEOPLE})
    assert own.same.tolist() == [True, True, False, False] * 3
    # two frontal images and a profile of each of three people
    assert own.gallery is not None
    assert (own.gallery.genuine, own.gallery.impostors) == (9, 27)
    elsewhere = open_pairs(PairsSource(cfp, images(tmp_path / "faces")), new_folder(tmp_path / "none")).pairs
    assert elsewhere.images == own.images
    assert (elsewhere.index == own.index).all()


def test_over_photographs(cfp: Path, images: Callable[..., Path], tmp_path: Path) -> None:
    folder = images(cfp / "Data/Images", 200, 160)
    with pytest.raises(InputError, match=r"9 of 9 images of [\s\S]*pair 1: 001/frontal/01.jpg: 200x160 pixels"):
        open_pairs(PairsSource(cfp), new_folder(tmp_path / "aligned"))
    points = ",".join(map(str, central_landmarks(200, 160).ravel()))
    rows = [f"{path.relative_to(folder).as_posix()},{points}" for path in sorted(folder.rglob("*.jpg"))]
    (tmp_path / "landmarks.csv").write_text("\n".join([",".join(COLUMNS), *rows, ""]))
    opened = open_pairs(PairsSource(cfp, landmarks=tmp_path / "landmarks.csv"), new_folder(tmp_path / "aligned"))
    assert opened.aligned is not None
    assert (tmp_path / "aligned/003/profile/01.png").is_file()
    assert (len(opened.pairs.images), len(opened.pairs.same)) == (9, 12)


def test_missing_images_are_named_or_cost_their_pairs(cfp: Path, images: Callable[..., Path], tmp_path: Path) -> None:
    (images(cfp / "Data/Images") / "002/profile/01.jpg").unlink()
    with pytest.raises(InputError, match=r"pair 3: 002/profile/01.jpg: no such image"):
        open_pairs(PairsSource(cfp), new_folder(tmp_path / "none"))
    skipping = PairsSource(cfp, on_bad_image=OnBadImage.SKIP)
    kept = open_pairs(skipping, new_folder(tmp_path / "none")).pairs
    assert kept.skipped_pairs == 4
    assert np.count_nonzero(kept.same) == 4


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("Pair_list_F.txt", "1 somewhere.jpg\n", "Pair_list_F.txt, line 1: '1 somewhere.jpg' names no image"),
        ("Pair_list_F.txt", "1 ../../x/../01.jpg\n", "Pair_list_F.txt, line 1: .* names no image"),
        ("Pair_list_P.txt", "1 a/b/01.jpg\n1 a/b/02.jpg\n", "line 2: number 1 a second time"),
        ("Pair_list_P.txt", "\x1b[2J1 a/b/01.jpg\n", r"'\\x1b\[2J1 a/b/01.jpg' names no image"),
        ("Split/FP/02/same.txt", "1;1\n3,2\n", "Split/FP/02/same.txt, line 1: '1;1' is no pair of numbers"),
        ("Split/FP/02/same.txt", "7,1\n3,2\n", "'7,1' is a number that the lists of images lack"),
        ("Split/FP/02/same.txt", "1,2\n3,2\n", "persons 001 and 002 where a pair of one is due"),
        ("Split/FP/02/diff.txt", "1,1\n3,1\n", "persons 001 and 001 where a pair of two is due"),
        ("Split/FP/02/same.txt", "3,2\n", "splits are not of one size"),
        ("Pair_list_P.txt", "x\n" * 100_001, "has 100,001 lines"),
        ("Split/FP/02/same.txt", "\udc80", "not UTF-8"),
    ],
)
def test_lists_that_cannot_be_used(cfp: Path, name: str, text: str, says: str) -> None:
    (cfp / "Protocol" / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=says):
        read_cfp(cfp)


def test_a_folder_without_lists(cfp: Path, tmp_path: Path) -> None:
    (cfp / "Protocol/Pair_list_P.txt").unlink()
    with pytest.raises(InputError, match=r"Pair_list_P\.txt cannot be read"):
        read_cfp(cfp)
    with pytest.raises(InputError, match="is a folder, not a file"):
        look_at_pairs(tmp_path)
