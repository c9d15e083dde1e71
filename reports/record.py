"""What every part of a report and of a policy is: frozen, finite, without unknown fields."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
Cosine = Annotated[float, Field(ge=-1.000001, le=1.000001)]
Interval = tuple[float, float]


class Record(BaseModel):
    """What every part of a report is: frozen, finite, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
