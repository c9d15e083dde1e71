"""A trained network as this project holds it: its architecture and its weights under this project's names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.preprocessing import Preprocessing

if TYPE_CHECKING:
    from ghostface_edge.pipeline.network.ghostfacenet import GhostFaceNet


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights that fit `network.ghostfacenet.GhostFaceNet(architecture)`.

    `weights` maps the network's state names to float32 arrays in PyTorch's layout (convolutions: out, in, h, w).
    """

    path: Path
    sha256: str
    architecture: Architecture
    weights: Mapping[str, NDArray[np.float32]]
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    """What the network itself expects; exported artifacts all take RGB, (x - 127.5) / 128."""


def network_of(checkpoint: Checkpoint) -> "GhostFaceNet":
    """The PyTorch network with the checkpoint's weights, in evaluation mode."""
    import torch

    from ghostface_edge.pipeline.network.ghostfacenet import GhostFaceNet

    network = GhostFaceNet(checkpoint.architecture)
    state = {name: torch.from_numpy(np.array(value)) for name, value in checkpoint.weights.items()}
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    network.load_state_dict(state | counters)
    return network.eval()
