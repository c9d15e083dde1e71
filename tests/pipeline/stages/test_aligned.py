"""Aligned faces in the store: made once, and believed only where a run of this user made them."""

import json

import cv2
import numpy as np
import pytest

from ghostface_edge.calibration.aligned_folder import MANIFEST, align_folder
from ghostface_edge.calibration.alignment import central_landmarks
from ghostface_edge.calibration.landmarks import Landmarks
from ghostface_edge.calibration.photos import open_photos
from ghostface_edge.pipeline.stages.aligned import kept_in
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store


@pytest.fixture
def align(tmp_path):
    """Align one photograph; gives the face's file and how often something was aligned so far."""
    picture = np.random.default_rng(1).integers(0, 256, (160, 160, 3), np.uint8)
    (tmp_path / "raw/Ann").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "raw/Ann/Ann_0001.png"), picture)
    landmarks = Landmarks(tmp_path / "l.csv", "0" * 64, {"Ann/Ann_0001.png": central_landmarks(160, 160)})
    done = []

    def run():
        keep = kept_in(Store(tmp_path / "cache"), Progress())
        photos = open_photos(tmp_path / "raw")
        aligned = align_folder(photos, keep, landmarks, progress=lambda *step: done.append(step))
        return aligned.path / aligned.files[0].file, len(done)

    return run


def test_photographs_are_aligned_once(align):
    assert [align()[1], align()[1]] == [1, 1]


def test_noise_with_a_manifest_that_fits_is_not_served(align, capsys):
    face, _ = align()
    good = face.read_bytes()
    noise = np.random.default_rng(2).integers(0, 256, (112, 112, 3), np.uint8)
    cv2.imwrite(str(face), noise)
    manifest = face.parents[1] / MANIFEST
    content = json.loads(manifest.read_text())
    content["files"][0]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(content))
    assert align() == (face, 2)
    assert face.read_bytes() == good
    assert "is not used and made again" in capsys.readouterr().err.replace("\n", " ")
