"""Small networks with weights that look trained."""

import functools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.bench.models import seeded
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.checkpoint import Checkpoint

torch.set_num_threads(1)  # these nets are too small for more, and threads that wait for each other cost seconds

MakeCheckpoint = Callable[[Architecture], Checkpoint]


@pytest.fixture(scope="session")
def make_checkpoint() -> MakeCheckpoint:
    """A checkpoint with random weights and slopes whose BatchNorms have seen images; the same for the same plan."""

    return functools.cache(seeded)


@pytest.fixture(scope="session")
def random_faces() -> NDArray[np.uint8]:
    """RGB uint8 (5, 112, 112, 3)."""
    return np.random.default_rng(3).integers(0, 256, (5, 112, 112, 3), np.uint8)
