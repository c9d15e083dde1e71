"""A job from an empty cache, killed again and again until one run gets through: each goes on from the last."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .faults import Fault, Victim, inflict, victims
from .job import Folders, RunningJob, start
from .reference import OUTCOMES, Reference
from .trial import Finding, Outcome, Rule, corrupt, next_run, survivors

_LONGEST_STAGES = 1.5
"""Up to so many times the longest stage a run may go on, so that every stage ends at some time."""


def run_chain(reference: Reference, folder: Path, rng: random.Random) -> Iterator[Outcome]:
    """Kill at random moments; the last outcome holds the comparison with the reference."""
    folders, last = Folders.under(folder), None
    while True:
        job = start(reference.options, folders)
        outcome = _kill(job, reference, rng)
        if outcome is None:
            break
        if last is not None:
            yield last
        last = outcome
    code = job.wait(0)
    job.end()
    findings = [] if code in OUTCOMES else [Finding(Rule.ENDING, f"exit code {code}: {job.said()[-300:]}")]
    if last is not None:
        yield replace(last, findings=(*last.findings, *findings, *next_run(reference, folders)))


def _kill(job: RunningJob, reference: Reference, rng: random.Random) -> Outcome | None:
    """One kill and what holds after it; None if the job ended before."""
    moment = rng.random() * (reference.start_s + _LONGEST_STAGES * max(stage.seconds for stage in reference.stages))
    victim = rng.choice((Victim.PARENT, Victim.ALL))
    job.until(lambda: job.seconds >= moment, timeout_s=2 * moment)
    family = job.children()
    if job.ended() or not inflict(Fault.KILL, victims(victim, job, 0.0), None, 0.0):
        return None
    seconds, alive = job.seconds, survivors(job, family)
    job.end()
    findings = corrupt(reference, job.folders)
    if alive:
        findings.append(Finding(Rule.NOBODY_ALIVE, f"{len(alive)} processes"))
    done = f"{len(job.folders.artifacts())} of {len(reference.stages)} stages"
    what = f"kill {victim} · {moment:.0f} s after the start from an empty cache, with {done} done"
    return Outcome(what, f"kill {victim}", "empty cache: any", True, -9, seconds, tuple(findings))
