"""One disturbed run and the next, undisturbed one, and what must hold after each."""

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import psutil

from ..golden import differences, record
from .faults import DISKS, SIGNALS, Disk, Fault, Victim, inflict, small_disk, victims
from .job import Folders, RunningJob, copy_cache, start
from .moments import Moment
from .reference import OUTCOMES, Reference, binaries

_PATIENCE_S = 180.0
_NEXT_RUN_S = 900.0
_AT_ONCE_S = 10.0
_CHILDREN_S = 10.0
_TOOL_FAILED = 3
_SHOWN = 3
_ABSENT = object()


class Rule(StrEnum):
    """What must hold."""

    NO_CORRUPT_HIT = "no corrupt hit"
    """What is in the cache is what an undisturbed job made, and a later run finds it whole."""
    SAME_FIGURES = "same figures"
    """Models and figures of the next run, and of what a disturbed run reports as done, are the reference's."""
    NOTHING_LEFT = "nothing left"
    """After the next run there is no file that an undisturbed job would not have left."""
    CLEAN_EXIT = "clean exit"
    """A job that could end in order left nothing half-written right then."""
    NOBODY_ALIVE = "nobody alive"
    """No process outlives the job."""
    ENDING = "ending"
    """The job ends, in time, with the exit code and the report that are due."""
    NO_TRACEBACK = "no traceback"
    """Nothing but messages reaches the user."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule."""

    rule: Rule
    text: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What is done, to whom, when."""

    fault: Fault
    victim: Victim
    moment: Moment
    share: float
    """Between 0 and 1: which of several children, how much is spared."""

    def __str__(self) -> str:
        return f"{self.fault} {self.victim} · {self.moment.when} of {self.moment.stage.label}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    what: str
    kind: str
    place: str
    landed: bool
    """Whether the job was still there for the fault."""
    exit_code: int | None = None
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()


def run_trial(trial: Trial, reference: Reference, folder: Path) -> Outcome:
    """Disturb a job whose cache lacks one stage, let the next one run, and compare both with the reference."""
    began = time.monotonic()
    with ExitStack() as stack:
        folders, disk = Folders.under(folder), None
        if trial.fault in DISKS:
            disk = stack.enter_context(small_disk(folder / "disk"))
            (disk.folder / "place").mkdir()
            folders = replace(folders, **{DISKS[trial.fault]: disk.folder / "place"})
        copy_cache(reference.folders, folders, without=trial.moment.stage.artifact)
        outcome = disturb(trial, reference, folders, disk)
        if not outcome.landed:
            return outcome
        if disk is not None:
            disk.relieve()
        findings = (*outcome.findings, *next_run(reference, folders))
        return replace(outcome, seconds=time.monotonic() - began, findings=findings)


def disturb(trial: Trial, reference: Reference, folders: Folders, disk: Disk | None = None) -> Outcome:
    """Run the job and let the fault come; judge how it ends and what it leaves."""
    place = f"{trial.moment.stage.label}: {trial.moment.when}"
    outcome = Outcome(str(trial), f"{trial.fault} {trial.victim}", place, landed=False)
    job = start(reference.options, folders)
    try:
        if not trial.moment.await_(job, reference):
            return outcome
        processes = victims(trial.victim, job, trial.share)
        if not processes or not inflict(trial.fault, processes, disk, trial.share):
            return outcome
        code, findings = _after_fault(trial, job, reference, processes)
        return replace(outcome, landed=True, exit_code=code, seconds=job.seconds, findings=tuple(findings))
    finally:
        job.end()


def _after_fault(
    trial: Trial, job: RunningJob, reference: Reference, hit: list[psutil.Process]
) -> tuple[int | None, list[Finding]]:
    """Judge how the disturbed job ends and what it leaves."""
    family = [*job.children(), *hit]
    signaled = trial.fault in SIGNALS and trial.victim is not Victim.CHILD
    code = job.wait(_AT_ONCE_S if signaled else _PATIENCE_S)
    findings = []
    if code is None:
        limit = _AT_ONCE_S if signaled else _PATIENCE_S
        findings.append(Finding(Rule.ENDING, f"went on for {limit:.0f} s"))
    if alive := survivors(job, family):
        findings.append(Finding(Rule.NOBODY_ALIVE, f"{len(alive)} processes, {_CHILDREN_S:.0f} s later"))
    job.end()
    if code is not None and not (trial.fault is Fault.KILL and signaled):
        findings += _ending(trial, code, job.said(), job.folders)
        if left := job.folders.contents() - reference.contents:
            findings.append(Finding(Rule.CLEAN_EXIT, _some(left)))
    findings += corrupt(reference, job.folders)
    return code, findings + _dishonest(reference, job.folders.out)


def _ending(trial: Trial, code: int, said: str, folders: Folders) -> list[Finding]:
    findings = []
    if "Traceback" in said:
        findings.append(Finding(Rule.NO_TRACEBACK, " | ".join(said.strip().splitlines()[-2:])))
    due = set(OUTCOMES)
    if trial.fault in SIGNALS and trial.victim is not Victim.CHILD:
        number = SIGNALS[trial.fault]
        due |= {-number, 128 + number, 130}
    elif trial.fault is not Fault.PAUSE:
        due.add(_TOOL_FAILED)
    if code not in due:
        findings.append(Finding(Rule.ENDING, f"exit code {code}: {said.strip()[-300:]}"))
    child_died = trial.victim is Victim.CHILD and trial.fault in {Fault.KILL, Fault.STOP, Fault.NO_MEMORY}
    report = folders.out / "report.json"
    # without the pairs or the calibration faces there is nothing to report on
    if child_died and not report.exists() and "cannot be read" not in said:
        findings.append(Finding(Rule.ENDING, f"exit code {code} without a report: {said.strip()[-200:]}"))
    told = said + (report.read_text() if report.exists() else "")
    if child_died and trial.fault is Fault.KILL and code == _TOOL_FAILED and "SIGKILL" not in told:
        findings.append(Finding(Rule.ENDING, "the death is not named"))
    return findings


def next_run(reference: Reference, folders: Folders) -> list[Finding]:
    """Run the job undisturbed in the same folders; it must be as if nothing had happened."""
    found = {name: path.stat().st_ino for name, path in folders.artifacts().items()}
    job = start(reference.options, folders)
    code = job.wait(_NEXT_RUN_S)
    alive = survivors(job, job.children())
    job.end()
    if code not in OUTCOMES:
        return [Finding(Rule.ENDING, f"next run: exit code {code}: {job.said()[-300:]}")]
    findings = corrupt(reference, folders)
    replaced = [
        name for name, path in folders.artifacts().items() if found.get(name, path.stat().st_ino) != path.stat().st_ino
    ]
    if replaced:
        findings.append(Finding(Rule.NO_CORRUPT_HIT, f"not whole, made again: {_some(replaced)}"))
    verdict = json.loads((folders.out / "report.json").read_text())["gate"]["verdict"]
    if OUTCOMES[code] != verdict:
        findings.append(Finding(Rule.ENDING, f"next run: exit code {code}, verdict {verdict}"))
    if lines := differences(reference.figures, record(folders.out)):
        findings.append(Finding(Rule.SAME_FIGURES, f"next run: {_some(lines)}"))
    contents = folders.contents()
    if left := contents - reference.contents:
        findings.append(Finding(Rule.NOTHING_LEFT, _some(left)))
    if missing := {path for path in reference.contents - contents if not path.startswith("tmp/")}:
        findings.append(Finding(Rule.SAME_FIGURES, f"next run: missing {_some(missing)}"))
    if alive:
        findings.append(Finding(Rule.NOBODY_ALIVE, f"{len(alive)} processes of the next run"))
    return findings


def survivors(job: RunningJob, family: list[psutil.Process]) -> list[psutil.Process]:
    """Of an ended job, those that still live after the time it takes to notice."""
    _, alive = psutil.wait_procs({*family, *job.relatives()} - {job.process}, timeout=_CHILDREN_S)
    return alive


def corrupt(reference: Reference, folders: Folders) -> list[Finding]:
    """Stages in the cache whose outcome is not what an undisturbed job made of the same inputs."""
    found = binaries(folders)
    wrong = [path for path, digest in found.items() if reference.binaries.get(path) != digest]
    lost = [path for path in reference.binaries if path not in found and path.split("/")[0] in folders.artifacts()]
    return [Finding(Rule.NO_CORRUPT_HIT, _some(wrong + lost))] if wrong or lost else []


def _dishonest(reference: Reference, out: Path) -> list[Finding]:
    """What a disturbed run left as done is what the reference says, or is said to have failed."""
    try:
        found = record(out)
    except ValueError as error:
        return [Finding(Rule.SAME_FIGURES, f"disturbed run: no report: {error}")]
    failed = {path.split("/")[2] for path, value in found.items() if path.endswith("/status") and value != "ok"}
    wrong = [
        path
        for path, value in found.items()
        if path.startswith(("models/", "report.json/variants/"))
        and ".partial" not in path  # the next run's rule
        and not any(f"/{variant}/" in path for variant in failed)
        and reference.figures.get(path, _ABSENT) != value
    ]
    return [Finding(Rule.SAME_FIGURES, f"disturbed run: {_some(wrong)}")] if wrong else []


def _some(names: object) -> str:
    listed = sorted(map(str, names))
    return ", ".join(listed[:_SHOWN]) + (f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else "")
