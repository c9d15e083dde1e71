import json
import multiprocessing
import shutil

import numpy as np
import pytest

from ghostface_edge.calibration.aligned_folder import MANIFEST, align_folder, new_folder, read_aligned
from ghostface_edge.calibration.alignment import Origin, WhenNoFace, YuNet, align_photos, central_landmarks
from ghostface_edge.calibration.image_file import decode
from ghostface_edge.calibration.landmarks import Landmarks
from ghostface_edge.calibration.photos import open_photos
from ghostface_edge.calibration.similarity import align
from ghostface_edge.calibration.unusable import OnBadImage, Unusable
from ghostface_edge.reports.errors import ExitCode, InputError, ToolError


@pytest.fixture
def raw(tmp_path, picture, encode):
    """Three photographs of 200x160 with landmarks in their middle."""
    folder = tmp_path / "raw"
    points = {}
    for number, name in enumerate(("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bo/Bo_0001.jpg")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encode(picture(number, 200, 160)))
        points[name] = central_landmarks(200, 160) + number
    return folder, Landmarks(tmp_path / "landmarks.csv", "0" * 64, points)


def test_aligns_each_photograph_by_its_landmarks(raw, tmp_path):
    folder, landmarks = raw
    done = []
    aligned = align_folder(
        open_photos(folder), new_folder(tmp_path / "out"), landmarks, jobs=2, progress=lambda *step: done.append(step)
    )
    assert [file.file for file in aligned.files] == ["Ann/Ann_0001.png", "Ann/Ann_0002.png", "Bo/Bo_0001.png"]
    assert aligned.count(Origin.GIVEN) == 3
    assert done[-1] == (3, 3)
    for file in aligned.files:
        expected = align(decode((folder / file.name).read_bytes()), landmarks.points[file.name])
        assert (decode((tmp_path / "out" / file.file).read_bytes()) == expected).all()
    assert read_aligned(tmp_path / "out") == aligned


def test_who_keeps_a_folder_is_asked_with_a_key_and_need_not_have_it_filled(raw, tmp_path):
    folder, landmarks = raw
    kept = {}

    def keep(key, fill):
        if key not in kept:
            kept[key] = tmp_path / key
            kept[key].mkdir()
            fill(kept[key])
        return kept[key]

    steps = []
    first = align_folder(open_photos(folder), keep, landmarks, progress=lambda *step: steps.append(step))
    assert align_folder(open_photos(folder), keep, landmarks, progress=lambda *step: steps.append(step)) == first
    assert len(steps) == 1
    assert first.path.name == first.key


def test_a_folder_of_the_user_s_is_written_anew(raw, tmp_path):
    """Nothing but its own manifest vouches for it, and whoever changes a face can change that."""
    folder, landmarks = raw
    out = tmp_path / "out"
    first = align_folder(open_photos(folder), new_folder(out), landmarks)
    face = out / "Bo/Bo_0001.png"
    good, noise = face.read_bytes(), (out / "Ann/Ann_0001.png").read_bytes()
    face.write_bytes(noise)
    manifest = (out / MANIFEST).read_text()
    (out / MANIFEST).write_text(manifest.replace(first.files[2].sha256, first.files[0].sha256))
    assert align_folder(open_photos(folder), new_folder(out), landmarks) == first
    assert face.read_bytes() == good
    assert [entry.name for entry in tmp_path.iterdir() if entry.name != "raw"] == ["out"]


@pytest.mark.parametrize("other", ["note.txt", "Bo/note.txt", "link"])
def test_a_folder_that_holds_more_than_faces_is_left_alone(raw, tmp_path, other):
    folder, landmarks = raw
    out = tmp_path / "out"
    align_folder(open_photos(folder), new_folder(out), landmarks)
    if other == "link":
        (out / other).symlink_to(folder)
    else:
        (out / other).write_text("precious")
    with pytest.raises(InputError, match=f"holds something else: {other}"):
        align_folder(open_photos(folder), new_folder(out), landmarks)
    assert (out / other).exists()


def test_a_link_is_not_written_through(raw, tmp_path):
    folder, landmarks = raw
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="holds something else"):
        align_folder(open_photos(folder), new_folder(tmp_path / "out"), landmarks)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_changed_photograph_is_noticed(raw, tmp_path, picture, encode):
    folder, landmarks = raw
    out = tmp_path / "out"
    first = align_folder(open_photos(folder), new_folder(out), landmarks)
    (folder / "Bo/Bo_0001.jpg").write_bytes(encode(picture(77, 200, 160)))
    second = align_folder(open_photos(folder), new_folder(out), landmarks)
    assert second.key != first.key
    assert [file.sha256 for file in second.files[:2]] == [file.sha256 for file in first.files[:2]]
    assert second.files[2].sha256 != first.files[2].sha256


def test_bad_photographs_end_it_and_leave_nothing(raw, tmp_path):
    folder, landmarks = raw
    (folder / "Ann/Ann_0002.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="1 of 3 photographs cannot be used") as caught:
        align_folder(open_photos(folder), new_folder(tmp_path / "out"), landmarks)
    assert "Ann/Ann_0002.jpg: empty file" in str(caught.value)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert [entry.name for entry in tmp_path.iterdir()] == ["raw"]


def test_skipping_counts(raw, tmp_path):
    folder, landmarks = raw
    whole = (folder / "Ann/Ann_0001.jpg").read_bytes()
    (folder / "Ann/Ann_0002.jpg").write_bytes(whole[:-40])
    shutil.copy(folder / "Bo/Bo_0001.jpg", folder / "Bo/Bo_0002.jpg")
    aligned = align_folder(open_photos(folder), new_folder(tmp_path / "out"), landmarks, on_bad_image=OnBadImage.SKIP)
    assert [file.name for file in aligned.files] == ["Ann/Ann_0001.jpg", "Bo/Bo_0001.jpg"]
    assert aligned.skipped == (
        Unusable("Ann/Ann_0002.jpg", "truncated: its end is missing"),
        Unusable("Bo/Bo_0002.jpg", "no landmarks are given for it"),
    )
    assert read_aligned(tmp_path / "out") == aligned


def test_photographs_without_landmarks_are_not_read(raw):
    folder, landmarks = raw
    photos = open_photos(folder)
    shutil.rmtree(folder)
    outcomes = align_photos(photos, photos.names(), Landmarks(landmarks.path, "1" * 64, {}), 1)
    assert [one.reason for one in outcomes] == ["no landmarks are given for it"] * 3


def test_two_photographs_for_one_face(raw, tmp_path, encode, picture):
    folder, landmarks = raw
    (folder / "Bo/Bo_0001.png").write_bytes(encode(picture(5, 200, 160), ".png"))
    both = Landmarks(landmarks.path, "1" * 64, {**landmarks.points, "Bo/Bo_0001.png": central_landmarks(200, 160)})
    with pytest.raises(InputError, match=r"Bo_0001.png: its face would overwrite that of Bo/Bo_0001.jpg"):
        align_folder(open_photos(folder), new_folder(tmp_path / "out"), both)


def test_never_writes_over_other_things(raw):
    folder, landmarks = raw
    with pytest.raises(InputError, match="holds something else"):
        align_folder(open_photos(folder), new_folder(folder), landmarks)
    assert len(open_photos(folder).names()) == 3


def test_a_manifest_cannot_point_outside(raw, tmp_path):
    folder, landmarks = raw
    align_folder(open_photos(folder), new_folder(tmp_path / "out"), landmarks)
    manifest = tmp_path / "out" / MANIFEST
    content = json.loads(manifest.read_text())
    content["files"][0]["file"] = "../raw/Ann/Ann_0001.jpg"
    manifest.write_text(json.dumps(content))
    assert read_aligned(tmp_path / "out") is None


def test_refuses_a_detector_that_is_none(raw, tmp_path):
    folder, _ = raw
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(InputError, match="cannot be loaded as a face detector"):
        align_folder(open_photos(folder), new_folder(tmp_path / "out"), YuNet(tmp_path / "model.onnx"))
    with pytest.raises(InputError, match=r"none.onnx cannot be read"):
        align_folder(open_photos(folder), new_folder(tmp_path / "out"), YuNet(tmp_path / "none.onnx"))
    assert not (tmp_path / "out").exists()


def test_yunet_finds_lfw_faces_where_mtcnn_did(assets):
    photos = open_photos(assets / "lfw/raw")
    yunet = YuNet(assets / "detector/face_detection_yunet_2026may.onnx")
    faces = list(align_photos(photos, photos.names()[:6], yunet, jobs=1))
    assert [face.origin for face in faces if not isinstance(face, Unusable)] == [Origin.DETECTED] * 6


def test_nobody_in_the_picture(assets, tmp_path, encode):
    folder = tmp_path / "raw/Nobody"
    folder.mkdir(parents=True)
    (folder / "Nobody_0001.jpg").write_bytes(encode(np.full((250, 250, 3), 90, np.uint8)))
    photos = open_photos(tmp_path / "raw")
    model = assets / "detector/face_detection_yunet_2026may.onnx"
    with pytest.raises(InputError, match="no face found"):
        align_folder(photos, new_folder(tmp_path / "out"), YuNet(model))
    aligned = align_folder(photos, new_folder(tmp_path / "out"), YuNet(model, WhenNoFace.CENTRE))
    assert aligned.count(Origin.CENTRE) == 1


def test_a_photograph_too_thin_to_work_on_is_one_that_cannot_be_used(assets, tmp_path, encode):
    folder = tmp_path / "raw/Thin"
    folder.mkdir(parents=True)
    (folder / "Thin_0001.png").write_bytes(encode(np.zeros((3000, 1, 3), np.uint8), ".png"))
    model = assets / "detector/face_detection_yunet_2026may.onnx"
    with pytest.raises(InputError, match=r"Thin_0001.png: (OpenCV cannot work on it|no face found)"):
        align_folder(open_photos(tmp_path / "raw"), new_folder(tmp_path / "out"), YuNet(model))


def test_the_death_of_a_child_is_an_error_and_leaves_nothing(tmp_path, picture, encode):
    folder = tmp_path / "raw/Ann"
    folder.mkdir(parents=True)
    for number in range(200):
        (folder / f"Ann_{number:04d}.jpg").write_bytes(encode(picture(number, 64, 64)))
    photos = open_photos(tmp_path / "raw")
    points = dict.fromkeys(photos.names(), central_landmarks(64, 64))

    def kill(*_: int) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(ToolError, match="a child process died while aligning"):
        align_folder(photos, new_folder(tmp_path / "out"), Landmarks(tmp_path, "0" * 64, points), progress=kill)
    assert [entry.name for entry in tmp_path.iterdir()] == ["raw"]
