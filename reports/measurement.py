"""A figure that a limit is held against."""

from dataclasses import dataclass

from ghostface_edge.reports.record import Interval


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure, as far as the noise lets it be known."""

    name: str
    value: float
    unit: str = ""
    interval: Interval | None = None
    """95 %; None where the figure is exact for these inputs."""
    detail: str = ""
