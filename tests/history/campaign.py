"""How often a history shows a change that is none, and one that is.

    python -m tests.history.campaign --histories 200 --runs 40

Histories are made up of figures that vary as the intervals of a real run on LFW say. In some nothing changes; in others
INT8 loses 0.5 points of accuracy at run 17 and another variant a tenth of its speed at run 28.
"""

import argparse
from collections import Counter

from ghostface_edge.reports.history.folder import Kept
from ghostface_edge.reports.history.history import look_at

from ..reports.history.made import LOSS, SLOWDOWN, made_history, no_shift, planted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--runs", type=int, default=40)
    asked = parser.parse_args()
    for scatter, words, shift in (
        (1.0, "noise as the intervals state", no_shift),
        (1.0, "noise as the intervals state", planted),
        (2.0, "noise twice what the intervals state", no_shift),
    ):
        found: Counter[str] = Counter()
        for seed in range(asked.histories):
            runs = made_history(asked.runs, seed, shift, scatter)
            seen = {(one.variant, one.quantity.value, change.run) for one, change in look_at(Kept(runs)).changes}
            right = set() if shift is no_shift else {LOSS, SLOWDOWN}
            found["exactly what was planted"] += seen == right
            for name, (variant, figure, run) in (("loss", LOSS), ("slowdown", SLOWDOWN)) if right else ():
                at = [place for *series, place in seen if series == [variant, figure]]
                found[f"{name} found"] += bool(at)
                found[f"{name} at its run"] += run in at
                found[f"{name} within a run of it"] += any(abs(place - run) <= 1 for place in at)
            series = {(variant, figure) for variant, figure, _ in right}
            found["some other series changed"] += any(place[:2] not in series for place in seen)
        title = f"{words}, {'nothing changes' if shift is no_shift else 'two changes'}"
        shares = ", ".join(f"{name} {100 * amount / asked.histories:.1f} %" for name, amount in found.items())
        print(f"{title}: {shares}", flush=True)


if __name__ == "__main__":
    main()
