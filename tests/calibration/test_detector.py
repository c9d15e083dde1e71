"""Which face is meant; what YuNet finds at all is in test_aligned_folder.py."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostface_edge.calibration.detector import Choice, Detector
from ghostface_edge.calibration.image_file import decode


@pytest.fixture
def bystander(assets: Path) -> NDArray[np.uint8]:
    """Charles Grassley in the middle, and somebody nearer to the camera."""
    return decode((assets / "lfw/raw/Charles_Grassley/Charles_Grassley_0001.jpg").read_bytes())


def test_the_central_or_the_largest_face(assets: Path, bystander: NDArray[np.uint8]) -> None:
    detector = Detector(assets / "detector/face_detection_yunet_2026may.onnx")
    central, largest = detector.detect(bystander), detector.detect(bystander, Choice.LARGEST)
    assert central is not None
    assert largest is not None
    for found, other in ((central, largest), (largest, central)):
        assert np.allclose(found.others, [other.box])
        x, y, width, height = found.box
        assert ((found.landmarks >= (x, y)) & (found.landmarks <= (x + width, y + height))).all()
    middle = np.array(bystander.shape[1::-1]) / 2
    assert np.linalg.norm(central.box[:2] + central.box[2:] / 2 - middle) < 20
    assert largest.box[2] * largest.box[3] > central.box[2] * central.box[3]
