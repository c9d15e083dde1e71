"""What a gate judges and against what, and which variants decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase

from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Data, Report, Role
from ghostface_edge.reports.variant import Variant


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged, against what."""

    variants: Sequence[Variant]
    data: Data | None
    policy: Policy
    baseline: Report | None
    clock: date
    """The current day, as far as the machine knows."""
    made: date | None = None
    """When the report was made, where that is known."""

    @property
    def today(self) -> date:
        """Day that waivers are held against: a clock set back behind the reports' own days revives none."""
        return max(day for day in self._days if day is not None)

    @property
    def identified(self) -> bool:
        """Whether it is known who is on the images, so that all of them were compared."""
        return any(variant.all_pairs is not None for variant in self.variants)

    @property
    def ahead(self) -> date | None:
        """The latest day of a report that the clock has not reached, a day granted for clocks that differ."""
        days = [day for day in self._days if day is not None and day > self.clock + timedelta(days=1)]
        return max(days, default=None)

    @property
    def _days(self) -> tuple[date | None, ...]:
        return self.clock, self.made, None if self.baseline is None else self.baseline.tool.day

    def before(self, variant: Variant) -> Variant | None:
        """The same variant in the baseline, if the two runs can be compared at all."""
        known = self.baseline.variants if self.baseline is not None and self.comparable else ()
        return next((other for other in known if other.id == variant.id), None)

    @property
    def comparable(self) -> bool:
        """Whether the baseline was measured on the same pairs, and on the same gallery."""
        return self.baseline is not None and _measured_on(self.baseline.data) == _measured_on(self.data)


def _measured_on(data: Data | None) -> tuple[object, ...]:
    if data is None:
        return ()
    gallery = None if data.gallery is None else data.gallery.sha256
    return data.pairs.sha256, data.pairs.count, data.pairs.protocol, gallery


def role_of(variant: Variant, variants: Sequence[Variant], policy: Policy) -> Role:
    """Whether a variant would ship, or only stands beside the one that would."""

    def compared_only(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in policy.comparison)

    ships_instead = (
        (other.runtime, other.precision, other.device) == (variant.runtime, variant.precision, variant.device)
        and not compared_only(other.local_id)
        for other in variants
    )
    return Role.COMPARISON if compared_only(variant.local_id) and any(ships_instead) else Role.CANDIDATE
