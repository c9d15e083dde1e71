"""Where a figure's level changes over runs, by more than its noise.

In: a figure's values in the order of the runs, with what their intervals say of their noise. Out: the places of the
first runs of each new level. PELT (Killick, Fearnhead and Eckley 2012, arXiv:1101.1438) with the L1 cost, from
`ruptures`, finds the levels: medians, so that one bad run pulls none of them, as in airspeed velocity's step detection.
The penalty of a change was chosen by simulation (`nox -s history`): a history in which nothing changed shows a change
in at most two of a hundred cases where intervals state the noise, and in at most five where they state half of it, all
its series together.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Final

FEWEST: Final = 2
"""Runs that a level is told by: one bad run is no change, and the newest run alone is the gate's to judge."""
MOST: Final = 100
"""The newest runs are looked at: the time grows with their square."""
_PENALTY, _PER_SERIES = 5.5, 1.2
"""In units of the noise: of one series, and what is added by the logarithm of their number."""
_KEPT, _MEAN_OF_KEPT = 0.9, 0.6573
"""Share of the differences that tell the scatter, the least ones, and the mean size of such normal deviates."""
_NORMAL_95: Final = 1.96
_EXACT, _FINEST = 0.001, 1e-6
"""Noise that is assumed of figures that state none, as sizes do, as a share of their median, and the least of all."""


def noise(values: Sequence[float], intervals: Sequence[tuple[float, float] | None]) -> float:
    """One standard deviation: what the intervals state, or what runs differ from the next ones by, if that is more.

    A change of level touches one of those differences only, and the largest are left out.
    """
    stated = median([(high - low) / 2 / _NORMAL_95 for low, high in filter(None, intervals)] or [0.0])
    least = stated or _EXACT * abs(median(values))
    steps = sorted(abs(after - before) for before, after in pairwise(values))
    kept = steps[: max(int(_KEPT * len(steps)), 1)] or [0.0]
    return max(least, fmean(kept) / (_MEAN_OF_KEPT * math.sqrt(2)), _FINEST * max(map(abs, values)))


def first_of_new_levels(values: Sequence[float], sigma: float, *, of_series: int) -> list[int]:
    """Places at which a level begins, but for the first.

    Args:
        values: in the order of the runs.
        sigma: their noise.
        of_series: how many series are looked at together; with more of them a change has to be clearer.
    """
    if len(values) < 2 * FEWEST or len(set(values)) == 1:
        return []
    import numpy as np
    from ruptures import Pelt

    skipped = max(len(values) - MOST, 0)
    scaled = np.array(values[skipped:]) / sigma
    search = Pelt(model="l1", min_size=FEWEST, jump=1).fit(scaled)
    return [skipped + end for end in search.predict(pen=penalty(of_series))[:-1]]


def penalty(of_series: int) -> float:
    """What a change has to be worth: the sum of distances from medians, in units of the noise, that it saves."""
    return _PENALTY + _PER_SERIES * math.log(of_series)
