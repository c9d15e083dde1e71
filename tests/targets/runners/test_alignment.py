"""alignment.c against ours, to one grey level."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.calibration.image_file import decode
from ghostface_edge.calibration.landmarks import read_landmarks
from ghostface_edge.calibration.similarity import ARCFACE_TEMPLATE, align


@pytest.fixture(scope="module")
def align_in_c(sources, compile_c, tmp_path_factory):
    out = tmp_path_factory.mktemp("alignment") / "alignment.so"
    library = ctypes.CDLL(str(compile_c(out, "-O2", "-shared", "-fPIC", sources / "common/alignment.c")))

    def run(photo, landmarks):
        face = np.zeros((112, 112, 3), np.uint8)
        points = (ctypes.c_float * 10)(*np.ravel(landmarks))
        height, width, _ = photo.shape
        code = library.align_face(
            ctypes.c_void_p(photo.ctypes.data),
            width,
            height,
            photo.strides[0],
            points,
            ctypes.c_void_p(face.ctypes.data),
        )
        return face if code == 0 else code

    return run


def largest_difference(one, other):
    return int(np.abs(one.astype(int) - other).max())


def test_it_is_ours_on_every_raw_photograph(align_in_c, assets):
    points = read_landmarks(assets / "lfw/landmarks.csv").points
    differences = []
    for name, landmarks in points.items():
        photo = np.ascontiguousarray(decode((assets / "lfw/raw" / name).read_bytes()))
        differences.append(largest_difference(align_in_c(photo, landmarks), align(photo, landmarks)))
    assert len(differences) == 305
    assert max(differences) <= 1


@pytest.mark.parametrize(
    ("height", "width", "scale", "degrees", "shift"),
    [
        (250, 250, 1.2, 5, (60, 70)),
        (40, 61, 0.4, -20, (0, 0)),  # enlarged
        (1200, 900, 9.0, 180, (900, 1100)),  # upside down
        (60, 60, 1.0, 0, (30, -40)),  # half of it outside
        (112, 112, 1.0, 0, (0, 0)),  # as it is
        (1, 1, 1.0, 0, (0, 0)),
    ],
)
def test_it_is_ours_for_any_size_and_place(align_in_c, height, width, scale, degrees, shift):
    noise = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = (ARCFACE_TEMPLATE + np.random.default_rng(0).normal(0, 2, (5, 2))) @ turn.T + shift
    landmarks = landmarks.astype(np.float32).astype(np.float64)
    ours = align(noise, landmarks)
    assert largest_difference(align_in_c(noise, landmarks), ours) <= 1
    padded = np.zeros((height, width + 7, 3), np.uint8)
    padded[:, :width] = noise
    assert largest_difference(align_in_c(padded[:, :width], landmarks), ours) <= 1
    bottom_up = noise[::-1].copy()[::-1]
    assert bottom_up.strides[0] < 0
    assert largest_difference(align_in_c(bottom_up, landmarks), ours) <= 1


def test_sanitizers_find_nothing(sources, compile_c, tmp_path):
    flags = ("-g", "-O1", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
    driver = Path(__file__).with_name("alignment_borders.c")
    program = compile_c(tmp_path / "borders", *flags, f"-I{sources / 'common'}", sources / "common/alignment.c", driver)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "landmarks", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), 1e30), np.linspace(0, 1, 10).reshape(5, 2)]
)
def test_it_refuses_points_that_fix_nothing(align_in_c, landmarks):
    assert align_in_c(np.zeros((9, 9, 3), np.uint8), landmarks) == 1
