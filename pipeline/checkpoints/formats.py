"""Checkpoint files by their ending: a check and a reader each, a writer for this project's own formats.

To add a format, write a function from a path to a `Checkpoint` that raises `InputError`, and add a line to `READERS`;
one that judges the file before (`targets.judge`) belongs into `CHECKS`.
"""

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.judge import ARTIFACT_CHECKS, apply, judge

if TYPE_CHECKING:
    from ghostface_edge.pipeline.network.checkpoint import Checkpoint

READERS: Final = MappingProxyType(
    {
        ".h5": "ghostface_edge.pipeline.checkpoints.keras:read_checkpoint",
        ".hdf5": "ghostface_edge.pipeline.checkpoints.keras:read_checkpoint",
        ".safetensors": "ghostface_edge.pipeline.checkpoints.weights_file:read_safetensors",
        ".pt": "ghostface_edge.pipeline.checkpoints.weights_file:read_torch",
        ".pth": "ghostface_edge.pipeline.checkpoints.weights_file:read_torch",
        ".onnx": "ghostface_edge.pipeline.checkpoints.onnx_file:read_checkpoint",
    }
)
CHECKS: Final = MappingProxyType(
    {
        ".h5": "ghostface_edge.pipeline.checkpoints.keras_model:check",
        ".hdf5": "ghostface_edge.pipeline.checkpoints.keras_model:check",
        ".safetensors": "ghostface_edge.pipeline.checkpoints.safetensors_file:check",
        ".pt": "ghostface_edge.pipeline.checkpoints.torch_file:check",
        ".pth": "ghostface_edge.pipeline.checkpoints.torch_file:check",
        ".onnx": ARTIFACT_CHECKS[".onnx"],
    }
)
"""For `judge`: none of them imports PyTorch."""


def judge_checkpoint(path: Path) -> None:
    """Refuse a file that is not what it says, in a process of its own and before PyTorch is started.

    Raises:
        InputError: missing, of an unknown kind, damaged, or larger, deeper or other than it may be.
    """
    _reader(path)
    check = CHECKS.get(path.suffix.lower())
    if check is not None:
        judge(path, check)


def load_checkpoint(path: Path) -> "Checkpoint":
    """Read a trained GhostFaceNet.

    Raises:
        InputError: the file is missing, of an unknown kind, damaged, or holds another network.
    """
    import numpy as np

    reader, check = _reader(path), CHECKS.get(path.suffix.lower())
    if check is not None:
        apply(path, check)
    checkpoint = cast("Callable[[Path], Checkpoint]", resolve_name(reader))(path)
    for name, value in checkpoint.weights.items():
        bad = int(np.size(value) - np.count_nonzero(np.isfinite(value)))
        if bad:
            raise InputError(f"{path}: {name} holds {bad} NaN or infinite values", fix="use a checkpoint that trained")
    return checkpoint


def _reader(path: Path) -> str:
    if not path.exists():
        raise InputError(f"{path}: no such checkpoint file", fix="give the path of a trained GhostFaceNet")
    where = READERS.get(path.suffix.lower())
    if where is None:
        raise InputError(
            f"{path}: checkpoints of kind '{path.suffix}' are not known",
            fix=f"give one of {', '.join(READERS)}",
        )
    return where


def save_checkpoint(checkpoint: "Checkpoint", path: Path) -> None:
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
