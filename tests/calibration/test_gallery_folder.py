import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.calibration.faces import load_faces, sample, scan_folder
from ghostface_edge.calibration.gallery_folder import open_gallery
from ghostface_edge.calibration.leaks import find_leaks
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.reports.errors import InputError

FaceFolder = Callable[[dict[str, int]], Path]


def test_each_distinct_face_with_its_person(face_folder: FaceFolder) -> None:
    folder = face_folder({"Ann": 3, "Bob": 1, "Cat": 2})
    shutil.copyfile(folder / "Ann/Ann_0001.jpg", folder / "Ann/Ann_0004.jpg")
    found = open_gallery(folder)
    assert [file.name for file in found.files] == [
        *(f"Ann/Ann_000{number}.jpg" for number in (1, 2, 3)),
        "Bob/Bob_0001.jpg",
        "Cat/Cat_0001.jpg",
        "Cat/Cat_0002.jpg",
    ]
    assert (found.name, found.people) == ("faces", {"Ann", "Bob", "Cat"})
    assert (found.gallery.genuine, found.gallery.impostors) == (3 + 1, 3 * 1 + 3 * 2 + 1 * 2)
    batches = list(found.batches(4))
    assert [len(batch) for batch in batches] == [4, 2]
    assert (np.concatenate(batches) == load_faces(found.files)).all()


def test_one_content_of_two_people_is_of_nobody(face_folder: FaceFolder) -> None:
    folder = face_folder({"Ann": 2, "Bob": 1})
    shutil.copyfile(folder / "Ann/Ann_0002.jpg", folder / "Bob/Bob_0002.jpg")
    found = open_gallery(folder)
    assert [file.name for file in found.files] == ["Ann/Ann_0001.jpg", "Bob/Bob_0001.jpg"]
    assert found.under_two_names == 1


def test_where_nothing_lies_under_one_name_alone_nothing_is_left(face_folder: FaceFolder) -> None:
    folder = face_folder({"Ann": 1, "Bob": 1})
    shutil.copyfile(folder / "Ann/Ann_0001.jpg", folder / "Bob/Bob_0001.jpg")
    with pytest.raises(InputError, match="no picture that lies under one name alone"):
        open_gallery(folder)


def test_what_cannot_be_used_is_refused_or_passed_over(face_folder: FaceFolder) -> None:
    folder = face_folder({"Ann": 2, "Bob": 1})
    (folder / "Bob/Bob_0002.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 of 4 images of [\s\S]*Bob_0002\.jpg: empty file"):
        open_gallery(folder)
    found = open_gallery(folder, OnBadImage.SKIP)
    assert (len(found.files), [one.where for one in found.skipped]) == (3, ["Bob/Bob_0002.jpg"])


def test_a_face_that_changed_is_noticed(face_folder: FaceFolder) -> None:
    folder = face_folder({"Ann": 2, "Bob": 1})
    found = open_gallery(folder)
    shutil.copyfile(folder / "Ann/Ann_0001.jpg", folder / "Bob/Bob_0001.jpg")
    with pytest.raises(InputError, match=r"Bob_0001\.jpg has changed"):
        list(found.batches(2))


def test_calibration_people_in_a_gallery_are_found(face_folder: FaceFolder, tmp_path: Path) -> None:
    """By name, by file; and by embedding where one is a little off another."""
    gallery = open_gallery(face_folder({f"Person{number:02d}": 2 for number in range(30)}))
    other = tmp_path / "calibration"
    for source, target in (("Person00_0001", "Nobody"), ("Person01_0001", "Person02")):
        (other / target).mkdir(parents=True)
        shutil.copyfile(gallery.path / source[:8] / f"{source}.jpg", other / target / f"{target}_0001.jpg")
    calibration = sample(scan_folder(other), 10, 0)
    embeddings = np.random.default_rng(0).normal(size=(60, 64)).astype(np.float32)
    place = [file.name for file in gallery.files].index("Person00/Person00_0001.jpg")
    own = np.stack([embeddings[place] + 0.01, embeddings[-1][::-1]])
    report = find_leaks(calibration, gallery, (own, embeddings))
    assert {leak.kind for leak in report.leaks} == {"name", "file", "perceptual hash", "embedding"}
    assert report.identities == ("Nobody", "Person02")
    assert {leak.evaluation for leak in report.leaks if leak.kind == "embedding"} == {"Person00/Person00_0001.jpg"}
