"""One run as a history keeps it: its figures with their intervals, and what decides whether another run's compare.

In: a report. Out: a `KeptRun`, a file of a few kilobytes where the report may have megabytes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from ghostface_edge.reports.all_against_all import Support
from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.json_text import to_json
from ghostface_edge.reports.measured import measure
from ghostface_edge.reports.policy import Metric, Rule
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.record import AtLeastOne, Count, NotNegative, Positive, Record, Sha256, Text
from ghostface_edge.reports.report import Report, Verdict
from ghostface_edge.reports.variant import Status, Variant

SCHEMA_VERSION: Final = 1
_WANTED_FMR: Final = "0.0001"
_DIGEST: Final = 12
_LONGEST_ERROR: Final = 400


class Figure(Record):
    """A figure with its 95 % interval, where it has one."""

    value: NotNegative
    ci95: tuple[NotNegative, NotNegative] | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.ci95 is not None and self.ci95[0] > self.ci95[1]:
            raise ValueError("an interval that ends before it begins")
        return self


class Ratio(Figure):
    """A figure that differences are shares of."""

    value: Positive


class KeptVariant(Record):
    """A variant's figures; none where it failed or was skipped."""

    id: Text
    status: Status
    error: str | None = None
    kernels: Text
    """Processors that compute the same numbers: INT8 saturates on x86 without VNNI."""
    timed_on: Text | None = None
    """Processor, its instruction sets and threads; None where no time was taken."""
    accuracy: Figure | None = None
    fmr: Literal["0.01", "0.001", "0.0001", "0.00001", "0.000001"] | None = None
    """The false-match rate of `fnmr`: 1:10,000, or the lowest that the comparisons tell."""
    fnmr: Figure | None = None
    versus_fp32: Ratio | None = None
    bytes: AtLeastOne | None = None


class Faces(Record):
    """A set of images that figures are of."""

    name: Text
    sha256: Sha256
    count: Count
    """Pairs or images."""


class KeptRun(Record):
    """One run."""

    schema_version: Literal[1] = SCHEMA_VERSION
    release: Text | None = None
    """What the user calls it."""
    started: Text
    """ISO 8601, with its offset from UTC."""
    verdict: Verdict
    exit_code: ExitCode
    network: Text
    pairs: Faces
    compared: Faces
    """All against all: a gallery, or the images of the pairs."""
    made_with: dict[Text, Text] = Field(max_length=100)
    """Versions and digests that may explain a change."""
    variants: tuple[KeptVariant, ...] = Field(max_length=200)

    @field_validator("started")
    @classmethod
    def _is_a_moment(cls, value: str) -> str:
        if datetime.fromisoformat(value).tzinfo is None:
            raise ValueError("a moment without its offset from UTC")
        return value

    @property
    def moment(self) -> datetime:
        """When it started, in UTC."""
        return datetime.fromisoformat(self.started).astimezone(UTC)

    @property
    def name(self) -> str:
        """What readers know it by: the release, or else the minute."""
        return self.release or f"{self.moment:%Y-%m-%d %H:%M}"

    def to_json(self) -> str:
        """As it is kept."""
        return to_json(self.model_dump(mode="json")) + "\n"

    @classmethod
    def of(cls, report: Report, exit_code: ExitCode, release: str | None = None) -> Self:
        """Take from a report what a history needs."""
        pairs, gallery, tool = report.data.pairs, report.data.gallery, report.tool
        whole = Faces(name=pairs.name, sha256=pairs.sha256, count=pairs.count)
        made_with = {
            tool.name: tool.version,
            **tool.packages,
            "Python": report.host.python,
            "CPU": report.host.cpu,
            "network": report.model.sha256[:_DIGEST],
            "calibration faces": report.data.calibration.sha256[:_DIGEST],
            "policy": report.gate.policy,
        }
        return cls(
            release=release,
            started=tool.started or datetime.now(UTC).isoformat(timespec="seconds"),
            verdict=report.gate.verdict,
            exit_code=exit_code,
            network=report.model.name,
            pairs=whole,
            compared=whole
            if gallery is None
            else Faces(name=gallery.name, sha256=gallery.sha256, count=gallery.images),
            made_with=made_with,
            variants=tuple(_kept(variant, report) for variant in report.variants),
        )


def _kept(variant: Variant, report: Report) -> KeptVariant:
    fmr = _fmr(variant)
    figures = {
        "accuracy": _figure(Metric.ACCURACY, variant, report),
        "fnmr": None if fmr is None else _figure(Metric.FNMR, variant, report, fmr=fmr),
        "versus_fp32": _figure(Metric.LATENCY_RATIO, variant, report),
    }
    return KeptVariant.model_validate(
        {
            "id": variant.id,
            "status": variant.status,
            "error": None if variant.error is None else shortened(variant.error, _LONGEST_ERROR),
            "kernels": _kernels(variant, report),
            "timed_on": _timed_on(variant, report),
            "fmr": fmr,
            "bytes": None if variant.artifact is None else variant.artifact.deployed_bytes,
            **figures,
        }
    )


def _fmr(variant: Variant) -> str | None:
    """A rate that is only bounded has no figure to follow."""
    found = variant.all_pairs
    figures = (
        []
        if found is None
        else [
            fmr
            for fmr, row in found.fnmr_at_fmr.items()
            if row.support is Support.FIGURE and float(fmr) >= float(_WANTED_FMR)
        ]
    )
    return min(figures, key=float, default=None)


def _figure(metric: Metric, variant: Variant, report: Report, *, fmr: str | None = None) -> Mapping[str, object] | None:
    """As a rule of the gate would see it, whose intervals may reach below nothing."""
    rule = Rule.model_validate({"metric": metric, "variants": "*", "fmr": fmr, "min": 0})
    found = measure(rule, variant, report.variants)
    if found is None:
        return None
    interval = found.interval and (max(found.interval[0], 0.0), max(found.interval[1], 0.0))
    return {"value": found.value, "ci95": interval}


def _kernels(variant: Variant, report: Report) -> str:
    device = next((device for device in report.devices if device.name == variant.device), None)
    if device is not None:
        return f"{device.cpu}, {device.machine}"
    host = report.host
    if host.machine != "x86_64":
        return host.machine
    return f"{host.machine} {'with' if any('vnni' in flag for flag in host.isa) else 'without'} VNNI"


def _timed_on(variant: Variant, report: Report) -> str | None:
    if variant.latency is None:
        return None
    threads = f"{variant.latency.threads} thread{'' if variant.latency.threads == 1 else 's'}"
    device = next((device for device in report.devices if device.name == variant.device), None)
    if device is not None:
        return f"{device.cpu}, {threads}"
    return f"{report.host.cpu} ({' '.join(report.host.isa)}), {threads}"
