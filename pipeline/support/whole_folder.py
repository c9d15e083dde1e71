"""Folders that installers fill: made once, whole or not at all."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ghostface_edge.pipeline.support import file_lock
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.reports.write import remove
from ghostface_edge.targets.environment import WHOLE

_LOCK = ".lock"


def make_whole(folder: Path, fill: Callable[[int], None]) -> None:
    """Fill a folder and mark it, unless it is marked.

    Args:
        folder: where; what lies there half made is cleared away.
        fill: given the lock that it is made under; where it fails, nothing stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    (folder.parent / _LOCK).touch()
    with file_lock.exclusive(folder.parent / _LOCK) as lock:
        if (folder / WHOLE).is_file():
            return
        remove(folder)
        try:
            fill(lock)
        except BaseException:
            remove(folder)
            raise
        (folder / WHOLE).touch()


def run_installer(command: Sequence[str], lock: int, variables: Mapping[str, str], fix: str) -> None:
    """Run it; it holds the lock, too: should this process be killed, nobody begins anew before it has ended.

    Raises:
        ToolError: it failed; `fix` says what to do then.
    """
    try:
        subprocess.run(
            command, env=variables, check=True, capture_output=True, text=True, errors="replace", pass_fds=(lock,)
        )
    except subprocess.CalledProcessError as error:
        marked = (line for line in error.stderr.splitlines() if line.startswith(("ERROR", "npm error")))
        said = next(marked, error.stderr[-300:])
        raise ToolError(f"the environment cannot be made: {said.strip()[:300]}", fix=fix) from error
