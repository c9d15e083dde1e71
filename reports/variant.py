"""One variant as a value: its file, what it lost, what it costs, or why it has no figures."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.devices import Footprint, VersusLocal
from ghostface_edge.reports.evidence import (
    CurveStep,
    Firmware,
    Flip,
    LatencySearch,
    NpuEstimate,
    PersonChange,
    ProfileRow,
    RangeStability,
    Sensitivity,
    TarDrop,
    ThresholdTransfer,
)
from ghostface_edge.reports.groups import Groups
from ghostface_edge.reports.one_threshold import OnAnotherSet
from ghostface_edge.reports.record import (
    FARS,
    AtLeastOne,
    Cosine,
    Count,
    Fraction,
    NotNegative,
    Points,
    Positive,
    Record,
    Score,
    Sha256,
    Text,
)

if TYPE_CHECKING:  # they compute with numpy, which reading a report need not load
    from ghostface_edge.reports.latency import LatencySummary
    from ghostface_edge.reports.metrics import VerificationAccuracy
    from ghostface_edge.reports.paired import PairedComparison


class Status(StrEnum):
    """How far a variant came."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Artifact(Record):
    """The deployable file."""

    path: Text
    bytes: AtLeastOne
    sha256: Sha256
    fp32_bytes: AtLeastOne | None = None
    """Of the same runtime's FP32 (TFLite's, where it has none), also where that is no variant of this report."""
    constants_bytes: AtLeastOne | None = None
    """Where the files are source, or hold more than a device gets: what it keeps of them."""

    @property
    def deployed_bytes(self) -> int:
        """What a device has to keep."""
        return self.bytes if self.constants_bytes is None else self.constants_bytes


class Accuracy(Record):
    """Fields of `metrics.VerificationAccuracy`."""

    mean: Fraction
    standard_error: NotNegative
    folds: tuple[Fraction, ...]
    auc: Fraction
    eer: Fraction
    threshold: Score
    tar_at_far: dict[str, Fraction | None]
    """None: too few impostors to measure this FAR."""

    @model_validator(mode="after")
    def _states_every_far(self) -> Self:
        missing = [far for far in FARS if far not in self.tar_at_far]
        if missing:
            raise ValueError(f"tar_at_far lacks {', '.join(missing)}")
        return self

    @classmethod
    def of(cls, accuracy: "VerificationAccuracy") -> Self:
        """Take over what was measured."""
        return cls.model_validate(asdict(accuracy))


class VersusReference(Record):
    """Fields of `paired.PairedComparison`."""

    reference: Text
    drop_pp: Points
    ci95_pp: tuple[Points, Points]
    p_value: Fraction
    flipped_pairs: Count
    cosine_mean: Cosine
    cosine_p01: Cosine
    cosine_min: Cosine
    lost_pairs: Count | None = None
    tar_drop_pp: dict[str, TarDrop | None] = Field(default_factory=dict)
    detectable_drop_pp: NotNegative | None = None
    pairs: AtLeastOne | None = None

    @classmethod
    def of(cls, reference: str, comparison: "PairedComparison") -> Self:
        """Take over what was measured; `reference` names the model compared with."""
        return cls.model_validate({"reference": reference, **asdict(comparison)})


class Latency(Record):
    """Batch 1 on a fixed number of threads."""

    threads: AtLeastOne
    runs: AtLeastOne
    p50_ms: Positive
    p90_ms: Positive
    p99_ms: Positive
    load_ms: NotNegative
    peak_rss_mb: NotNegative
    versus_fp32: Positive
    """p50 over p50 of the FP32 of the same runtime (TFLite's, where it has none), interleaved."""
    versus_fp32_ci95: tuple[Positive, Positive] | None = None
    beside_other_work: bool = False
    """Whether a matrix did other work on the same machine meanwhile."""

    @classmethod
    def of(
        cls,
        summary: "LatencySummary",
        *,
        threads: int,
        load_ms: float,
        peak_rss_mb: float,
        beside_other_work: bool = False,
    ) -> Self:
        """Take over what was measured."""
        measured = {"threads": threads, "load_ms": load_ms, "peak_rss_mb": peak_rss_mb, **asdict(summary)}
        return cls.model_validate({**measured, "beside_other_work": beside_other_work})


class SetResult(Record):
    """Accuracy on another set of pairs than the main one."""

    accuracy: Accuracy
    versus_reference: VersusReference


class Variant(Record):
    """One runtime in one precision by one method."""

    id: Text
    runtime: Text
    precision: Text
    method: Text
    status: Status
    error: str | None = None
    """Why there are no figures, with the fix."""
    artifact: Artifact | None = None
    files: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of every file that ships with it, by path: the artifact's own, its datasheet, firmware."""
    accuracy: Accuracy | None = None
    versus_reference: VersusReference | None = None
    all_pairs: AllPairs | None = None
    """Every image of the gallery, or else of the main set, compared with every other; None where names are unknown."""
    groups: Groups | None = None
    """Error rates of groups of people; None where none were told, or the images tell no false-match rate."""
    latency: Latency | None = None
    seconds: NotNegative | None = None
    """Time the conversion and quantization took."""
    int8_mac_share: Fraction | None = None
    """Share of multiply-accumulates that run in INT8."""
    float_tensors: tuple[str, ...] = ()
    """Tensors that stay in higher precision, where the method chose some."""
    higher_precision: str | None = None
    """By what means they do: `float32`, `int16 activations`..."""
    thresholds: dict[str, ThresholdTransfer | None] = Field(default_factory=dict)
    """By FAR: the reference's operating threshold on this variant, and this variant's own."""
    flips: tuple[Flip, ...] = ()
    """Every pair whose decision changed, the clearest first."""
    fold_drops_pp: tuple[Points, ...] = ()
    people: tuple[PersonChange, ...] = ()
    """People whose pairs changed, those who lost most first; empty where names are unknown."""
    sets: dict[str, SetResult] = Field(default_factory=dict)
    """By name, results on further sets of pairs."""
    one_threshold: dict[str, dict[str, OnAnotherSet]] = Field(default_factory=dict)
    """By name of a set and by rate: what this variant's threshold of the first set does on that one."""
    sensitivity: tuple[Sensitivity, ...] = ()
    curve: tuple[CurveStep, ...] = ()
    """What each step of the quantization recipe gave, in its order."""
    range_stability: tuple[RangeStability, ...] = ()
    """The least stable first."""
    profile: tuple[ProfileRow, ...] = ()
    latency_search: LatencySearch | None = None
    """Recipe `fast`."""
    estimates: tuple[NpuEstimate, ...] = ()
    """By a compiler for accelerators that were not there; never measured, and no limit counts them."""
    firmware: Firmware | None = None
    device: Text | None = None
    """Where it ran, by the name in `Report.devices`; None is this host."""
    versus_local: VersusLocal | None = None
    """What running there instead of here changed."""
    instructions_per_face: Positive | None = None
    """Counted under emulation, where no time is told."""
    footprint: Footprint | None = None
    """What it takes of a device without a system."""

    @property
    def local_id(self) -> str:
        """Id of the same file on this host."""
        return self.id if self.device is None else self.id.removesuffix(f"@{self.device}")

    @model_validator(mode="after")
    def _holds_what_its_status_says(self) -> Self:
        parts: dict[str, Record | None] = {
            "artifact": self.artifact,
            "accuracy": self.accuracy,
            "versus_reference": self.versus_reference,
        }
        parts |= {"latency": self.latency} if self.device is None else {"versus_local": self.versus_local}
        missing = [name for name, part in parts.items() if part is None]
        if self.status is Status.OK and missing:
            raise ValueError(f"status is ok, but {', '.join(missing)} is missing")
        if self.status is not Status.OK and not self.error:
            raise ValueError(f"status is {self.status}, but error does not say why")
        return self
