"""Options of a training run; parsed once at the edge."""

import json
import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.reports.errors import InputError


class Margin(StrEnum):
    """Where the margin is put: on the angle (ArcFace) or on its cosine (CosFace)."""

    ARCFACE = "arcface"
    COSFACE = "cosface"


class Optimizer(StrEnum):
    """What steps the weights."""

    SGD = "sgd"
    ADAMW = "adamw"


class Numbers(StrEnum):
    """What multiplications compute in; AUTO is bfloat16 or else float16 on a GPU, float32 elsewhere."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


@dataclass(frozen=True, slots=True)
class SyntheticFaces:
    """Rendered people instead of photographs; every epoch shows new pictures of them."""

    identities: int = 1000
    views: int = 24
    """Pictures of one person in one epoch."""


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """One training run.

    Raises:
        InputError: a number that makes no sense.
    """

    architecture: Architecture = field(default_factory=lambda: Architecture(0.5))
    data: Path | SyntheticFaces = field(default_factory=SyntheticFaces)
    """A folder per identity, or a folder that holds `train.rec` and `train.idx`, or rendered people."""
    margin: Margin = Margin.ARCFACE
    margin_size: float = 0.5
    scale: float = 64.0
    subcenters: int = 1
    """Centres per person; above 1 is sub-center ArcFace, for noisy labels."""
    optimizer: Optimizer = Optimizer.SGD
    learning_rate: float = 0.1
    """Of the first step after warm-up."""
    weight_decay: float = 5e-4
    """Not applied to BatchNorm, biases and PReLU slopes."""
    epochs: int = 20
    batch_size: int = 128
    warmup_epochs: float = 1.0
    flip: bool = True
    seed: int = 0
    numbers: Numbers = Numbers.AUTO
    threads: int | None = None
    """Of the processor; None leaves it to PyTorch."""
    workers: int = 0
    """Processes that read or render faces beside the training one."""
    save_every: int = 200
    """Steps between two checkpoints that a killed run resumes from."""

    def __post_init__(self) -> None:
        rules = {
            "epochs": self.epochs >= 1,
            "batch_size": self.batch_size >= 2,
            "learning_rate": 0 < self.learning_rate < 100,
            "weight_decay": 0 <= self.weight_decay < math.inf,
            "margin_size": 0 <= self.margin_size < 1.5,
            "scale": 0 < self.scale < math.inf,
            "subcenters": self.subcenters >= 1,
            "warmup_epochs": 0 <= self.warmup_epochs <= self.epochs,
            "workers": self.workers >= 0,
            "save_every": self.save_every >= 1,
        }
        for name, holds in rules.items():
            if not holds:
                raise InputError(f"training with {name} = {getattr(self, name)} makes no sense", fix=f"change {name}")

    def fingerprint(self) -> str:
        """What must not change between a run and its resumption; where and how fast it runs may."""
        free = {"threads", "workers", "save_every"}
        kept = {name: value for name, value in asdict(self).items() if name not in free}
        return json.dumps(kept, sort_keys=True, default=str)
