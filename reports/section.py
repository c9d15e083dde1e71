"""A section as a value, and what its function makes it from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ghostface_edge.reports.blocks import Block, Reach
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Status, Variant


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run found, as far as it is at hand."""

    report: Report
    curves: ReportCurves | None = None
    """None where only report.json is known: plots that need arrays are left out."""
    baseline: Report | None = None
    """The report of an earlier run to compare with."""

    @property
    def measured(self) -> list[Variant]:
        """Variants that have figures on this host."""
        return [variant for variant in self.report.local_variants if variant.status is Status.OK]


@dataclass(frozen=True, slots=True)
class Section:
    """One subject of a report, for every renderer."""

    id: str
    """Anchor; unique in the report."""
    title: str
    blocks: Sequence[Block]
    aside: str = ""
    """Said beside the title."""
    nav: str = ""
    """Short name for the page's list of sections; the title where it is empty."""
    framed: bool = False
    """Whether it is set apart from what was measured."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """Data URIs by name, which cards refer to."""


SectionOf: TypeAlias = Callable[[Findings], Section | None]
"""None where there is nothing to say."""


def shown(findings: Findings, sections: Sequence[SectionOf], reach: Reach) -> list[Section]:
    """Make the sections that have something to say as far as `reach`, with those blocks only."""
    made = (section_of(findings) for section_of in sections)
    return reaching([section for section in made if section is not None], reach)


def reaching(sections: Iterable[Section], reach: Reach) -> list[Section]:
    """Keep of sections what is shown as far as `reach`."""
    cut = (
        replace(section, blocks=tuple(block for block in section.blocks if block.reach >= reach))
        for section in sections
    )
    return [section for section in cut if section.blocks]
