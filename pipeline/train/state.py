"""State from which a killed run goes on exactly where it was: saved whole or not at all."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import replacing


@dataclass(slots=True)
class History:
    """What the curves show."""

    loss_steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    """Mean since the entry before."""
    rates: list[float] = field(default_factory=list)
    validation_steps: list[int] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    """Training time over all parts of the run."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What changes while training."""

    network: torch.nn.Module
    head: torch.nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler


def save_state(path: Path, step: int, parts: Parts, history: History, fingerprint: str) -> None:
    """Write after `step` steps are done."""
    content = {
        "fingerprint": fingerprint,
        "step": step,
        "history": asdict(history),
        "network": parts.network.state_dict(),
        "head": parts.head.state_dict(),
        "optimizer": parts.optimizer.state_dict(),
        "scaler": parts.scaler.state_dict(),
    }
    with replacing(path) as partial:
        torch.save(content, partial)


def load_state(path: Path, parts: Parts, fingerprint: str) -> tuple[int, History]:
    """Put the parts back as they were.

    Returns:
        Steps done, and the history so far.

    Raises:
        InputError: damaged, or of a run with other options.
    """
    import pickle

    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if content["fingerprint"] != fingerprint:
            raise InputError(
                f"{path} was written by a run with other options",
                fix="resume with the same ones, or start in a new folder",
            )
        parts.network.load_state_dict(content["network"])
        parts.head.load_state_dict(content["head"])
        parts.optimizer.load_state_dict(content["optimizer"])
        parts.scaler.load_state_dict(content["scaler"])
        return int(content["step"]), History(**content["history"])
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a training state ({error})", fix="delete it and start anew") from error
