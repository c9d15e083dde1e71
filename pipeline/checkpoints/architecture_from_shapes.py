"""Architecture of a net by the shapes of its weights: which member of the family has tensors of these shapes?"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.ghostfacenet import GhostFaceNet
from ghostface_edge.reports.errors import InputError

Weights = Mapping[str, NDArray[np.float32]]

_HEAD_KERNELS = {7: 1, 4: 2}
"""Side of the last map of a 112x112 net, by which the stem's stride shows."""
_FIX = "give a GhostFaceNet's weights under this project's names, as `save_checkpoint` writes them"


def widths() -> list[float]:
    """Plausible widths, the rounder first."""
    tenths = [step / 10 for step in range(2, 31)]
    hundredths = [step / 100 for step in range(20, 301) if step % 10]
    return tenths + hundredths


def nearest_width(architecture: Architecture, filters: Iterable[int]) -> Architecture:
    """The width whose dense convolutions have these filters, in order; the one that agrees longest."""
    found = list(filters)
    return max((replace(architecture, width=width) for width in widths()), key=lambda tried: _agreement(tried, found))


def architecture_from_shapes(path: Path, weights: Weights) -> Architecture:
    """Read the architecture of a 112x112 net off the shapes of its weights.

    Raises:
        InputError: these are not a GhostFaceNet's weights.
    """
    try:
        kernel = weights["pool.conv.weight"].shape[-1]
        stride = _HEAD_KERNELS[kernel]
        first = Architecture(
            width=1.0,
            stride=stride,
            version=2 if "blocks.2.expand.gate.0.conv.weight" in weights else 1,
            embedding_size=weights["embed.conv.weight"].shape[0],
            activation=Activation.PRELU if "stem.activation.weight" in weights else Activation.RELU,
            head_bias="embed.conv.bias" in weights,
        )
    except (KeyError, IndexError) as error:
        raise InputError(f"{path}: not a GhostFaceNet for 112x112 faces ({error} is missing)", fix=_FIX) from error
    with torch.device("meta"):
        order = [name for name in GhostFaceNet(first).state_dict() if name.endswith("conv.weight")]
    dense = [name for name in order if not _is_depthwise(name) and name in weights and weights[name].ndim]
    return nearest_width(first, [weights[name].shape[0] for name in dense if name != "embed.conv.weight"])


def check_weights(path: Path, architecture: Architecture, weights: Weights) -> None:
    """Compare names and shapes with the network's own.

    Raises:
        InputError: names the first tensor that is missing, unknown, or of another shape.
    """
    with torch.device("meta"):
        state = GhostFaceNet(architecture).state_dict()
    expected = {name: tuple(value.shape) for name, value in state.items() if not name.endswith("num_batches_tracked")}
    for name, shape in expected.items():
        if name not in weights:
            raise InputError(f"{path}: '{name}' is missing, which {architecture.name} has", fix=_FIX)
        if weights[name].shape != shape:
            raise InputError(
                f"{path}: '{name}' has shape {weights[name].shape}, {architecture.name} has {shape}", fix=_FIX
            )
    for name in weights:
        if name not in expected:
            raise InputError(f"{path}: '{name}' is nothing that {architecture.name} has", fix=_FIX)


def _is_depthwise(name: str) -> bool:
    parts = name.split(".")
    last = parts[-3]
    gate = parts[-4:-2]
    return last in {"cheap", "stride", "pool"} or gate in (["shortcut", "0"], ["gate", "1"], ["gate", "2"])


def _agreement(architecture: Architecture, filters: list[int]) -> int:
    """For how many leading dense convolutions the filters are those of the architecture."""
    expected = [architecture.stem_channels]
    for block in architecture.blocks:
        expected.append(block.expansion // 2)
        if block.has_dfc:
            expected.append(block.expansion)
        if block.se_channels is not None:
            expected += [block.se_channels, block.expansion]
        expected.append(block.out_channels // 2)
        if block.has_projection:
            expected.append(block.out_channels)
    expected.append(architecture.tail_channels)
    differing = (index for index, (a, b) in enumerate(zip(expected, filters, strict=False)) if a != b)
    return next(differing, len(expected))
