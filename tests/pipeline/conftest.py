"""Small networks with weights that look trained."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from ghostface_edge.pipeline.architecture import Architecture
from ghostface_edge.pipeline.checkpoints.checkpoint import Checkpoint
from ghostface_edge.pipeline.network import GhostFaceNet

torch.set_num_threads(1)  # these nets are too small for more, and threads that wait for each other cost seconds

MakeCheckpoint = Callable[[Architecture], Checkpoint]


@pytest.fixture(scope="session")
def make_checkpoint() -> MakeCheckpoint:
    """A checkpoint with random weights and slopes whose BatchNorms have seen images; the same for the same plan."""

    @functools.cache
    def make(architecture: Architecture) -> Checkpoint:
        generator = torch.Generator().manual_seed(7)
        network, side = GhostFaceNet(architecture), architecture.image_size
        for name, value in network.named_parameters():
            if value.dim() == 4:
                value.data.normal_(0, (1 / value[0].numel()) ** 0.5, generator=generator)
            elif name.endswith("norm.weight"):
                value.data.uniform_(0.5, 1.5, generator=generator)
            else:
                value.data.normal_(0, 0.2, generator=generator)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            network.train()(torch.randn(8, 3, side, side, generator=generator))
        state = network.state_dict().items()
        weights = {name: value.numpy() for name, value in state if not name.endswith("num_batches_tracked")}
        return Checkpoint(Path("random"), "0" * 64, architecture, weights)

    return make


@pytest.fixture(scope="session")
def random_faces() -> NDArray[np.uint8]:
    """RGB uint8 (5, 112, 112, 3)."""
    return np.random.default_rng(3).integers(0, 256, (5, 112, 112, 3), np.uint8)
