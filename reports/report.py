"""The report as a value: the fields of report.json, checked on the way in and on the way out.

Fractions are fractions, `*_pp` are percentage points, `*_ms` milliseconds. NaN and infinities are refused, and so
are fields that are not listed here. `report.schema.json` is generated from these models.
"""

import json
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import CrossPrecision
from ghostface_edge.reports.record import Count, Interval, Record
from ghostface_edge.reports.variant import (
    Accuracy,
    Artifact,
    Latency,
    Status,
    TarDrop,
    Variant,
    VersusReference,
)

__all__ = [
    "Accuracy",
    "Artifact",
    "Calibration",
    "Check",
    "Data",
    "Gate",
    "Host",
    "Latency",
    "LeakGuard",
    "ModelInfo",
    "Pairs",
    "Report",
    "Role",
    "Status",
    "TarDrop",
    "Tool",
    "Variant",
    "Verdict",
    "VersusReference",
    "Waiver",
]

SCHEMA_VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("report.schema.json")


class Verdict(StrEnum):
    """What the evidence says."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Role(StrEnum):
    """Whether a check decides about the release."""

    CANDIDATE = "candidate"
    COMPARISON = "comparison"
    """Judged and shown, but another variant of the same runtime and precision is the one that would ship."""


class Tool(Record):
    """What made the report."""

    name: str = "ghostface-edge"
    version: str
    packages: dict[str, str] = Field(default_factory=dict)
    """Versions of the distributions that decide the figures."""
    command: str | None = None
    seed: int | None = None
    started: str | None = None
    """ISO 8601, UTC."""
    seconds: float | None = None


class Host(Record):
    """Where it was measured."""

    cpu: str
    physical_cores: int
    logical_cores: int
    memory_gb: float
    isa: tuple[str, ...] = ()
    """Instruction-set flags that decide INT8 speed (`avx512_vnni`, `amx_int8`, `asimddp`...)."""
    os: str
    machine: str
    python: str


class ModelInfo(Record):
    """The network that was deployed."""

    name: str
    architecture: str
    width: float
    stride: int
    embedding_size: int
    parameters: int
    mmacs: float
    sha256: str
    activation: str | None = None
    preprocessing: str | None = None
    """What the checkpoint was trained on: colour order, scale, offset, layout."""


class Pairs(Record):
    """The verification pairs of the main figures."""

    path: str
    sha256: str
    count: Count
    name: str = "pairs"
    same: int | None = None
    images: int | None = None
    """Distinct images."""
    protocol: str = "LFW View 2: 10 contiguous folds, threshold from the other nine; cosine, no flip"


class LeakGuard(Record):
    """Whether people of the calibration faces are in the pairs too."""

    checked: tuple[str, ...]
    """How it was looked for: by name, by file, by perceptual hash, by embedding."""
    found: tuple[str, ...] = ()
    """What was found, a line each."""
    allowed: tuple[str, ...] = ()
    """People whom the user allowed by name to be in both."""
    excluded: tuple[str, ...] = ()
    """People of the calibration faces who were left out for what was found."""
    stranger_bound: float | None = None
    """Cosine from which faces counted as near-duplicates; None where embeddings were not compared."""


class Calibration(Record):
    """The faces that ranges were found on."""

    images: int
    identities: int
    identities_shared_with_pairs: Count
    sha256: str
    leak_guard: LeakGuard | None = None
    path: str | None = None


class Data(Record):
    """The faces that went in."""

    pairs: Pairs
    """The pairs of the main figures."""
    calibration: Calibration
    further_pairs: tuple[Pairs, ...] = ()
    """Other sets, whose results are in `variants[].sets` by name."""


class Waiver(Record):
    """A person's decision to ship despite one kind of check, until a day."""

    check: str
    """Name of the checks it covers: a metric, `measured`, `leak`."""
    variants: str
    """Pattern of variant ids."""
    reason: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    expires: date
    """Last day on which it holds."""


class Check(Record):
    """One limit, judged for one variant."""

    name: str
    variant: str
    limit: str
    """As written for a reader: `<= 0.75 pp`."""
    measured: float | None
    """None where nothing was measured."""
    verdict: Verdict
    reason: str
    """One line: what was measured against what, and what it means."""
    role: Role = Role.CANDIDATE
    unit: str = ""
    ci95: Interval | None = None
    set: str | None = None
    """Name of the pairs judged, None for the main ones."""
    why: str = ""
    """Why the policy asks for it."""
    waiver: Waiver | None = None
    """Whoever took the responsibility for a verdict that was not pass."""


class Gate(Record):
    """The verdict on the release."""

    verdict: Verdict
    checks: tuple[Check, ...]
    policy: str = "default"
    baseline: str | None = None
    """The earlier report compared with."""


class Report(Record):
    """report.json."""

    schema_version: Literal[1] = 1
    tool: Tool
    host: Host
    model: ModelInfo
    data: Data
    variants: tuple[Variant, ...]
    gate: Gate
    cross_precision: CrossPrecision | None = None

    @model_validator(mode="after")
    def _names_variants_once(self) -> Self:
        ids = [variant.id for variant in self.variants]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"variants occur more than once: {', '.join(twice)}")
        return self

    def to_json(self) -> str:
        """Write as indented JSON that any reader accepts: no NaN, keys in the order of the models."""
        return json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> Self:
        """Read and check; `source` names the file in errors.

        Raises:
            InputError: the text is no JSON, is cut off, or lacks or breaks a field.
        """
        again = "make the report again with `ghostface-edge run`"
        try:
            version = json.loads(text).get("schema_version")
        except (ValueError, AttributeError) as error:
            raise InputError(f"{source} is not a report: {error}", fix=again) from error
        if version != SCHEMA_VERSION:
            raise InputError(
                f"{source} has schema_version {version!r}, this tool reads {SCHEMA_VERSION}",
                fix="use the release of ghostface-edge that wrote it, or " + again,
            )
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError(f"{source} is not a valid report: {first_problem(error)}", fix=again) from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read report.json.

        Raises:
            InputError: the file is missing, unreadable or not a report.
        """
        try:
            text = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", fix="give the report.json of a run") from error
        return cls.from_json(text, str(path))


def first_problem(error: ValidationError) -> str:
    """Say where the first of pydantic's complaints lies, and how many more there are."""
    problems = error.errors(include_url=False, include_context=False)
    place = ".".join(str(part) for part in problems[0]["loc"]) or "the whole"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place}: {problems[0]['msg']}{more}"


def json_schema() -> str:
    """JSON schema of report.json, as shipped in `report.schema.json`."""
    schema = Report.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ghostface-edge report"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
