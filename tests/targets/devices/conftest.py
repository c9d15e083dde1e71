"""Faces for the tiny networks of these tests."""

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def few_faces() -> NDArray[np.uint8]:
    """As the tiny networks of these tests take them: uint8 (5, 28, 28, 3)."""
    return np.random.default_rng(7).integers(0, 256, (5, 28, 28, 3), np.uint8)
