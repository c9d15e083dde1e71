"""Stages, and what they share while they run: the store, progress, the folder for logs, the number of threads."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Protocol, TypeVar

from ghostface_edge.pipeline.quantize.options import Limit, LimitOptions
from ghostface_edge.pipeline.stages.shared import make
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.shared_store import SharedStore
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.printable import printable, shortened
from ghostface_edge.targets.places.place import LOCAL, Place

DEFAULT_LIMIT: Final = Limit()
DEFAULT_LIMITS: Final = LimitOptions()
_LONGEST_LABEL: Final = 100
"""Characters of a log's name that are taken from a label, which may hold a file's name."""
Outcome = TypeVar("Outcome")
Served = TypeVar("Served")
Read_co = TypeVar("Read_co", covariant=True)


class Stage(Protocol[Read_co]):
    """One cached step of a job; frozen, and made of what decides its outcome.

    Outcomes may go to a store that many machines share: nobody's picture may be in one.
    """

    name: ClassVar[str]

    def inputs(self) -> Mapping[str, object]:
        """JSON values that decide the outcome: contents by hash, options, versions of libraries."""
        ...

    def build(self, folder: Path, context: "StageContext") -> None:
        """Write the outcome's files; native code runs in a place that `context` opens."""
        ...

    def read(self, folder: Path) -> Read_co:
        """Read what `build` wrote, now or in an earlier run."""
        ...


@dataclass(frozen=True, slots=True)
class Ran:
    """A stage that ran, or was found in the store."""

    stage: str
    folder: Path
    inputs: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StageContext:
    """What stages share."""

    store: Store
    logs: Path
    """Folder for what child processes print."""
    progress: Progress
    threads: int
    """Cores to use."""
    place: Place = LOCAL
    """Where native code runs."""
    limits: LimitOptions = DEFAULT_LIMITS
    """What it may take there, by stage."""
    shared: SharedStore | None = None
    """The store behind this user's."""
    beside_other_work: bool = False
    """Whether this tool does other work on this machine meanwhile, so that times of this host are of a busy one."""
    ran: list[Ran] = field(default_factory=list)
    """Stages so far, in order."""

    def run(self, stage: Stage[Outcome]) -> Outcome:
        """The outcome of a stage: from a store if it is there, else built."""
        inputs = stage.inputs()
        build, say = (lambda folder: stage.build(folder, self)), self.progress.say
        if self.shared is None:
            stored = self.store.make(stage.name, inputs, build, say=say)
        else:
            stored = make(self.store, self.shared, stage.name, inputs, build, stage.read, say)
        self.ran.append(Ran(stage.name, stored.folder, inputs))
        return stage.read(stored.folder)

    def open(
        self,
        kind: Callable[..., Served],
        *arguments: object,
        label: str,
        limit: Limit = DEFAULT_LIMIT,
        on_told: Callable[..., None] = lambda *_: None,
    ) -> AbstractContextManager[Served]:
        """One `kind(*arguments)` in a process of its own, as `Place.open`; prints go to the log of this label."""
        return self.place.open(
            kind,
            *arguments,
            log=self.logs / f"{shortened(printable(label), _LONGEST_LABEL)}.log",
            timeout_s=limit.timeout_s,
            memory_limit_mb=limit.memory_mb,
            on_told=on_told,
        )
