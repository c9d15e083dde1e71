"""Sections of a report in their order, each a function from findings to a section.

A new one is a module here and its line below; HTML, Markdown and console show it as far as its blocks reach.
"""

from typing import Final

from ghostface_edge.reports.section import SectionOf
from ghostface_edge.reports.sections.artifacts import artifacts
from ghostface_edge.reports.sections.changed_decisions import changed_decisions
from ghostface_edge.reports.sections.checks import checks
from ghostface_edge.reports.sections.devices import devices
from ghostface_edge.reports.sections.difference import against_baseline
from ghostface_edge.reports.sections.environment import environment
from ghostface_edge.reports.sections.estimates import estimates
from ghostface_edge.reports.sections.faces import faces
from ghostface_edge.reports.sections.firmware import firmware
from ghostface_edge.reports.sections.folds import folds
from ghostface_edge.reports.sections.galleries import galleries
from ghostface_edge.reports.sections.groups import groups
from ghostface_edge.reports.sections.leak_guard import leak_guard
from ghostface_edge.reports.sections.numbers import numbers
from ghostface_edge.reports.sections.operating_point import operating_point
from ghostface_edge.reports.sections.plots import plots
from ghostface_edge.reports.sections.profile import profile
from ghostface_edge.reports.sections.quantization import quantization
from ghostface_edge.reports.sections.requirements import requirements
from ghostface_edge.reports.sections.review import review
from ghostface_edge.reports.sections.scores import scores
from ghostface_edge.reports.sections.sets import sets
from ghostface_edge.reports.sections.thresholds import thresholds
from ghostface_edge.reports.sections.variants import variants

SECTIONS: Final[tuple[SectionOf, ...]] = (
    variants,
    devices,
    operating_point,
    groups,
    requirements,
    checks,
    against_baseline,
    plots,
    scores,
    sets,
    folds,
    thresholds,
    galleries,
    changed_decisions,
    review,
    quantization,
    profile,
    estimates,
    firmware,
    leak_guard,
    faces,
    artifacts,
    numbers,
    environment,
)
