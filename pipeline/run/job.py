"""What a user asks for, and what the job is made of."""

from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.leaks import OnLeak
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.calibration.people_file import People
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report
from ghostface_edge.targets.protocol import InputType
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
    on_leak: OnLeak = OnLeak.EXCLUDE
    """What becomes of calibration identities that are in the pairs."""
    allowed_leaks: tuple[str, ...] = ()
    """Those that may be."""
    nobody_shared: bool = False
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
    groups: Path | None = None
    """CSV of attributes of the main set's people."""
    command: str | None = None
    """As the user gave it, for the report."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a job reads."""

    checkpoint: Path
    sets: tuple[VerificationSet, ...]
    """The first is the one of the main figures."""
    calibration: CalibrationSet
    people: People | None = None
    """Attributes of the main set's people, where the job names them."""


@dataclass(frozen=True, slots=True)
class GateInputs:
    """By what a release is judged."""

    policy: Policy
    baseline: Report | None
    allowed_leaks: tuple[str, ...]
