"""Pairs that two models decide differently: what their number says.

In: how many pairs changed, and which way. Out: how likely chance is, and which drop so many pairs can show.
"""

import math
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)
"""Standard deviations of a normal distribution's 95 % interval to one side."""
_Z_POWER = NormalDist().inv_cdf(0.8)


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided McNemar test: a fair coin for every flipped pair.

    Args:
        lost: pairs that only the reference has right.
        gained: pairs that only the variant has right.
    """
    lost, gained = int(lost), int(gained)  # numpy's integers would overflow below
    flipped = lost + gained
    if flipped == 0:
        return 1.0
    ways = term = 1
    for index in range(min(lost, gained)):
        term = term * (flipped - index) // (index + 1)
        ways += term
    return min(1.0, ways / (1 << (flipped - 1)))


def detectable_drop(flipped: int, pairs: int) -> float:
    """Smallest true drop, in percentage points, that this comparison would show (5 % two-sided, 80 % power).

    Source: Connor 1987, doi 10.2307/2531961, with the discordant share estimated from (flipped + 2) / (pairs + 2).
    """
    discordant = (flipped + 2) / (pairs + 2)
    return 100 * (Z95 + _Z_POWER) * math.sqrt(discordant / pairs)


def pairs_to_settle(drop_pp: float, limit_pp: float, flipped: int, pairs: int) -> int | None:
    """Count the pairs after which a 95 % interval around this drop would lie on one side of the limit.

    Returns:
        None where the drop equals the limit: no number of pairs settles that.
    """
    distance = abs(drop_pp - limit_pp) / 100
    if distance < 1e-9:
        return None
    discordant = (flipped + 2) / (pairs + 2)
    return math.ceil((Z95 + _Z_POWER) ** 2 * discordant / distance**2)
