"""The networks that are timed: with official weights, or with seeded ones that behave as trained ones do."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.checkpoint import Checkpoint
from ghostface_edge.pipeline.network.ghostfacenet import GhostFaceNet


@dataclass(frozen=True, slots=True)
class BenchModel:
    """One member of the family."""

    architecture: Architecture
    checkpoint: Path | None = None
    """None: seeded weights. Speed does not depend on them, but for which slopes exceed 1."""

    @property
    def name(self) -> str:
        """As in the literature."""
        return self.architecture.name

    def load(self) -> Checkpoint:
        """Its weights."""
        return load_checkpoint(self.checkpoint) if self.checkpoint is not None else seeded(self.architecture)


STANDARD_MODELS = (
    BenchModel(Architecture(width=0.5, stride=2)),
    BenchModel(Architecture(width=1.3, stride=1)),
    BenchModel(Architecture(width=1.3, stride=2)),
    BenchModel(Architecture(width=1.3, stride=2, version=2)),
)


def seeded(architecture: Architecture, seed: int = 7) -> Checkpoint:
    """Random weights and slopes; BatchNorms have seen images, so that no value vanishes or explodes."""
    generator = torch.Generator().manual_seed(seed)
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
    return Checkpoint(Path("seeded"), "0" * 64, architecture, weights)
