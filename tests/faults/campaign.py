"""Many trials over all stages, faults and victims, and the table of what held.

`python -m tests.faults.campaign --kills 200 --others 60 --seed 0`, from the repository's root. Every trial is one
disturbed run of the main job with a cache of its own and one undisturbed run after it, both compared with a run that
nothing ever disturbed; see `trial.Rule` for what must hold. Ends with 1 if something did not.
"""

import argparse
import itertools
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from .chain import run_chain
from .faults import DISKS, SIGNALS, Fault, Victim, can_mount
from .moments import Moment, When
from .reference import Reference, Stage, make_reference
from .trial import Outcome, Rule, Trial, run_trial

_TRIES = 2
"""How many trials may be begun for each that has to land."""
_OF_A_STAGE = (When.BEGIN, When.MIDST, When.END)
_OF_THE_JOB = (When.START, When.WRITE, When.ANY)


def kills(reference: Reference, rng: random.Random) -> Iterator[Trial]:
    """Kills without end: in each round one at every stage and one at every other kind of moment."""
    places = [[*_kills_at(stage, rng)] for stage in reference.stages]
    places += [
        [Trial(Fault.KILL, victim, Moment(when, rng.choice(reference.stages), rng.random()), rng.random())]
        for when in _OF_THE_JOB
        for victim in (Victim.PARENT, Victim.ALL)
    ]
    for round_ in itertools.count():
        for place in rng.sample(places, len(places)):
            yield _moved(place[round_ % len(place)], rng)


def others(reference: Reference, rng: random.Random, faults: Sequence[tuple[Fault, Victim]]) -> Iterator[Trial]:
    """Faults other than kills without end, each in turn, at random moments of random stages."""
    for fault, victim in itertools.cycle(faults):
        stages, whens = reference.stages, _OF_A_STAGE + _OF_THE_JOB
        if victim is Victim.CHILD:
            stages, whens = [stage for stage in stages if stage.has_children], (When.BEGIN, When.MIDST)
        elif fault is Fault.FULL_TMP:
            stages, whens = [stage for stage in stages if stage.label.startswith("embed")], (When.START, When.BEGIN)
        stage, when = rng.choice(stages), rng.choice(whens)
        yield Trial(fault, victim, Moment(when, stage, rng.random()), rng.random())


def _kills_at(stage: Stage, rng: random.Random) -> Iterator[Trial]:
    found = [
        Trial(Fault.KILL, victim, Moment(when, stage, 0.0), 0.0)
        for when in _OF_A_STAGE
        for victim in Victim
        if victim is not Victim.CHILD or (stage.has_children and when is not When.END)
    ]
    yield from rng.sample(found, len(found))


def _moved(trial: Trial, rng: random.Random) -> Trial:
    """The same at another random time, of other random parts."""
    moment = Moment(trial.moment.when, trial.moment.stage, rng.random())
    return Trial(trial.fault, trial.victim, moment, rng.random())


def other_faults(folder: Path) -> list[tuple[Fault, Victim]]:
    """All that can be done here but kills."""
    found = [(fault, victim) for fault in SIGNALS for victim in (Victim.PARENT, Victim.ALL) if fault is not Fault.KILL]
    found += [(Fault.PAUSE, Victim.ALL), (Fault.PAUSE, Victim.CHILD), (Fault.STOP, Victim.CHILD)]
    found += [(Fault.NO_WRITES, Victim.ALL), (Fault.NO_MEMORY, Victim.CHILD), (Fault.NO_MEMORY, Victim.PARENT)]
    if can_mount(folder):
        return found + [(fault, Victim.ALL) for fault in DISKS]
    print("skipped: full disks, for which a tmpfs has to be mounted; `no writes` stands for them")
    return found


def landed(trials: Iterator[Trial], wanted: int, do: Callable[[Trial], Outcome], workers: int) -> Iterator[Outcome]:
    """Outcomes of trials until so many have met a job that was still there, within a bound."""
    with ThreadPoolExecutor(workers) as pool:
        begun = done = 0
        while done < wanted and begun < _TRIES * wanted:
            batch = list(itertools.islice(trials, wanted - done))
            begun += len(batch)
            for outcome in pool.map(do, batch):
                if outcome.landed:
                    done += 1
                    yield outcome


def table(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> str:
    """How many trials there were, and in how many of them each rule was broken."""
    rows = [f"| | trials | {' | '.join(Rule)} |", f"| --- | {'--- | ' * (1 + len(Rule))}"]
    groups = sorted({key(outcome) for outcome in outcomes})
    for name in [*groups, "together"]:
        chosen = [outcome for outcome in outcomes if name in {key(outcome), "together"}]
        broken = Counter(rule for outcome in chosen for rule in {finding.rule for finding in outcome.findings})
        rows.append(f"| {name} | {len(chosen)} | {' | '.join(str(broken[rule]) for rule in Rule)} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run trials, print what held; 1 if something did not."""
    parser = argparse.ArgumentParser(prog="faults", description="Kill, stop and starve the main job; see what is left.")
    parser.add_argument("--kills", type=int, default=200, help="over all stages, the job's start and end")
    parser.add_argument("--chains", type=int, default=1, help="jobs from an empty cache, killed until one gets through")
    parser.add_argument("--others", type=int, default=60, help="signals, stops, full disks, no memory")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="trials at once")
    parser.add_argument("--json", type=Path, help="write every outcome here")
    given = parser.parse_args(arguments)
    # what a shell's jobs in the background and those of nohup are started to ignore
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    began, rng = time.monotonic(), random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder, numbers = Path(name), itertools.count()
        reference = make_reference(folder)
        took = sum(stage.seconds for stage in reference.stages)
        print(f"undisturbed: {len(reference.stages)} stages, {took:.0f} s; from the cache {reference.warm_s:.0f} s")

        def do(trial: Trial) -> Outcome:
            place = folder / f"trial-{next(numbers)}"
            try:
                return run_trial(trial, reference, place)
            finally:
                shutil.rmtree(place, ignore_errors=True)

        outcomes: list[Outcome] = []
        chains = (run_chain(reference, folder / f"chain-{number}", rng) for number in range(given.chains))
        faults = other_faults(folder / "probe")
        for outcome in itertools.chain(
            landed(kills(reference, rng), given.kills, do, given.workers),
            landed(others(reference, rng, faults), given.others, do, given.workers),
            itertools.chain.from_iterable(chains),
        ):
            outcomes.append(outcome)
            print(f"{len(outcomes):4} {outcome.what} · exit {outcome.exit_code} · {outcome.seconds:.0f} s", flush=True)
            for finding in outcome.findings:
                print(f"       {finding.rule}: {finding.text}", flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    struck = [outcome for outcome in outcomes if outcome.kind.startswith(Fault.KILL)]
    print("", table(outcomes, lambda one: one.kind), "", "Kills by stage:", "", sep="\n")
    print(table(struck, lambda one: one.place))
    print(
        f"\n{len(struck)} kills, {len(outcomes) - len(struck)} other faults, {(time.monotonic() - began) / 60:.0f} min"
    )
    return 1 if any(outcome.findings for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
