"""The job that is disturbed: the main job as a user starts it, in folders of its own, seen from outside only."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.synthetic.sets import write_calibration, write_pairs

_ARTIFACT = re.compile(r"[a-z0-9-]+-[0-9a-f]{32}")
_AT_WORK = re.compile(r"\.partial-(?!scratch-)")
_TARGETS = "openvino-int8,onnxruntime-int8,tflite-int8"
_RECIPE = "name: short\nranges: {method: min-max, faces: 32}\ncorrection: {faces: 32}\nsensitivity_faces: 0\n"


def write_inputs(folder: Path) -> tuple[str, ...]:
    """Options of a small but whole job of all three runtimes, INT8 included."""
    recipe = folder / "short.yaml"
    recipe.write_text(_RECIPE)
    for name in ("pairs", "calibration"):
        (folder / name).mkdir()
    pairs, faces = write_pairs(folder / "pairs", 60), write_calibration(folder / "calibration", 40)
    given = {"--checkpoint": default_checkpoint(), "--pairs": pairs, "--calibration": faces, "--targets": _TARGETS}
    return (str(recipe), *(str(part) for option in given.items() for part in option), "--jobs", "1")


@dataclass(frozen=True, slots=True)
class Folders:
    """Where one job may write."""

    cache: Path
    out: Path
    tmp: Path

    @classmethod
    def under(cls, folder: Path) -> "Folders":
        """All three in one folder, empty."""
        folders = cls(folder / "cache", folder / "out", folder / "tmp")
        folders.cache.mkdir(parents=True)
        folders.tmp.mkdir()
        return folders

    def artifacts(self) -> dict[str, Path]:
        """Finished stages in the cache."""
        return {name: path for name, path in _entries(self.cache / "artifacts").items() if _ARTIFACT.fullmatch(name)}

    def partials(self) -> set[str]:
        """Stages in the cache that are, or were, at work."""
        return {name for name in _entries(self.cache / "artifacts") if _AT_WORK.match(name)}

    def half_written(self) -> set[str]:
        """Files of the output that have not got their name yet."""
        return {name for folder in (self.out, self.out / "models") for name in _entries(folder) if ".partial" in name}

    def contents(self) -> set[str]:
        """Every path in any of them, but what children print: that is there for the stages that ran."""
        roots = {"cache": self.cache, "out": self.out, "tmp": self.tmp}
        found = {f"{name}/{path.relative_to(root)}" for name, root in roots.items() for path in root.rglob("*")}
        return {path for path in found if not path.startswith("out/logs")}


@dataclass(slots=True)
class RunningJob:
    """A started job: its process, those that it started, what it says."""

    process: psutil.Popen
    folders: Folders
    started: float = field(default_factory=time.monotonic)
    _said: list[bytes] = field(default_factory=list)
    _reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=lambda: self._said.extend(self.process.stderr), daemon=True)
        self._reader.start()

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self.started

    def ended(self) -> bool:
        return self.process.poll() is not None

    def until(self, condition: Callable[[], object], *, timeout_s: float, pause_s: float = 0.001) -> bool:
        """Wait for something to be seen; False if the job ended, or time was up, before."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self.ended() or time.monotonic() > deadline:
                return False
            time.sleep(pause_s)
        return True

    def children(self) -> list[psutil.Process]:
        """Processes that it started and that live, and theirs."""
        try:
            return [child for child in self.process.children(recursive=True) if _lives(child)]
        except psutil.NoSuchProcess:
            return []

    def relatives(self) -> list[psutil.Process]:
        """Living processes that inherited its environment, whoever became their parent, but itself."""
        cache = str(self.folders.cache)
        return [other for other in psutil.process_iter() if _cache_of(other) == cache and other.pid != self.process.pid]

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, a signal as a negative number; None if it goes on."""
        try:
            return self.process.wait(timeout_s)
        except psutil.TimeoutExpired:
            return None

    def said(self) -> str:
        """Its standard error, once it ended."""
        self._reader.join(1.0)
        return b"".join(self._said).decode(errors="replace")

    def end(self) -> None:
        """Leave nothing of it alive, whatever state it is in."""
        for process in (*self.relatives(), *self.children(), self.process):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait()
        self.process.stderr.close()


def start(options: Sequence[str], folders: Folders) -> RunningJob:
    """Start the main job in a session of its own, as from a terminal of its own."""
    environment = {"GHOSTFACE_EDGE_CACHE": str(folders.cache), "TMPDIR": str(folders.tmp), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ghostface_edge.pipeline", "run", *options, "--out", str(folders.out)]
    process = psutil.Popen(
        command,
        env={**os.environ, **environment, "COLUMNS": "200"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    return RunningJob(process, folders)


def copy_cache(source: Folders, target: Folders, *, without: str | None = None) -> None:
    """Copy a cache, all but one artifact of it."""
    shutil.rmtree(target.cache)
    shutil.copytree(source.cache, target.cache, ignore=lambda *_: [without] if without else [])


def _entries(folder: Path) -> dict[str, Path]:
    try:
        with os.scandir(folder) as found:
            return {entry.name: Path(entry.path) for entry in found}
    except FileNotFoundError:
        return {}


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _cache_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("GHOSTFACE_EDGE_CACHE") if _lives(process) else None
    except (psutil.Error, OSError):
        return None
