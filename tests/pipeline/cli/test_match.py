"""`match` on real photographs, with a small model and the run that it is of."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from ghostface_edge.calibration.detector import Choice
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.tools.embedded import Question, embed_all
from ghostface_edge.pipeline.tools.match import Comparing, match
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import cosine_scores

YUNET = "detector/face_detection_yunet_2026may.onnx"
BYSTANDER = "Charles_Grassley/Charles_Grassley_0001.jpg"


@pytest.fixture(scope="module")
def raw(assets):
    return assets / "lfw/raw"


@pytest.fixture(scope="module")
def fetched(assets, cli):
    """The cache, with a detector in it."""
    done = cli("fetch", "yunet", "--from", assets / "detector")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def own(finished, tmp_path, monkeypatch, cache):
    """The run's folder; the calls in here use the cache of the command line's."""
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(cache))
    return finished[1]


def test_scores_are_those_of_evaluate_bit_for_bit(own, raw, assets, tmp_path):
    """A photograph with a bystander among them; every other comparison goes the same way."""
    names = ["Abel_Pacheco/Abel_Pacheco_0001.jpg", "Abel_Pacheco/Abel_Pacheco_0004.jpg", BYSTANDER]
    for name in names[1:]:
        shutil.copy(raw / name, tmp_path)
    (model,) = own.glob("models/*-tflite-int8.tflite")
    found = match(
        Comparing(raw / names[0], tmp_path, model=model, detector=assets / YUNET, choice=Choice.CENTRAL), Progress()
    )
    scores = {one.face.photo.name: one.score for one in found.matches}

    listed = tmp_path / "few.txt"
    listed.write_text("1\t1\nAbel_Pacheco\t1\t4\nAbel_Pacheco\t1\tCharles_Grassley\t1\n")
    source = PairsSource(listed, raw, detector=assets / YUNET)
    embedded = embed_all(Question(model, (source,)), Progress())
    pairs = embedded.sets[0]
    assert pairs.same.tolist() == [True, False]
    expected = cosine_scores(embedded.models[pairs.name][model], pairs.index).tolist()
    assert [scores[Path(name).name] for name in names[1:]] == expected


def test_two_photographs_by_the_newest_run(fetched, finished, cli, raw):
    _, out = finished
    two = raw / "Abel_Pacheco/Abel_Pacheco_0001.jpg", raw / BYSTANDER
    said = json.loads(cli("match", *two, "--run", out, "--json").stdout)
    (one,) = said["matches"]
    assert Path(said["model"]).parent == out / "models"
    assert one["same"] == (one["score"] >= said["threshold"]["cosine"])
    assert len(one["face"]["landmarks"]) == 5
    assert len(one["face"]["others"]) == 1
    assert said["evidence"]["people"] > 0
    assert any("Charles_Grassley_0001.jpg shows 2 faces: the largest was taken" in note for note in said["notes"])
    assert any("rendered people" in note for note in said["notes"])


def test_it_is_shown_as_a_page_and_as_a_picture(own, assets, raw, tmp_path):
    two = raw / "Abel_Pacheco/Abel_Pacheco_0001.jpg", raw / BYSTANDER
    for name in ("pair.html", "pair.png"):
        asked = Comparing(*two, run=own, detector=assets / YUNET, show=tmp_path / name)
        found = match(asked, Progress())
    page = (tmp_path / "pair.html").read_text()
    assert f"Score {found.matches[0].score:.4f}" in page
    assert page.count("data:image/jpeg;base64,") == 4
    assert "1 more, in grey, not meant" in page
    picture = cv2.imread(str(tmp_path / "pair.png"))
    boxes = (picture == (201, 99, 37)).all(axis=2)
    assert boxes[:, :500].sum() > 500 < boxes[:, 500:].sum()
    with pytest.raises(InputError, match=r"ends in neither .html nor .png"):
        match(Comparing(*two, run=own, detector=assets / YUNET, show=tmp_path / "pair.gif"), Progress())


def test_a_video_is_looked_through_and_annotated(fetched, finished, cli, raw, tmp_path):
    """Two frames of the same photograph, one of a bystander, one of a wall."""
    film = tmp_path / "film.mp4"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"mp4v"), 5, (250, 250))
    same, other = (cv2.imread(str(raw / name)) for name in ("Abel_Pacheco/Abel_Pacheco_0001.jpg", BYSTANDER))
    for picture in (same, same, other, np.full_like(same, 150)):
        writer.write(picture)
    writer.release()
    first = raw / "Abel_Pacheco/Abel_Pacheco_0001.jpg"
    shown = tmp_path / "seen.webm"
    done = cli("match", first, "--video", film, "--run", finished[1], "--show", shown, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["frames"] == 4
    assert [one["second"] for one in said["sightings"]] == pytest.approx([0, 0.2, 0.4])
    assert said["sightings"][0]["score"] > 0.9 > said["sightings"][2]["score"]
    frames, seen = 0, cv2.VideoCapture(str(shown))
    while seen.read()[0]:
        frames += 1
    assert frames == 4


def test_what_is_no_video_or_camera_is_refused(fetched, finished, cli, raw, tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"no film")
    first = raw / "Abel_Pacheco/Abel_Pacheco_0001.jpg"
    for arguments, says in (
        (("--video", tmp_path / "film.mp4"), "cannot be opened as a video"),
        (("--camera", "0", "--show", tmp_path / "seen.mp4"), "camera 0 cannot be opened"),
        (("--video", tmp_path / "film.mp4", "--show", tmp_path / "seen.png"), "ends in neither"),
        ((), "is compared with one thing"),
    ):
        done = cli("match", first, *arguments, "--run", finished[1])
        assert done.returncode == 2
        assert says in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"film.mp4"}


def test_a_folder_is_sorted_and_what_shows_no_face_is_named(fetched, finished, cli, raw, tmp_path):
    _, out = finished
    (tmp_path / "album").mkdir()
    for name in ("Abel_Pacheco_0001.jpg", "Abel_Pacheco_0002.jpg"):
        shutil.copy(raw / "Abel_Pacheco" / name, tmp_path / "album")
    cv2.imwrite(str(tmp_path / "album/wall.png"), np.full((200, 300, 3), 180, np.uint8))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    first = tmp_path / "album/Abel_Pacheco_0001.jpg"
    done = cli("match", first, tmp_path / "album", "--run", out)
    assert done.returncode == 0, done.stderr
    assert "Abel_Pacheco_0002.jpg" in done.stdout
    assert "wall.png: no face found" in done.stdout
    refused = cli("match", first, tmp_path / "album/wall.png", "--run", out)
    assert refused.returncode == 2
    assert "1 of 2 photographs cannot be used" in refused.stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_without_a_run_there_is_a_score_but_no_answer(fetched, finished, cli, raw, tmp_path):
    (model,) = finished[1].glob("models/*-onnxruntime-int8.onnx")
    shutil.copy(model, tmp_path / "net.onnx")
    done = cli(
        *("match", raw / "Abel_Pacheco/Abel_Pacheco_0001.jpg", raw / "Abel_Pacheco/Abel_Pacheco_0004.jpg", "--json"),
        *("--model", tmp_path / "net.onnx"),
    )
    assert done.returncode == 4, done.stderr
    said = json.loads(done.stdout)
    assert (said["threshold"], said["evidence"], said["matches"][0]["same"]) == (None, None, None)


def test_what_is_missing_is_said_with_the_way_to_get_it(finished, cli, tmp_path):
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.full((200, 300, 3), 180, np.uint8))
    two = tmp_path / "a.png", tmp_path / "b.png"
    elsewhere = {"GHOSTFACE_EDGE_CACHE": str(tmp_path / "cache")}
    for arguments, says in (
        ((*two, "--run", finished[1]), "`ghostface-edge fetch yunet`"),
        ((two[0], two[0]), "compared with itself"),
        ((tmp_path, two[0]), "is a folder"),
        ((two[0], tmp_path / "gone.jpg"), "no such photograph"),
    ):
        done = cli("match", *arguments, **elsewhere)
        assert done.returncode == 2
        assert says in done.stderr


def test_a_model_that_was_changed_since_its_run_is_refused(own, assets, raw, tmp_path):
    shutil.copytree(own / "models", tmp_path / "models")
    content = json.loads((own / "report.json").read_text())
    (tmp_path / "report.json").write_text(json.dumps(content))
    row = next(row for row in content["variants"] if row["id"] == "openvino-int8")
    weights = (tmp_path / row["artifact"]["path"]).with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    two = raw / "Abel_Pacheco/Abel_Pacheco_0001.jpg", raw / "Abel_Pacheco/Abel_Pacheco_0004.jpg"
    with pytest.raises(InputError, match=r"is not what .* was measured on"):
        match(Comparing(*two, run=tmp_path, detector=assets / YUNET), Progress())
