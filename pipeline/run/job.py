"""What a user asks for, and what the job is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.leaks import LeakReport
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.stages.artifacts import ExportedModel
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report
from ghostface_edge.targets.protocol import Embeddings, InputType
from ghostface_edge.targets.table import VariantId


@dataclass(frozen=True, slots=True)
class Job:
    """What a user asks for."""

    checkpoint: Path
    pairs: tuple[PairsSource, ...]
    """The first decides the main figures."""
    calibration: Path
    variants: tuple[VariantId, ...]
    out: Path
    recipe: Recipe
    policy: Policy
    baseline: Report | None = None
    allowed_leaks: tuple[str, ...] = ()
    """Calibration identities that may be in the pairs."""
    strangers: bool = False
    """Whether calibration faces and pairs share nobody by construction, as rendered people do; two of them that look
    alike to the network are no leak then."""
    input_type: InputType = InputType.INT8
    """What INT8 artifacts take where the runtime has a choice."""
    seed: int = 0
    calibration_faces: int = 2000
    sampling: SamplingMethod = SamplingMethod.PER_IDENTITY
    latency_threads: int = 1
    cores: int = 1
    """For embedding and alignment."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a job reads."""

    checkpoint: Path
    sets: tuple[VerificationSet, ...]
    """The first is the one of the main figures."""
    calibration: CalibrationSet


@dataclass(frozen=True, slots=True)
class Reference:
    """What every variant is compared with."""

    model: ExportedModel
    embeddings: Mapping[str, Embeddings]
    """FP32, by name of the verification set."""
    leaks: LeakReport


@dataclass(frozen=True, slots=True)
class Judge:
    """By what a report is judged."""

    policy: Policy
    baseline: Report | None
    allowed_leaks: tuple[str, ...]
