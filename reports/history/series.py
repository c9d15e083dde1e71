"""Series of figures that may be compared: one variant's, on the same faces, by the same kind of processor.

In: kept runs. Out: a `Series` per figure, with its noise and its changes. What differs in its pairs, its network or,
for times, its host is another series, never one more point of the same line.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from statistics import median
from types import MappingProxyType
from typing import Final, NamedTuple

from ghostface_edge.reports.all_against_all import spelt
from ghostface_edge.reports.history.changes import first_of_new_levels, noise
from ghostface_edge.reports.history.kept_run import Figure, KeptRun, KeptVariant
from ghostface_edge.reports.record import Interval, Record

_OF_A_MEDIAN: Final = 1.2533
"""Standard error of a median over that of a mean, for a normal distribution."""


class Quantity(StrEnum):
    """What is followed over runs."""

    ACCURACY = "accuracy"
    FNMR = "fnmr"
    LATENCY = "versus_fp32"
    BYTES = "bytes"


class Change(Record):
    """A new level of a figure."""

    run: int
    """Place of the first run with it in the history."""
    release: str
    """Its name."""
    before: float
    """Median of the level that ends."""
    after: float
    difference: float
    """In points for fractions, in percent of `before` for ratios and bytes."""
    ci95: Interval
    """Of the difference, by the noise and the number of runs on both sides."""
    is_worse: bool
    with_it: tuple[str, ...]
    """What else was new in that run."""


class Point(Record):
    """One run's figure."""

    run: int
    value: float
    ci95: Interval | None


class Series(Record):
    """Figures that may be compared, in the order of the runs."""

    quantity: Quantity
    variant: str
    of: tuple[str, ...]
    """What they have in common: network, faces, kernels or host."""
    noise: float
    """One standard deviation."""
    points: tuple[Point, ...]
    changes: tuple[Change, ...]


class _Key(NamedTuple):
    quantity: Quantity
    variant: str
    of: tuple[str, ...]
    same: tuple[object, ...]
    """Digests and counts that decide with it, and that nobody reads."""


IN_POINTS: Final = frozenset({Quantity.ACCURACY, Quantity.FNMR})
"""Fractions, whose differences are percentage points."""
TITLES: Final[Mapping[Quantity, str]] = MappingProxyType(
    {
        Quantity.ACCURACY: "Accuracy",
        Quantity.FNMR: "FNMR",
        Quantity.LATENCY: "Latency / FP32",
        Quantity.BYTES: "Size",
    }
)


def series_of(runs: Sequence[KeptRun]) -> tuple[Series, ...]:
    """All series, by quantity, then in the order in which they first appear."""
    found: dict[_Key, list[Point]] = {}
    for place, run in enumerate(runs):
        for variant in run.variants:
            for key, figure in _figures(run, variant):
                point = Point(run=place, value=figure.value, ci95=figure.ci95)
                found.setdefault(key, []).append(point)
    order = list(Quantity)
    keys = sorted(found, key=lambda key: order.index(key.quantity))
    return tuple(_series(key, found[key], runs, of_series=len(found)) for key in keys)


def _figures(run: KeptRun, variant: KeptVariant) -> Iterator[tuple[_Key, Figure]]:
    def key(quantity: Quantity, *of: str, same: tuple[object, ...] = ()) -> _Key:
        return _Key(quantity, variant.id, (run.network, *of), same)

    pairs, compared = run.pairs, run.compared
    if variant.accuracy is not None:
        same = (pairs.sha256, pairs.count)
        yield (
            key(Quantity.ACCURACY, f"{pairs.count:,} pairs of {pairs.name}", variant.kernels, same=same),
            variant.accuracy,
        )
    if variant.fnmr is not None and variant.fmr is not None:
        faces, same = f"{compared.name}, all against all", (compared.sha256, compared.count)
        yield key(Quantity.FNMR, f"at FMR {spelt(variant.fmr)}", faces, variant.kernels, same=same), variant.fnmr
    if variant.versus_fp32 is not None and variant.timed_on is not None:
        yield key(Quantity.LATENCY, variant.timed_on), variant.versus_fp32
    if variant.bytes is not None:
        yield key(Quantity.BYTES), Figure(value=variant.bytes)


def _series(key: _Key, points: Sequence[Point], runs: Sequence[KeptRun], *, of_series: int) -> Series:
    values = [point.value for point in points]
    sigma = noise(values, [point.ci95 for point in points])
    starts = [0, *first_of_new_levels(values, sigma, of_series=of_series), len(values)]
    changes = [
        _change(key.quantity, points, levels, sigma, runs)
        for levels in zip(starts, starts[1:], starts[2:], strict=False)
    ]
    return Series(
        quantity=key.quantity, variant=key.variant, of=key.of, noise=sigma, points=tuple(points), changes=tuple(changes)
    )


def _change(
    quantity: Quantity, points: Sequence[Point], levels: tuple[int, int, int], sigma: float, runs: Sequence[KeptRun]
) -> Change:
    start, first, end = levels
    before, after = (median(point.value for point in points[a:b]) for a, b in ((start, first), (first, end)))
    unit = 100.0 if quantity in IN_POINTS else 100 / before
    half = 1.96 * _OF_A_MEDIAN * sigma * (1 / (first - start) + 1 / (end - first)) ** 0.5 * unit
    difference = (after - before) * unit
    run, last = points[first].run, points[first - 1].run
    return Change(
        run=run,
        release=runs[run].name,
        before=before,
        after=after,
        difference=difference,
        ci95=(difference - half, difference + half),
        is_worse=(after < before) is (quantity is Quantity.ACCURACY),
        with_it=_new(runs[last].made_with, runs[run].made_with),
    )


def _new(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """What a run was made with that the one before was not."""
    names = dict.fromkeys([*after, *before])
    return tuple(
        f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}"
        for name in names
        if before.get(name) != after.get(name)
    )
