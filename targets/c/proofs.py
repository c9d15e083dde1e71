"""Cheaper forms of TFLite's two roundings, each proved to give the reference's result for every input it can get.

In: a layer. Out: float32 factors and nudges, `round(x * factor + nudge)` in place of the reference, or None where no
such pair was found and kernels compute the reference itself. x is an int32 sum, so that for sums the nudge takes x's
sign: TFLite rounds the doubled product's high word, then half away from zero, which shifts every threshold by half of
the high word's unit. One multiplication, one addition, one rounding to float32 at the end (fused), to nearest, ties to
even. Proofs are exhaustive: results are step functions, so for sums it is enough that every step lies at its place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.c.layers import (
    INT8_HIGH,
    INT8_LOW,
    Addition,
    Convolution,
    Depthwise,
    Multiplication,
    Multiplier,
    Requantization,
    Slopes,
)

Float32: TypeAlias = NDArray[np.float32]
_Int64: TypeAlias = NDArray[np.int64]
_Float64: TypeAlias = NDArray[np.float64]

_NEAR: Final = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6)
"""Neighbours of a factor in float32 that are tried, in this order."""
_EXACT: Final = 1 << 24
"""Integers up to here are float32 numbers."""
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """round(x * factor + nudge), channel by channel."""

    factors: Float32
    nudges: Float32


@dataclass(frozen=True, slots=True)
class RoundedSum:
    """round(a * factor_a + (b * factor_b + constant)), of int8 as they are: zero points are in the constant."""

    factor_a: float
    factor_b: float
    constant: float


def reference(values: _Int64, significands: _Int64, shifts: _Int64) -> _Int64:
    """TFLite's `MultiplyByQuantizedMultiplier`: what `scaled` of `kernels/arithmetic.h` computes."""
    left, right = np.maximum(shifts, 0), np.maximum(-shifts, 0)
    high = (values * (1 << left) * significands + (1 << 30)) >> 31
    mask = (1 << right) - 1
    rounded: _Int64 = (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))
    return rounded


def prove_sums(layer: Convolution | Depthwise) -> Rounded | None:
    """Of a layer's sums: all that its weights can reach."""
    weights = layer.weights.astype(np.int64)
    if isinstance(layer, Depthwise):
        weights = weights.T
    requantization = layer.requantization
    least = np.where(weights > 0, INT8_LOW * weights, INT8_HIGH * weights).sum(axis=1) + requantization.bias
    most = np.where(weights > 0, INT8_HIGH * weights, INT8_LOW * weights).sum(axis=1) + requantization.bias
    limits = requantization.low - requantization.zero_point, requantization.high - requantization.zero_point
    return _prove_steps(least, most, requantization.significands, requantization.shifts, limits)


def prove_products(layer: Multiplication) -> Rounded | None:
    """Of the products of two int8 without their zero points; one channel."""
    corners = [
        (x - layer.a.zero_point) * (y - layer.b.zero_point)
        for x in (INT8_LOW, INT8_HIGH)
        for y in (INT8_LOW, INT8_HIGH)
    ]
    limits = layer.low - layer.out.zero_point, layer.high - layer.out.zero_point
    factor = layer.factor
    least, most = np.array([min(corners)], np.int64), np.array([max(corners)], np.int64)
    return _prove_steps(least, most, np.array([factor.significand]), np.array([factor.shift]), limits)


def prove_prelu(slopes: Slopes, requantization: Requantization) -> Rounded | None:
    """Of values below zero, where those above stay as they are. Nudges have their sign already."""
    lowest = INT8_LOW - slopes.zero_point
    rising, falling = np.arange(INT8_HIGH - slopes.zero_point + 1), np.arange(lowest, 0)
    if (
        slopes.zero_point != slopes.output_zero_point
        or (requantization.low, requantization.high) != (INT8_LOW, INT8_HIGH)
        or (_scaled_by(rising, slopes.above) != rising).any()
    ):
        return None
    wanted = _scaled_by(falling * slopes.slopes.astype(np.int64)[:, None], slopes.below)
    limits = lowest, INT8_HIGH - slopes.zero_point
    wanted = np.clip(wanted, *limits)
    real = slopes.slopes * _real(slopes.below)
    x, floor, ceiling = falling.astype(np.float64), *_bounds(wanted, limits)
    found = _Search(real.astype(np.float32))
    for rows, factors in found.candidates():
        product = x * factors.astype(np.float64)[:, None]
        nudges = _middle(
            (floor[rows] - product).max(1, initial=-_HALF), (ceiling[rows] - product).min(1, initial=_HALF)
        )
        rounded = np.clip(_rounded(product + nudges.astype(np.float64)[:, None]), *limits)
        is_kept = np.abs(nudges) <= _HALF  # so that the negative zero stays zero
        found.keep(rows, factors, nudges, (rounded == wanted[rows]).all(axis=1) & is_kept)
    return found.result()


def prove_addition(layer: Addition) -> RoundedSum | None:
    """Of all pairs of int8."""
    a, b = np.arange(INT8_LOW, INT8_HIGH + 1)[:, None], np.arange(INT8_LOW, INT8_HIGH + 1)[None]
    terms = _scaled_by((a - layer.a.zero_point) << 20, layer.factor_a) + _scaled_by(
        (b - layer.b.zero_point) << 20, layer.factor_b
    )
    limits = layer.low, layer.high
    wanted = np.clip(_scaled_by(terms, layer.factor_out) + layer.out.zero_point, *limits)
    floor, ceiling = _bounds(wanted, limits)
    unit = _real(layer.factor_out) * (1 << 20)
    real = [np.array([_real(factor) * unit], np.float32) for factor in (layer.factor_a, layer.factor_b)]
    for step_a in _NEAR[:5]:
        for step_b in _NEAR[:5]:
            factor_a, factor_b = (
                float(_neighbour(each, step)[0]) for each, step in zip(real, (step_a, step_b), strict=True)
            )
            exact = a * factor_a + b * factor_b
            (constant,) = _middle(np.array([(floor - exact).max()]), np.array([(ceiling - exact).min()]))
            inner = (b * factor_b + float(constant)).astype(np.float32).astype(np.float64)
            if (np.clip(_rounded(a * factor_a + inner), *limits) == wanted).all():
                return RoundedSum(factor_a, factor_b, float(constant))
    return None


def _prove_steps(
    least: _Int64, most: _Int64, significands: NDArray[Any], shifts: NDArray[Any], limits: tuple[int, int]
) -> Rounded | None:
    """Of x from least to most (C,); results beyond the limits are cut off, so that they need not be told apart."""
    used = significands > 0
    if (used & (shifts >= 0)).any() or max(np.abs(least).max(), np.abs(most).max()) > _EXACT:
        return None
    significands, shifts = (each.astype(np.int64)[:, None] for each in (np.where(used, significands, 1 << 30), shifts))
    shifts = np.minimum(shifts, -1)
    results = np.arange(limits[0] + 1, limits[1] + 1)
    # The least x whose result is no smaller: from the high word that rounds so to the product that rounds to that.
    high = (2 * results - 1) * (1 << (-shifts - 1)) + (results <= 0)
    steps = -((-(high * (1 << 31) - (1 << 30))) // significands)
    if (reference(steps, significands, shifts) < results).any() or (
        reference(steps - 1, significands, shifts) >= results
    ).any():
        return None
    reached = (steps > least[:, None]) & (steps <= most[:, None]) & used[:, None]
    found = _Search(np.where(used, np.ldexp(significands[:, 0].astype(np.float64), shifts[:, 0] - 31), 0.0))
    sign = np.where(results > 0, 1.0, -1.0)
    for rows, factors in found.candidates():
        real, inside = factors.astype(np.float64)[:, None], reached[rows]
        at, before = steps[rows] * real - (results - _HALF), (steps[rows] - 1) * real - (results - _HALF)
        least_nudge = np.where(inside, np.where(results > 0, -at, before), 0.0).max(axis=1, initial=0)
        most_nudge = np.where(inside, np.where(results > 0, -before, at), _HALF).min(axis=1, initial=_HALF)
        nudges = _middle(least_nudge, most_nudge)
        nudge = nudges.astype(np.float64)[:, None]
        is_there = _rounded(steps[rows] * real + np.where(steps[rows] < 0, -nudge, nudge)) >= results
        is_first = _rounded((steps[rows] - 1) * real + sign * nudge) < results
        proved: NDArray[np.bool_] = (~inside | (is_there & is_first)).all(axis=1)
        found.keep(rows, factors, nudges, proved)
    return found.result()


class _Search:
    """A factor's neighbours, for all channels that have none yet."""

    def __init__(self, factors: NDArray[Any]) -> None:
        self._real = factors.astype(np.float32)
        self._factors, self._nudges = self._real.copy(), np.zeros_like(self._real)
        self._missing = np.ones(len(factors), np.bool_)

    def candidates(self) -> Iterator[tuple[NDArray[np.intp], Float32]]:
        """Channels without a factor so far, and the next to try."""
        for step in _NEAR:
            rows = np.flatnonzero(self._missing)
            if len(rows):
                yield rows, _neighbour(self._real[rows], step)

    def keep(self, rows: NDArray[np.intp], factors: Float32, nudges: Float32, proved: NDArray[np.bool_]) -> None:
        """Those that were proved."""
        self._factors[rows[proved]], self._nudges[rows[proved]] = factors[proved], nudges[proved]
        self._missing[rows[proved]] = False

    def result(self) -> Rounded | None:
        """None where a channel has none."""
        return None if self._missing.any() else Rounded(self._factors, self._nudges)


def _neighbour(values: Float32, step: int) -> Float32:
    """The float32 so many steps further from zero; zero stays."""
    moved: Float32 = (values.view(np.int32) + np.where(values == 0, 0, step)).astype(np.int32).view(np.float32)
    return moved


def _rounded(values: _Float64) -> _Float64:
    """To float32, as a fused multiplication and addition gives it, then to the nearest integer.

    The values are exact: 24 bits times at most 25, and a nudge of the same order.
    """
    rounded: _Float64 = np.rint(values.astype(np.float32)).astype(np.float64)
    return rounded


def _bounds(wanted: _Int64, limits: tuple[int, int]) -> tuple[_Float64, _Float64]:
    """Real values between which a result comes out; what is cut off may lie anywhere beyond."""
    floor = np.where(wanted <= limits[0], -np.inf, wanted - _HALF)
    ceiling = np.where(wanted >= limits[1], np.inf, wanted + _HALF)
    return floor, ceiling


def _middle(least: _Float64, most: _Float64) -> Float32:
    middle: Float32 = ((least + most) / 2).astype(np.float32)
    return middle


def _real(multiplier: Multiplier) -> float:
    return multiplier.significand * 2.0 ** (multiplier.shift - 31)


def _scaled_by(values: NDArray[Any], multiplier: Multiplier) -> _Int64:
    return reference(
        values.astype(np.int64), np.array(multiplier.significand, np.int64), np.array(multiplier.shift, np.int64)
    )
