"""What workers do: a step, which leaves its outcome in the store, or a cell, which is an ordinary run.

In: references. Out: what was done, small enough to travel. Errors of ours are values: a step that fails leaves it to
the cells that need it to say so in their reports, as a run of their own would.
"""

import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ghostface_edge.pipeline.matrix.cells import PlannedCell
from ghostface_edge.pipeline.matrix.graph import StepWork
from ghostface_edge.pipeline.matrix.stores import OnceStore
from ghostface_edge.pipeline.run.main_job import run
from ghostface_edge.pipeline.run.steps import Bench, Opened, OpenFaces, Step, needs, steps_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.code_version import code_version
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.shared_store import SharedStore, open_store
from ghostface_edge.reports.errors import ExitCode, GhostfaceEdgeError, ToolError
from ghostface_edge.reports.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Terms:
    """What a task is told beside its work."""

    out: Path
    """Folder of the matrix."""
    code: str
    """Version of the source that planned it."""
    beside_other_work: bool
    """See `Job`."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a task did."""

    start: float
    end: float
    """Seconds since 1970."""
    worker: str
    """Address of the process that did it."""
    made: tuple[str, ...]
    """Artifacts that it put into the store."""
    bytes: int
    error: str | None = None
    verdict: Verdict | None = None
    """Of a cell, as the next."""
    exit_code: ExitCode = ExitCode.PASS


def work(key: str, what: StepWork | PlannedCell, terms: Terms, *_needed: object) -> Done:
    """Do a task; it is told that what it needs is done, by values that it does not look at."""
    from distributed import get_worker

    start, store = time.time(), OnceStore()
    error, verdict, code = None, None, ExitCode.PASS
    with _log(terms.out / "logs" / f"{key}.log") as log:
        try:
            if terms.code != code_version():
                raise ToolError("this worker runs another version", fix="install the same version on all machines")
            shared = open_store()
            if isinstance(what, PlannedCell):
                verdict, code = _run_cell(what, terms, store, shared, Progress(log))
            else:
                context = StageContext(
                    store,
                    terms.out / "logs" / key,
                    Progress(log),
                    what.cores,
                    limits=what.limits,
                    shared=shared,
                    beside_other_work=terms.beside_other_work,
                )
                with Bench(context, _opened_for(what.step, context)) as bench:
                    bench.take(what.step)
        except GhostfaceEdgeError as refused:
            error, code = str(refused), refused.exit_code
    size = sum(path.stat().st_size for folder in store.made for path in folder.rglob("*") if path.is_file())
    return Done(
        start,
        time.time(),
        get_worker().address,
        tuple(folder.name for folder in store.made),
        size,
        error,
        verdict,
        code,
    )


def _run_cell(
    cell: PlannedCell, terms: Terms, store: OnceStore, shared: SharedStore | None, progress: Progress
) -> tuple[Verdict, ExitCode]:
    job = cell.job_there(beside_other_work=terms.beside_other_work)
    shutil.rmtree(job.out, ignore_errors=True)  # what an attempt left whose worker died
    faces = steps_of(job).faces
    context = StageContext(store, terms.out / "logs" / cell.id, progress, job.cores, shared=shared)
    report, code = run(job, progress, shared, store, opened=_opened(faces, context))
    return report.gate.verdict, code


@contextmanager
def _log(path: Path) -> Iterator[TextIO]:
    """A file that every attempt adds to, line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", buffering=1, encoding="utf-8") as file:
        yield file


class _Shelf(threading.local):
    """The faces that a thread's last task read, with what keeps them open: the next one mostly wants the same."""

    faces: OpenFaces | None = None
    opened: Opened | None = None
    bench: Bench | None = None


_SHELF = _Shelf()


def _opened_for(step: Step[object], context: StageContext) -> Mapping[OpenFaces, Opened]:
    return _opened(_faces_of(step), context)


def _faces_of(step: Step[object]) -> OpenFaces:
    return step if isinstance(step, OpenFaces) else _faces_of(next(iter(needs(step))))


def _opened(faces: OpenFaces, context: StageContext) -> Mapping[OpenFaces, Opened]:
    if _SHELF.faces != faces or _SHELF.opened is None:
        if _SHELF.bench is not None:
            _SHELF.bench.__exit__()
        _SHELF.faces = None
        _SHELF.bench = Bench(context)
        _SHELF.opened, _SHELF.faces = _SHELF.bench.take(faces), faces
    return {faces: _SHELF.opened}
