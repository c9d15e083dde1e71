"""The report as a value: the fields of report.json, checked on the way in and on the way out.

Fractions are fractions, `*_pp` are percentage points, `*_ms` milliseconds. NaN and infinities are refused, and so
are fields that are not listed here. `report.schema.json` is generated from these models.
"""

import json
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, ValidationError

from ghostface_edge.reports.consistency import contradictions
from ghostface_edge.reports.devices import Device
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import CrossPrecision
from ghostface_edge.reports.json_text import decode_json, parse_json, to_json
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.provenance import Calibration, Data, Gallery, Host, LeakGuard, ModelInfo, Pairs, Tool
from ghostface_edge.reports.read import read_bytes
from ghostface_edge.reports.record import Record, Sha256, first_problem
from ghostface_edge.reports.review import Review
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
    "Gallery",
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
MAX_REPORT_BYTES: Final = 24 * 2**20
"""The report of all LFW pairs takes 4 MB; refusing one can take ten times its size in memory."""
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
    review: Review | None = None
    """Comparisons of the main set that a person should look at; None where names are unknown."""
    devices: tuple[Device, ...] = ()
    """Where variants ran beside this host."""
    runners: dict[str, Sha256] = Field(default_factory=dict)
    """SHA-256 of the programs that run its models and test themselves, and of their golden faces, by path."""

    @property
    def local_variants(self) -> tuple[Variant, ...]:
        """Rows of this host."""
        return tuple(variant for variant in self.variants if variant.device is None)

    def to_json(self) -> str:
        """Write as indented JSON that any reader accepts, keys in the order of the models."""
        return to_json(self.model_dump(mode="json")) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> Self:
        """Read and check; `source` names the file in errors.

        Raises:
            InputError: the text is no JSON, is cut off, lacks or breaks a field, or contradicts itself.
        """
        again = "make the report again with `ghostface-edge run`"
        text = decode_json(text, source, fix=again)
        content = parse_json(text, source, fix=again)
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version != SCHEMA_VERSION or isinstance(version, bool):
            raise InputError(
                f"{source} has schema_version {shortened(repr(version))}, this tool reads {SCHEMA_VERSION}",
                fix="use the release of ghostface-edge that wrote it, or " + again,
            )
        del content  # as large as the report
        try:
            report = cls.model_validate_json(text, strict=True)
        except ValidationError as error:
            raise InputError(f"{source} is not a valid report: {first_problem(error)}", fix=again) from None
        for place, problem in contradictions(report):
            raise InputError(f"{source} contradicts itself: {place}: {problem}", fix=again)
        return report

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read report.json.

        Raises:
            InputError: the file is missing, unreadable, too large or not a report.
        """
        data = read_bytes(path, fix="give the report.json of a run", at_most=MAX_REPORT_BYTES)
        return cls.from_json(data, str(path))


def json_schema() -> str:
    """JSON schema of report.json, as shipped in `report.schema.json`."""
    schema = Report.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ghostface-edge report"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
