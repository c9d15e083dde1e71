"""Which file of all cells to ship in a place, by the rule that chooses among the files of one report.

A file that several cells judged, on other pairs for instance, may ship if it may by all of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ghostface_edge.reports.recommend import Considered, Recommendation, choose
from ghostface_edge.reports.verdicts import Verdict, overall


def best(files: Mapping[str, Sequence[Considered]]) -> list[Recommendation]:
    """One choice for each place, in their order."""
    return [choose(place, _judged_by_all(judged)) for place, judged in files.items()]


def _judged_by_all(files: Sequence[Considered]) -> list[Considered]:
    alike: dict[tuple[str | None, str], list[Verdict]] = defaultdict(list)
    for file in files:
        alike[_identity(file)].append(file.verdict)
    return [
        file if file.sha256 is None else file.model_copy(update={"verdict": overall(alike[_identity(file)])})
        for file in files
    ]


def _identity(file: Considered) -> tuple[str | None, str]:
    """One file may be several variants of a cell, of which one ships and the others are for comparison."""
    return file.sha256, file.variant.split("/", 1)[1]
