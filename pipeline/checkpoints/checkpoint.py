"""A trained network as this project holds it: its plan and its weights under this project's names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.architecture import Architecture
from ghostface_edge.pipeline.checkpoints.preprocessing import Preprocessing
from ghostface_edge.reports.errors import InputError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights that fit `network.GhostFaceNet(architecture)`.

    `weights` maps the network's state names to float32 arrays in PyTorch's layout (convolutions: out, in, h, w).
    """

    path: Path
    sha256: str
    architecture: Architecture
    weights: Mapping[str, NDArray[np.float32]]
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    """What the network itself expects; exported artifacts all take RGB, (x - 127.5) / 128."""


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a trained GhostFaceNet.

    Raises:
        InputError: the file is missing, of an unknown kind, damaged, or holds another network.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint file", fix="give the path of a trained GhostFaceNet")
    reader = _readers().get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: checkpoints of kind '{path.suffix}' are not known",
            fix=f"give one of {', '.join(_readers())}",
        )
    checkpoint = reader(path)
    for name, value in checkpoint.weights.items():
        bad = int(np.size(value) - np.count_nonzero(np.isfinite(value)))
        if bad:
            raise InputError(f"{path}: {name} holds {bad} NaN or infinite values", fix="use a checkpoint that trained")
    return checkpoint


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint in one of this project's own formats; the file appears whole or not at all.

    Raises:
        InputError: a file ending other than `.safetensors`, `.pt` or `.pth`.
    """
    from ghostface_edge.pipeline.checkpoints import own

    writers = {".safetensors": own.write_safetensors, ".pt": own.write_torch, ".pth": own.write_torch}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path}: cannot write '{path.suffix}' checkpoints", fix=f"use one of {', '.join(writers)}")
    partial = path.with_name(f"{path.name}.partial")
    writer(checkpoint, partial)
    partial.replace(path)


def _readers() -> dict[str, Callable[[Path], Checkpoint]]:
    from ghostface_edge.pipeline.checkpoints import keras, onnx_file, own

    return {
        ".h5": keras.read_checkpoint,
        ".hdf5": keras.read_checkpoint,
        ".safetensors": own.read_safetensors,
        ".pt": own.read_torch,
        ".pth": own.read_torch,
        ".onnx": onnx_file.read_checkpoint,
    }
