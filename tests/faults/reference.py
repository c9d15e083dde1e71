"""What the job does when nobody disturbs it: its stages in order, its files, its figures."""

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..golden import record
from .job import Folders, RunningJob, start, write_inputs

OUTCOMES = {0: "pass", 1: "fail", 4: "inconclusive"}
"""Exit codes of a job that came to a verdict."""
_TIMES = {"latency", "profile"}
"""Stages whose outcome is what the clock said."""
_BINARIES = {".onnx", ".xml", ".bin", ".tflite", ".npy"}
_PAUSE_S = 0.005
_LONGEST_S = 900.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the reference run."""

    label: str
    artifact: str
    """Its folder in the cache."""
    seconds: float
    has_children: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """The undisturbed job, from an empty cache."""

    options: tuple[str, ...]
    folders: Folders
    stages: tuple[Stage, ...]
    figures: Mapping[str, object]
    """By path; see `golden.record`."""
    contents: frozenset[str]
    """Every path it left in cache, output and TMPDIR."""
    binaries: Mapping[str, str]
    """SHA-256 of the models and embeddings in the cache."""
    start_s: float
    """Until the first stage."""
    warm_s: float
    """A run that finds everything in the cache."""


def make_reference(folder: Path) -> Reference:
    """Run the job from an empty cache, watching its stages, and once more."""
    (folder / "inputs").mkdir(parents=True)
    options, folders = write_inputs(folder / "inputs"), Folders.under(folder / "reference")
    start_s, stages = _watch(options, folders)
    return reference_from(options, Folders(folders.cache, folder / "warm", folders.tmp), stages, start_s)


def reference_from(
    options: Sequence[str], folders: Folders, stages: Sequence[Stage] = (), start_s: float = 0.0
) -> Reference:
    """Run the job on a cache that holds all its stages already."""
    job = start(options, folders)
    code = job.wait(_LONGEST_S)
    warm_s = job.seconds
    _require_verdict(code, job)
    job.end()
    return Reference(
        options=tuple(options),
        folders=folders,
        stages=tuple(stages),
        figures=record(folders.out),
        contents=frozenset(folders.contents()),
        binaries=binaries(folders),
        start_s=start_s,
        warm_s=warm_s,
    )


def binaries(folders: Folders) -> dict[str, str]:
    """SHA-256 of what a stage hands to the next and the clock does not decide, by path in the cache."""
    found = {}
    for name, artifact in sorted(folders.artifacts().items()):
        if name.rsplit("-", 1)[0] not in _TIMES:
            for path in sorted(artifact.rglob("*")):
                if path.suffix in _BINARIES:
                    found[f"{name}/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _watch(options: Sequence[str], folders: Folders) -> tuple[float, tuple[Stage, ...]]:
    """Stages one after the other, as they show in the cache."""
    job = start(options, folders)
    known: dict[str, Stage] = {}
    counts: Counter[str] = Counter()
    begun, has_children, start_s = job.seconds, False, 0.0
    while not job.ended():
        if folders.partials():
            start_s = start_s or job.seconds
            has_children = has_children or bool(job.children())
        for artifact in folders.artifacts().keys() - known.keys():
            name = artifact.rsplit("-", 1)[0]
            counts[name] += 1
            known[artifact] = Stage(f"{name} {counts[name]}", artifact, job.seconds - begun, has_children)
            begun, has_children = job.seconds, False
        time.sleep(_PAUSE_S)
    _require_verdict(job.wait(0), job)
    job.end()
    return start_s, tuple(known.values())


def _require_verdict(code: int | None, job: RunningJob) -> None:
    if code not in OUTCOMES:
        raise SystemExit(f"the undisturbed job ended with {code}:\n{job.said()}")
