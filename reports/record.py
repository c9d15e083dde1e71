"""What every part of a report and of a policy is: frozen, finite, without unknown fields."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from ghostface_edge.reports.printable import unbroken

FARS = ("0.01", "0.001")
"""False-accept rates that every report states TAR at, as they are spelt there."""
_LARGEST = 1e12
"""No figure of a report comes near it; what is beyond overflows in arithmetic."""

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=_LARGEST)]
NotNegative = Annotated[float, Field(ge=0, le=_LARGEST)]
Count = Annotated[int, Field(ge=0, le=_LARGEST)]
AtLeastOne = Annotated[int, Field(ge=1, le=_LARGEST)]
Cosine = Annotated[float, Field(ge=-1.000001, le=1.000001)]
Points = Annotated[float, Field(ge=-100, le=100)]
"""Percentage points."""
Score = Annotated[float, Field(ge=-1000, le=1000)]
"""How alike two faces are, by whatever measure."""
Decibels = Annotated[float, Field(ge=-1000, le=1000)]
Interval = tuple[float, float]
Text = Annotated[str, BeforeValidator(unbroken), Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _stop_at_first_fault(schema: object) -> None:
    """In a list of a stranger's a million faults take gigabytes to say; the first one is enough."""
    if isinstance(schema, dict):
        if schema.get("type") in {"list", "tuple"}:
            schema["fail_fast"] = True
        for part in schema.values():
            _stop_at_first_fault(part)
    elif isinstance(schema, list):
        for part in schema:
            _stop_at_first_fault(part)


class Record(BaseModel):
    """What every part of a report is: frozen, finite, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _stop_at_first_fault(schema)
        return schema


def first_problem(error: ValidationError) -> str:
    """Say where the first of pydantic's complaints lies, and how many more there are."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    place = ".".join(str(part) for part in problems[0]["loc"]) or "the whole"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place}: {problems[0]['msg']}{more}"
