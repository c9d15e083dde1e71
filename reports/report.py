"""The report as a value: the fields of report.json, checked on the way in and on the way out.

Fractions are fractions, `*_pp` are percentage points, `*_ms` milliseconds. NaN and infinities are refused, and so
are fields that are not listed here. `report.schema.json` is generated from these models.
"""

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError, model_validator

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import CrossPrecision
from ghostface_edge.reports.provenance import Calibration, Data, Host, LeakGuard, ModelInfo, Pairs, Tool
from ghostface_edge.reports.record import Record
from ghostface_edge.reports.variant import (
    Accuracy,
    Artifact,
    Latency,
    Status,
    Variant,
    VersusReference,
)
from ghostface_edge.reports.verdicts import Check, Gate, Role, Verdict, Waiver

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
    "Tool",
    "Variant",
    "Verdict",
    "VersusReference",
    "Waiver",
]

SCHEMA_VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("report.schema.json")


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
