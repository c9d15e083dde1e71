"""A history as a value: its runs, its series, and what changed.

In: what a folder holds. Out: a `History`, which tables, pages and JSON show.
"""

from collections.abc import Iterator

from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.history.folder import Kept
from ghostface_edge.reports.history.kept_run import KeptRun
from ghostface_edge.reports.history.series import Change, Series, series_of
from ghostface_edge.reports.record import Record
from ghostface_edge.reports.report import Verdict
from ghostface_edge.reports.variant import Status


class RunLine(Record):
    """A run in the list of runs."""

    name: str
    started: str
    network: str
    pairs: str
    verdict: Verdict
    exit_code: ExitCode
    failed: tuple[str, ...]
    """Variants that failed, each with its error."""


class History(Record):
    """Runs in the order in which they started, and the figures that may be compared."""

    runs: tuple[RunLine, ...]
    series: tuple[Series, ...]
    left_out: tuple[str, ...] = ()
    """Why each file that is no run was left out."""

    @property
    def changes(self) -> Iterator[tuple[Series, Change]]:
        """Every change with its series, the newest first, of one run the worse first."""
        found = [(series, change) for series in self.series for change in series.changes]
        return iter(sorted(found, key=lambda pair: (-pair[1].run, not pair[1].is_worse)))


def look_at(kept: Kept) -> History:
    """Put comparable figures into series and find where they changed."""
    return History(
        runs=tuple(map(_line, kept.runs)),
        series=series_of(kept.runs),
        left_out=tuple(kept.left_out),
    )


def _line(run: KeptRun) -> RunLine:
    return RunLine(
        name=run.name,
        started=run.started,
        network=run.network,
        pairs=f"{run.pairs.count:,} of {run.pairs.name}",
        verdict=run.verdict,
        exit_code=run.exit_code,
        failed=tuple(f"{one.id}: {one.error}" for one in run.variants if one.status is Status.FAILED),
    )
