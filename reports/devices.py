"""Devices as a report holds them: where variants ran, how alike they are there, and what decides their times.

A variant on a device is a row of its own, `tflite-int8@pi4`, beside the row `tflite-int8` of this host.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from pydantic import Field

from ghostface_edge.reports.record import (
    AtLeastOne,
    Cosine,
    Count,
    NotNegative,
    Points,
    Positive,
    Record,
    Text,
)

if TYPE_CHECKING:  # it computes with numpy, which reading a report need not load
    from ghostface_edge.reports.paired import PairedComparison

LOCAL: Final = "local"
"""Name of this host among the devices; its variants' rows name no device."""


class DeviceKind(StrEnum):
    """How a device is reached."""

    LOCAL = "local"
    EMULATED = "emulated"
    """Its CPU is imitated: numbers are right there, times are not."""
    SSH = "ssh"
    ADB = "adb"
    EXEC = "exec"
    """By a command that speaks the protocol."""


class FirstDifference(Record):
    """Where the values of a device part from this host's."""

    tensor: Text
    operator: Text
    cause: Text
    """The likely one."""


class VersusLocal(Record):
    """One file on a device and on this host: the same faces and the same pairs."""

    faces: AtLeastOne
    equal_bytes: Count
    """Faces whose embedding has the same bytes."""
    cosine_mean: Cosine
    cosine_min: Cosine
    max_abs: NotNegative
    """Largest difference of two values of an embedding."""
    drop_pp: Points
    """This host's accuracy less the device's."""
    ci95_pp: tuple[Points, Points]
    flipped_pairs: Count
    first_difference: FirstDifference | None = None
    """None where nothing differs, or nobody looked."""

    @classmethod
    def of(cls, comparison: "PairedComparison", *, faces: int, equal_bytes: int, max_abs: float) -> Self:
        """Take over what was measured with this host as the reference."""
        return cls(
            faces=faces,
            equal_bytes=equal_bytes,
            cosine_mean=comparison.cosine_mean,
            cosine_min=comparison.cosine_min,
            max_abs=max_abs,
            drop_pp=comparison.drop_pp,
            ci95_pp=comparison.ci95_pp,
            flipped_pairs=comparison.flipped_pairs,
        )


class Footprint(Record):
    """What a model takes as a program without a system, the arena and one face among it."""

    flash_bytes: Count
    """Instructions, constants, and what variables begin as."""
    ram_bytes: Count
    """Variables."""
    stack_bytes: Count
    """On top of that: the deepest that was seen."""


class Moment(Record):
    """State of a device's CPU; None where the device does not tell."""

    frequency_mhz: Positive | None = None
    temperature_c: float | None = Field(default=None, ge=-273.15, le=1000)


class Conditions(Record):
    """What decides the times of a device, around the timing."""

    governor: Text | None = None
    before: Moment
    after: Moment
    throttled: bool | None = None
    """None where the device does not tell."""
    cores: tuple[Count, ...] = ()
    """Numbers of the cores that the runtime was pinned to; empty where it was not."""
    load: NotNegative | None = None
    """Processes that ran beside it, on average."""


class Sample(Record):
    """A stretch of a sustained run, by its end."""

    seconds: NotNegative
    """Since the beginning."""
    p50_ms: Positive
    at: Moment


class Sustained(Record):
    """One variant, run without a pause for minutes."""

    variant: Text
    """Its id on this host."""
    streams: AtLeastOne
    """Faces at a time: 1, or one for each core."""
    p90_ms: Positive
    """Over the whole run, as MLPerf's single stream has it."""
    faces_per_second: Positive
    samples: tuple[Sample, ...] = Field(min_length=1)


class Device(Record):
    """Where variants ran beside this host."""

    name: Text
    kind: DeviceKind
    machine: Text
    """`aarch64`, `armv7l`..."""
    cpu: Text
    os: Text
    python: Text | None = None
    """None where the far side needs none."""
    runtimes: dict[Text, Text] = Field(default_factory=dict)
    """Versions of the runtimes there."""
    memory_mb: NotNegative | None = None
    faces: Count
    """Distinct images that every variant there embedded."""
    pairs: Count
    """Pairs of them, which the figures there are of."""
    same: Count
    """Of them, of one person."""
    is_timed: bool
    """Whether its times count."""
    conditions: Conditions | None = None
    energy_mj_per_face: dict[Text, Positive] = Field(default_factory=dict)
    """By id on this host, of the variants whose energy a meter told."""
    sustained: tuple[Sustained, ...] = ()
