"""One variant as a value: its file, what it lost, what it costs, or why it has no figures."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

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
from ghostface_edge.reports.latency import LatencySummary
from ghostface_edge.reports.metrics import FARS, VerificationAccuracy
from ghostface_edge.reports.paired import PairedComparison
from ghostface_edge.reports.record import Cosine, Count, Fraction, Interval, Positive, Record


class Status(StrEnum):
    """How far a variant came."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Artifact(Record):
    """The deployable file."""

    path: str
    bytes: int
    sha256: str
    fp32_bytes: int | None = None
    """Size of the FP32 artifact of the same runtime, also where that is no variant of this report."""


class Accuracy(Record):
    """Fields of `metrics.VerificationAccuracy`."""

    mean: Fraction
    standard_error: Annotated[float, Field(ge=0)]
    folds: tuple[Fraction, ...]
    auc: Fraction
    eer: Fraction
    threshold: float
    tar_at_far: dict[str, Fraction | None]
    """None: too few impostors to measure this FAR."""

    @model_validator(mode="after")
    def _states_every_far(self) -> Self:
        missing = [far for far in FARS if far not in self.tar_at_far]
        if missing:
            raise ValueError(f"tar_at_far lacks {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _agrees_with_its_folds(self) -> Self:
        if not self.folds or abs(sum(self.folds) / len(self.folds) - self.mean) > 1e-6:
            raise ValueError("the mean is not that of the folds")
        return self

    @classmethod
    def of(cls, accuracy: VerificationAccuracy) -> Self:
        """Take over what was measured."""
        return cls.model_validate(asdict(accuracy))


class VersusReference(Record):
    """Fields of `paired.PairedComparison`."""

    reference: str
    drop_pp: float
    ci95_pp: Interval
    p_value: Fraction
    flipped_pairs: Count
    cosine_mean: Cosine
    cosine_p01: Cosine
    cosine_min: Cosine
    lost_pairs: Count | None = None
    tar_drop_pp: dict[str, TarDrop | None] = Field(default_factory=dict)
    detectable_drop_pp: float | None = None
    pairs: Count | None = None

    @classmethod
    def of(cls, reference: str, comparison: PairedComparison) -> Self:
        """Take over what was measured; `reference` names the model compared with."""
        return cls.model_validate({"reference": reference, **asdict(comparison)})


class Latency(Record):
    """Batch 1 on a fixed number of threads."""

    threads: int
    runs: int
    p50_ms: Positive
    p90_ms: Positive
    p99_ms: Positive
    load_ms: Annotated[float, Field(ge=0)]
    peak_rss_mb: Annotated[float, Field(ge=0)]
    versus_fp32: Positive
    """p50 over p50 of the FP32 of the same runtime, interleaved."""
    versus_fp32_ci95: Interval | None = None

    @classmethod
    def of(cls, summary: LatencySummary, *, threads: int, load_ms: float, peak_rss_mb: float) -> Self:
        """Take over what was measured."""
        measured = {"threads": threads, "load_ms": load_ms, "peak_rss_mb": peak_rss_mb, **asdict(summary)}
        return cls.model_validate(measured)


class SetResult(Record):
    """Accuracy on another set of pairs than the main one."""

    accuracy: Accuracy
    versus_reference: VersusReference


class Variant(Record):
    """One runtime in one precision by one method."""

    id: str
    runtime: str
    precision: str
    method: str
    status: Status
    error: str | None = None
    """Why there are no figures, with the fix."""
    artifact: Artifact | None = None
    files: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of every file that ships with it, by path: the artifact's own, its datasheet, firmware."""
    accuracy: Accuracy | None = None
    versus_reference: VersusReference | None = None
    latency: Latency | None = None
    seconds: float | None = None
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
    fold_drops_pp: tuple[float, ...] = ()
    people: tuple[PersonChange, ...] = ()
    """People whose pairs changed, those who lost most first; empty where names are unknown."""
    sets: dict[str, SetResult] = Field(default_factory=dict)
    """By name, results on further sets of pairs."""
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

    @model_validator(mode="after")
    def _holds_what_its_status_says(self) -> Self:
        parts = {
            "artifact": self.artifact,
            "accuracy": self.accuracy,
            "versus_reference": self.versus_reference,
            "latency": self.latency,
        }
        missing = [name for name, part in parts.items() if part is None]
        if self.status is Status.OK and missing:
            raise ValueError(f"status is ok, but {', '.join(missing)} is missing")
        if self.status is not Status.OK and not self.error:
            raise ValueError(f"status is {self.status}, but error does not say why")
        return self
