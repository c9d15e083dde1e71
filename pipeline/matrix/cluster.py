"""Where the workers are: here, at a scheduler's address, or what dask-jobqueue starts by a YAML file."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.reports.yaml_file import read_mapping
from ghostface_edge.targets.requirements import require_modules

if TYPE_CHECKING:
    from distributed import Client

LOCAL: Final = "local"
_DEATHS: Final = 3
"""Workers that a task may end before it is given up."""
_CONFIG: Final = {
    "distributed.scheduler.allowed-failures": _DEATHS - 1,
    "distributed.scheduler.locks.lease-timeout": "15s",  # after which what a dead worker was making may be made
    "distributed.scheduler.locks.lease-validation-interval": "1s",
    "distributed.nanny.pre-spawn-environ": {},  # what decides figures is what it is for a run of its own
    "distributed.worker.memory.terminate": False,  # limits are the children's; see docs/decisions/0024
    "distributed.worker.memory.pause": False,
    "distributed.admin.large-graph-warning-threshold": "1GB",
}
_REACH_S: Final = 20


@contextmanager
def open_cluster(where: str, workers: int, boards: Collection[str]) -> "Iterator[Client]":
    """A client of a cluster, until the context ends, and what it started with it.

    Args:
        where: `local`, an address, or a YAML file for dask-jobqueue.
        workers: how many, where they are started from here.
        boards: that the first local worker offers, each once.

    Raises:
        InputError: no scheduler answers there, or the file is of no use.
        RuntimeMissingError: Dask is not installed.
        ToolError: a worker of this machine does not start.
    """
    require_modules("dask", "distributed")
    import dask
    from distributed import Client
    from distributed.utils import silence_logging_cmgr

    with dask.config.set(_CONFIG), silence_logging_cmgr(logging.CRITICAL):  # what counts is said by who asked
        if where == LOCAL:
            with _local(workers, boards) as cluster, Client(cluster, set_as_default=False) as client:
                yield client
        elif where.endswith((".yaml", ".yml")):
            with jobqueue_cluster(Path(where)) as cluster, Client(cluster, set_as_default=False) as client:
                cluster.scale(jobs=workers)
                client.wait_for_workers(1)
                yield client
        else:
            try:
                client = Client(where, timeout=_REACH_S, set_as_default=False)
            except (OSError, ValueError) as error:
                raise InputError(
                    f"no scheduler answers at {where}: {error}", fix="start one with `dask scheduler`, or use local"
                ) from None
            with client:
                client.wait_for_workers(1, timeout=_REACH_S)
                yield client


def _local(workers: int, boards: Collection[str]) -> Any:
    """Workers on this machine, each a process with one thread; one alone is quiet."""
    from distributed import Nanny, Scheduler, Security, SpecCluster

    secure = Security.temporary()  # else whoever may connect here may run what he likes as this user
    offered = dict.fromkeys([*(f"board:{name}" for name in boards), *(["quiet"] if workers == 1 else [])], 1)
    common = {"nthreads": 1, "host": "127.0.0.1", "security": secure, "silence_logs": logging.CRITICAL}
    try:
        return SpecCluster(
            workers={
                number: {"cls": Nanny, "options": {**common, "resources": offered if number == 0 else {}}}
                for number in range(workers)
            },
            scheduler={
                "cls": Scheduler,
                "options": {"host": "127.0.0.1", "port": 0, "protocol": "tls", "security": secure, **_dashboard()},
            },
            security=secure,
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError as error:
        raise ToolError(
            f"a worker did not start: {error}", fix="go on with --resume; with fewer workers if it lasts"
        ) from error


def _dashboard() -> dict[str, object]:
    return {"dashboard": True, "dashboard_address": "127.0.0.1:0"} if find_spec("bokeh") else {"dashboard": False}


def dashboard_of(client: "Client") -> str:
    """Where to watch, or what is missing for it."""
    link = client.dashboard_link if find_spec("bokeh") else ""
    return f"dashboard: {link}" if link else "no dashboard: pip install bokeh"


def jobqueue_cluster(path: Path) -> Any:
    """What dask-jobqueue makes of a file: `cluster`, the name of one of its classes, and that class's options.

    Raises:
        InputError: another key is needed, or the class is not known.
        RuntimeMissingError: dask-jobqueue is not installed.
    """
    require_modules("dask", "dask_jobqueue")
    import dask_jobqueue

    options = read_mapping(path, fix="name a YAML file with `cluster: SLURMCluster` and its options")
    kinds = sorted(name for name in vars(dask_jobqueue) if name.endswith("Cluster"))
    kind = options.pop("cluster", None)
    if kind not in kinds:
        raise InputError(f"{path}: `cluster` is {kind!r}", fix=f"name one of {', '.join(kinds)}")
    try:
        return getattr(dask_jobqueue, str(kind))(**options)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}", fix=f"see dask-jobqueue's {kind} for its options") from None


def offered_by(client: "Client") -> list[frozenset[str]]:
    """Resources of each worker."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return [frozenset(worker.get("resources", ())) for worker in workers]


def how_a_worker_ended(client: "Client") -> str:
    """The signal or the exit status of the worker that ended last, as its nanny noted it."""
    logged = client.get_worker_logs(n=50, nanny=True).values()
    ends = [line for lines in logged for _, line in lines if " was killed by " in line or " exited with " in line]
    return ends[-1].split("Worker process ", 1)[-1] if ends else "nobody noted how"
