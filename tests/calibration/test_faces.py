import hashlib
import os
import shutil

import numpy as np
import pytest

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.calibration.image_file import decode
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.reports.errors import ExitCode, InputError


def test_scan_finds_nested_and_flat(face_folder):
    folder = face_folder({"Ann_Lee": 2, "Bo": 1})
    shutil.copy(folder / "Bo/Bo_0001.jpg", folder / "Cy_Do_0007.jpg")
    shutil.copy(folder / "Bo/Bo_0001.jpg", folder / "single.png")
    (folder / "notes.txt").write_text("no image")
    (folder / "._hidden.jpg").write_text("no image")
    files = scan_folder(folder)
    assert [(file.name, file.identity) for file in files] == [
        ("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee"),
        ("Ann_Lee/Ann_Lee_0002.jpg", "Ann_Lee"),
        ("Bo/Bo_0001.jpg", "Bo"),
        ("Cy_Do_0007.jpg", "Cy_Do"),
        ("single.png", "single"),
    ]


def test_sample_spreads_over_identities(face_folder):
    files = scan_folder(face_folder({"Ann": 5, "Bo": 2, "Cy": 1}))
    assert sample(files, 3, 0).people == {"Ann", "Bo", "Cy"}
    identities = [file.identity for file in sample(files, 8, 0).files]
    assert set(identities[:3]) == {"Ann", "Bo", "Cy"}
    assert set(identities[3:5]) == {"Ann", "Bo"}
    assert identities[5:] == ["Ann"] * 3


def test_sample_depends_on_the_seed_alone(face_folder):
    files = scan_folder(face_folder({f"P{number}": 3 for number in range(12)}))
    first = sample(files, 10, 7)
    again = sample(tuple(reversed(files)), 10, 7)
    assert first.files == again.files
    assert first.sha256 == again.sha256
    assert first.sha256 != sample(files, 10, 8).sha256


def test_hash_does_not_depend_on_where_the_folder_lies(face_folder, tmp_path):
    folder = face_folder({"Ann": 2, "Bo": 2})
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder, moved)
    assert sample(scan_folder(folder), 4, 0).sha256 == sample(scan_folder(moved), 4, 0).sha256
    assert sample(scan_folder(moved), 4, 0).path == moved


def test_duplicates_are_chosen_once_and_counted(face_folder):
    folder = face_folder({"Ann": 2, "Bo": 1})
    shutil.copy(folder / "Bo/Bo_0001.jpg", folder / "Ann/copy.jpg")
    chosen = sample(scan_folder(folder), 9, 0)
    assert len(chosen.files) == 3
    assert chosen.duplicates == 1


def test_listing_names_every_chosen_file_with_its_hash(face_folder):
    chosen = sample(scan_folder(face_folder({"Ann": 2, "Bo": 1})), 2, 0)
    for line, file in zip(chosen.listing.splitlines(), chosen.files, strict=True):
        assert line == f"{hashlib.sha256(file.path.read_bytes()).hexdigest()}  {file.name}"


def test_excluded_files_are_never_chosen(face_folder):
    files = scan_folder(face_folder({"Ann": 2, "Bo": 1}))
    chosen = sample(files, 9, 0, exclude={"Ann/Ann_0002"})
    assert {file.name for file in chosen.files} == {"Ann/Ann_0001.jpg", "Bo/Bo_0001.jpg"}
    assert chosen.excluded == ("Ann/Ann_0002.jpg",)


def test_diverse_needs_an_embedding_per_face(face_folder):
    files = scan_folder(face_folder({"Ann": 3}))
    with pytest.raises(InputError, match="no embeddings for 3 faces"):
        sample(files, 2, 0, method=SamplingMethod.DIVERSE)
    with pytest.raises(InputError, match="2 embeddings for 3 faces"):
        sample(files, 2, 0, method=SamplingMethod.DIVERSE, embeddings=np.eye(2, 4, dtype=np.float32))


def test_a_set_is_a_pool_for_a_smaller_one(face_folder):
    pool = sample(scan_folder(face_folder({"Ann": 3, "Bo": 2})), 5, 0)
    embeddings = np.eye(5, dtype=np.float32)
    chosen = sample(pool.files, 3, 0, method=SamplingMethod.DIVERSE, embeddings=embeddings)
    assert set(chosen.files) < set(pool.files)
    assert chosen.path == pool.path


def test_methods_choose_differently(face_folder):
    files = scan_folder(face_folder({"Ann": 6, "Bo": 1, "Cy": 1}))
    embeddings = np.ones((8, 4), np.float32)
    embeddings[2] = (0, 0, 0, 1)
    diverse = sample(files, 2, 3, method=SamplingMethod.DIVERSE, embeddings=embeddings)
    assert files[2].name in {file.name for file in diverse.files}
    assert len(sample(files, 3, 3).people) == 3
    spreads = [len(sample(files, 3, seed, method=SamplingMethod.RANDOM).people) for seed in range(9)]
    assert min(spreads) == 1


def test_load_decodes_in_order(face_folder):
    chosen = sample(scan_folder(face_folder({"Ann": 2, "Bo": 2})), 4, 0)
    faces = chosen.load()
    assert faces.shape == (4, 112, 112, 3)
    assert faces.dtype == np.uint8
    assert (faces[2] == decode(chosen.files[2].path.read_bytes())).all()


def test_load_refuses_a_changed_file(face_folder):
    folder = face_folder({"Ann": 2})
    chosen = sample(scan_folder(folder), 2, 0)
    shutil.copy(folder / "Ann/Ann_0001.jpg", folder / "Ann/Ann_0002.jpg")
    with pytest.raises(InputError, match="has changed"):
        chosen.load()


def test_bad_faces_are_counted_and_named(face_folder, picture, encode):
    folder = face_folder({"Ann": 3})
    (folder / "Ann/Ann_0002.jpg").write_bytes(b"")
    (folder / "Ann/Ann_0003.jpg").write_bytes(encode(picture(9, 250, 250)))
    with pytest.raises(InputError, match="2 of 3 images cannot be used") as caught:
        sample(scan_folder(folder), 3, 0)
    assert "Ann_0002.jpg: empty file" in str(caught.value)
    assert "Ann_0003.jpg: 250x250 pixels instead of 112x112" in str(caught.value)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    skipping = sample(scan_folder(folder), 3, 0, OnBadImage.SKIP)
    assert (len(skipping.files), len(skipping.skipped)) == (1, 2)


def test_nothing_usable_is_an_error_even_when_skipping(face_folder):
    folder = face_folder({"Ann": 1})
    (folder / "Ann/Ann_0001.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="1 of 1 images"):
        sample(scan_folder(folder), 3, 0, OnBadImage.SKIP)


def test_empty_missing_and_unreadable_folders(tmp_path):
    with pytest.raises(InputError, match="holds no images"):
        scan_folder(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        scan_folder(tmp_path / "none")
    if os.geteuid():
        tmp_path.chmod(0)
        with pytest.raises(InputError, match="Permission denied"):
            scan_folder(tmp_path)
        tmp_path.chmod(0o700)


def test_a_sample_of_none(face_folder):
    with pytest.raises(InputError, match="of 0 faces"):
        sample(scan_folder(face_folder({"Ann": 1})), 0, 0)


def test_the_real_calibration_folder(assets):
    files = scan_folder(assets / "lfw/calibration")
    assert len(files) == 1549
    assert len({file.identity for file in files}) == 1468
    assert len(sample(files, 300, 0).people) == 300
