"""What a device says of itself, believed no further than its type and its size."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ghostface_edge.reports.record import AtLeastOne, Count, NotNegative, Positive
from ghostface_edge.reports.record import Text as AnyText

Text = Annotated[AnyText, Field(max_length=200)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DeviceFacts(_Told):
    """What a device says of itself."""

    machine: Text
    cpu: Text
    os: Text
    python: Text | None
    """None where a core is too small for one."""
    features: Annotated[str, Field(max_length=200)] = ""
    """What its instruction set has of what kernels use, as `/proc/cpuinfo` says it; often nothing."""
    versions: Annotated[dict[Text, Text], Field(max_length=20)]
    """Of NumPy and of the runtimes that are there."""
    cores: AtLeastOne
    memory_mb: Count
    free_mb: Count
    """Where models are kept."""
    clock_s: float
    """Its time, seconds since 1970."""


class Conditions(_Told):
    """What decides over times at a moment; None where the device does not tell."""

    governor: Text | None
    frequency_mhz: Positive | None
    temperature_c: Annotated[float, Field(ge=-273.15, le=1000)] | None
    load: NotNegative
    throttled: bool | None
