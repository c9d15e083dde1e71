from itertools import pairwise

import numpy as np
import pytest

from ghostface_edge.calibration.aligned_folder import new_folder
from ghostface_edge.calibration.alignment import central_landmarks
from ghostface_edge.calibration.landmarks import Landmarks, read_landmarks
from ghostface_edge.calibration.listed_pairs import align_listed, load_listed_pairs
from ghostface_edge.calibration.pairs_file import read_pairs_file
from ghostface_edge.calibration.photos import open_photos
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.calibration.verification import LabelErrors
from ghostface_edge.reports.errors import InputError


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("2\t1\nAnn\t1\t2\nAnn\t1\tBo\t1\nBo\t1\t2\nBo\t2\tAnn\t2\n")
    return path


def test_pairs_over_aligned_faces(listed, face_folder):
    pairs = load_listed_pairs(listed, face_folder({"Ann": 2, "Bo": 2}))
    assert pairs.index.tolist() == [[0, 1], [0, 2], [2, 3], [3, 1]]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.folds == 2
    assert pairs.identities == ("Ann", "Ann", "Ann", "Bo", "Bo", "Bo", "Bo", "Ann")
    assert pairs.protocol == "2 contiguous folds"


def test_flat_folders_and_other_suffixes(listed, face_folder, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in face_folder({"Ann": 2, "Bo": 2}).rglob("*.jpg"):
        file.rename(flat / file.with_suffix(".jpeg").name)
    assert len(load_listed_pairs(listed, flat).images) == 4


def test_missing_images_are_named_with_their_lines(listed, face_folder):
    folder = face_folder({"Ann": 2, "Bo": 1})
    with pytest.raises(InputError, match="1 of 4 images of ") as caught:
        load_listed_pairs(listed, folder)
    assert "line 4: Bo/Bo_0002.jpg: no such image" in str(caught.value)
    kept = load_listed_pairs(listed, folder, on_bad_image=OnBadImage.SKIP)
    assert kept.same.tolist() == [True, False]
    assert kept.protocol == "2 contiguous folds, 2 pairs skipped for bad images"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _, __: b"", "empty file"),
        (lambda data, _: data[:-30], "truncated"),
        (lambda _, encode: encode(np.zeros((112, 112), np.uint8)), "grayscale"),
        (lambda _, encode: encode(np.zeros((112, 112, 3), np.uint16), ".png"), "16 bits"),
        (lambda _, encode: encode(np.zeros((250, 250, 3), np.uint8)), "250x250 pixels instead of 112x112"),
    ],
)
def test_bad_images_are_named_with_their_lines(listed, face_folder, encode, damage, reason):
    folder = face_folder({"Ann": 2, "Bo": 2})
    file = folder / "Bo/Bo_0001.jpg"
    file.write_bytes(damage(file.read_bytes(), encode))
    with pytest.raises(InputError, match="1 of 4 images") as caught:
        load_listed_pairs(listed, folder)
    assert "line 3: Bo/Bo_0001.jpg" in str(caught.value)
    assert reason in str(caught.value)
    assert len(load_listed_pairs(listed, folder, on_bad_image=OnBadImage.SKIP).same) == 2


def test_a_list_of_one_fold_is_dealt_into_ten(face_folder, tmp_path):
    people = [f"P{number:02d}" for number in range(21)]
    folder = face_folder(dict.fromkeys(people, 2))
    path = tmp_path / "list.txt"
    lines = [f"{name}\t1\t2" for name in people[:20]]
    lines += [f"{name}\t1\t{after}\t1" for name, after in pairwise(people)]
    path.write_text("\n".join(["20", *lines, ""]))
    pairs = load_listed_pairs(path, folder)
    assert (pairs.folds, pairs.dealt) == (10, True)
    assert pairs.same.reshape(10, 4).tolist() == [[True, True, False, False]] * 10
    assert pairs.identities[:8] == ("P00", "P00", "P01", "P01", "P00", "P01", "P01", "P02")
    assert "dealt from a list of one fold" in pairs.protocol


def test_label_errors_are_excluded_and_counted(face_folder, tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("1\t2\nNora_Bendijo\t1\t2\nAnn\t1\t2\nAnn\t1\tBo\t1\nNora_Bendijo\t1\tBo\t1\n")
    folder = face_folder({"Nora_Bendijo": 2, "Ann": 2, "Bo": 1})
    assert len(load_listed_pairs(path, folder).same) == 4
    excluded = load_listed_pairs(path, folder, label_errors=LabelErrors.EXCLUDE)
    assert (len(excluded.same), excluded.label_errors_excluded) == (3, 1)
    assert len(excluded.images) == 4
    assert "1 known label errors excluded" in excluded.protocol


def test_aligning_only_what_is_listed(listed, tmp_path, picture, encode):
    folder = tmp_path / "raw"
    points = {}
    for number, name in enumerate(("Ann/Ann_0001", "Ann/Ann_0002", "Bo/Bo_0001", "Bo/Bo_0002", "Cy/Cy_0001")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jpg").write_bytes(encode(picture(number, 200, 160)))
        points[f"{name}.jpg"] = central_landmarks(200, 160)
    landmarks = Landmarks(tmp_path / "l.csv", "0" * 64, points)
    aligned = align_listed(listed, open_photos(folder), new_folder(tmp_path / "out"), landmarks)
    assert len(aligned.files) == 4
    assert len(load_listed_pairs(listed, tmp_path / "out").images) == 4
    (folder / "Bo/Bo_0002.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"pairs.txt, line 4: Bo/Bo_0002.jpg: empty file"):
        align_listed(listed, open_photos(folder), new_folder(tmp_path / "other"), landmarks)
    (folder / "Bo/Bo_0002.jpg").unlink()
    with pytest.raises(InputError, match=r"line 4: Bo/Bo_0002.jpg: no such image"):
        align_listed(listed, open_photos(folder), new_folder(tmp_path / "other"), landmarks)
    assert not (tmp_path / "other").exists()


def test_the_real_raw_list_with_given_landmarks(assets, tmp_path):
    listing = tmp_path / "first.txt"
    pairs = [pair for pair in read_pairs_file(assets / "lfw/raw-pairs.txt").pairs if pair.same][:3]
    different = [pair for pair in read_pairs_file(assets / "lfw/raw-pairs.txt").pairs if not pair.same][:3]
    lines = [f"{pair.left.person}\t{pair.left.number}\t{pair.right.number}" for pair in pairs]
    lines += [f"{p.left.person}\t{p.left.number}\t{p.right.person}\t{p.right.number}" for p in different]
    listing.write_text("\n".join(["3", *lines, ""]))
    photos = open_photos(assets / "lfw/raw")
    aligned = align_listed(listing, photos, new_folder(tmp_path / "out"), read_landmarks(assets / "lfw/landmarks.csv"))
    assert not aligned.skipped
    assert not aligned.flagged
    assert len(load_listed_pairs(listing, tmp_path / "out").same) == 6
