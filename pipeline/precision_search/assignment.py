"""Assignments of a precision to every segment of a chain, and what they cost by what few of them were timed.

In: times of the two uniform assignments and of those with a single change of precision. Out: an estimate for every
other. Where a network is a chain of segments, the estimate has no model in it: with T for times, a change at a cut
costs what the network with that one change takes, whatever comes before and after. Of three segments, for example,
T(float, int8, float) = T(float, int8, int8) + T(int8, int8, float) - T(int8, int8, int8), since both sides hold the
same segments and the same changes.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

MOST_CHANGES: Final = 3
"""Of precision along the network; every one costs time."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which segments compute in float, in order."""

    floats: tuple[bool, ...]

    @property
    def changes(self) -> tuple[int, ...]:
        """Indices of the segments that differ in precision from the one before."""
        return tuple(index for index in range(1, len(self.floats)) if self.floats[index] != self.floats[index - 1])

    @property
    def label(self) -> str:
        """Short and fit for a file's name: f3i4 is three segments in float, then four in INT8."""
        return "".join(f"{'f' if kind else 'i'}{len(list(run))}" for kind, run in itertools.groupby(self.floats))


def uniform(count: int, *, is_float: bool) -> Assignment:
    """All segments in one precision."""
    return Assignment((is_float,) * count)


def with_changes(count: int, first_is_float: bool, changes: tuple[int, ...]) -> Assignment:
    """An assignment by the segments before which the precision changes."""
    ends = (0, *changes, count)
    kinds = itertools.cycle((first_is_float, not first_is_float))
    runs = ((kind,) * (stop - start) for kind, (start, stop) in zip(kinds, itertools.pairwise(ends), strict=False))
    return Assignment(tuple(itertools.chain.from_iterable(runs)))


def assignments(count: int, most_changes: int = MOST_CHANGES) -> Iterator[Assignment]:
    """Every assignment with at most so many changes, the fewest first."""
    for number in range(min(most_changes, count - 1) + 1):
        for changes in itertools.combinations(range(1, count), number):
            for first_is_float in (False, True):
                yield with_changes(count, first_is_float, changes)


def estimate(assignment: Assignment, times: Mapping[Assignment, float]) -> float:
    """Time of an assignment, from those of all with at most one change.

    Args:
        assignment: any.
        times: in any unit; every assignment with no or one change must be there.
    """
    count, first = len(assignment.floats), assignment.floats[0]
    total = times[uniform(count, is_float=first)]
    for index in assignment.changes:
        before, after = assignment.floats[index - 1], assignment.floats[index]
        total += times[with_changes(count, before, (index,))] - times[uniform(count, is_float=before)]
        assert before != after
    return total
