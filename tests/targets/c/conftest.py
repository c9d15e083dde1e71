"""Portable `.tflite` files of the small networks, and what runs compiled C."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")

from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.c.compiler import find_compiler
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.kernel_set import KernelSet


@pytest.fixture(scope="session")
def compiler():
    try:
        return find_compiler()
    except RuntimeMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def portable(tmp_path):
    """Lower a QDQ model as microcontrollers take it."""

    def lower(qdq: Path, name: str = "model") -> Path:
        path = tmp_path / f"{name}.tflite"
        TfliteTarget().lower_quantized(qdq, path, InputType.INT8, kernels=KernelSet.PORTABLE)
        return path

    return lower


@pytest.fixture
def faces():
    """Noise, and the extremes: uint8 (6, 28, 28, 3)."""
    faces = np.random.default_rng(3).integers(0, 256, (6, 28, 28, 3), dtype=np.uint8)
    faces[4], faces[5] = 0, 255
    return faces


@pytest.fixture
def build(compiler, tmp_path):
    """Compile a text to a library with these flags; returns it loaded."""

    def build(text: str, *flags: str) -> ctypes.CDLL:
        source, library = tmp_path / "built.c", tmp_path / f"built{len(list(tmp_path.glob('*.so')))}.so"
        source.write_text(text)
        command = [compiler, "-std=c99", "-O1", "-shared", "-fPIC", *flags, "-o", library, source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr[:3000]
        assert not done.stderr
        return ctypes.CDLL(str(library))

    return build
