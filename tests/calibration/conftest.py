"""Small images and folders, made on the spot."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Encode = Callable[..., bytes]


@pytest.fixture
def picture() -> Callable[..., NDArray[np.uint8]]:
    """A distinct RGB picture per seed, with structure of four pixels: finer than a face, coarser than noise."""

    def make(seed: int, width: int = 112, height: int = 112) -> NDArray[np.uint8]:
        coarse = np.random.default_rng(seed).integers(0, 256, (28, 28, 3), dtype=np.uint8)
        return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    return make


@pytest.fixture
def encode() -> Encode:
    """Encode an RGB, grayscale or 16-bit picture."""

    def to_bytes(image: NDArray[np.generic], suffix: str = ".jpg") -> bytes:
        pixels = image[:, :, ::-1] if image.ndim == 3 else image
        return cv2.imencode(suffix, np.ascontiguousarray(pixels))[1].tobytes()

    return to_bytes


@pytest.fixture
def face_folder(
    tmp_path: Path, picture: Callable[..., NDArray[np.uint8]], encode: Encode
) -> Callable[[dict[str, int]], Path]:
    """Write NAME/NAME_0001.jpg ... for a number of distinct faces per name."""

    def write(faces: dict[str, int]) -> Path:
        folder = tmp_path / "faces"
        seed = 0
        for name, count in faces.items():
            (folder / name).mkdir(parents=True)
            for number in range(1, count + 1):
                seed += 1
                (folder / name / f"{name}_{number:04d}.jpg").write_bytes(encode(picture(seed)))
        return folder

    return write


@pytest.fixture
def refused_within(tmp_path: Path) -> Callable[..., str]:
    """Run code in a process of little memory and give its InputError; anything else fails the test."""

    def run(code: str, *arguments: object, memory_mb: int = 600) -> str:
        program = (
            "import resource, sys\n"
            f"resource.setrlimit(resource.RLIMIT_DATA, ({memory_mb << 20},) * 2)\n"
            "from pathlib import Path\n"
            "from ghostface_edge.reports.errors import InputError\n"
            f"try:\n    {code}\nexcept InputError as error:\n    print(error)\nelse:\n    print('accepted')\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
