"""Checkpoint files by their ending: one reader each, a writer for this project's own formats."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ghostface_edge.pipeline.network.checkpoint import Checkpoint
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import replacing


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
    from ghostface_edge.pipeline.checkpoints import weights_file

    writers = {
        ".safetensors": weights_file.write_safetensors,
        ".pt": weights_file.write_torch,
        ".pth": weights_file.write_torch,
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path}: cannot write '{path.suffix}' checkpoints", fix=f"use one of {', '.join(writers)}")
    with replacing(path) as partial:
        writer(checkpoint, partial)


def _readers() -> dict[str, Callable[[Path], Checkpoint]]:
    from ghostface_edge.pipeline.checkpoints import keras, onnx_file, weights_file

    return {
        ".h5": keras.read_checkpoint,
        ".hdf5": keras.read_checkpoint,
        ".safetensors": weights_file.read_safetensors,
        ".pt": weights_file.read_torch,
        ".pth": weights_file.read_torch,
        ".onnx": onnx_file.read_checkpoint,
    }
