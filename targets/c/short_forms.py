"""Shorter arithmetic of the same results: found by search, and proved by computing every input that there is.

PReLU has 256 inputs for each channel: with t = (x f + 2^6) >> 7, max(x, (t + c) >> 8) fits into 16 bits. An addition
has 65,536: (a f + b g + c) >> 22, cut off at int8's limits, fits into 32. x, a and b are int8 as they are; zero points
are in c.
"""

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.c.layers import INT8_HIGH, INT8_LOW, Addition, Multiplier, Slopes

_IDENTITY: Final = Multiplier(1 << 30, 1)
_ONE: Final = 1 << 15
_NEAR: Final = 8
"""Steps from the nearest factor to the last that is tried."""
_ADDITION_BITS: Final = 22
_NEAR_TERMS: Final = 3
_TERM_BITS: Final = 20
_INT32: Final = 1 << 31
_BYTES: Final = np.arange(INT8_LOW, INT8_HIGH + 1, dtype=np.int64)


def short_prelu(slopes: Slopes) -> tuple[NDArray[np.int16], NDArray[np.int16]] | None:
    """Factors and offsets of the channels; None where one of them has none."""
    if slopes.above != _IDENTITY or slopes.zero_point != slopes.output_zero_point:
        return None
    found = [_search(slope, slopes) for slope in slopes.slopes.tolist()]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    factors, offsets = np.array(known, np.int16).T
    return factors, offsets


def short_addition(addition: Addition) -> tuple[int, int, int] | None:
    """Factors of both terms, and the offset; None if there are none, or the limits are not int8's."""
    if (addition.low, addition.high) != (INT8_LOW, INT8_HIGH):
        return None
    a, b = np.meshgrid(_BYTES, _BYTES, indexing="ij")
    terms = scaled((a - addition.a.zero_point) << _TERM_BITS, addition.factor_a) + scaled(
        (b - addition.b.zero_point) << _TERM_BITS, addition.factor_b
    )
    wanted = scaled(terms, addition.factor_out) + addition.out.zero_point
    least_sum, most_sum = (np.clip(wanted, INT8_LOW, INT8_HIGH) << _ADDITION_BITS) + [
        [[0]],
        [[(1 << _ADDITION_BITS) - 1]],
    ]
    middle = [round(each.scale / addition.out.scale * 2**_ADDITION_BITS) for each in (addition.a, addition.b)]
    for steps in sorted(product(range(-_NEAR_TERMS, _NEAR_TERMS + 1), repeat=2), key=lambda each: sum(map(abs, each))):
        f, g = (near + step for near, step in zip(middle, steps, strict=True))
        t = a * f + b * g
        least = max((-_INT32 - t).max(), (least_sum - t)[wanted > INT8_LOW].max(initial=-_INT32))
        most = min((_INT32 - 1 - t).min(), (most_sum - t)[wanted < INT8_HIGH].min(initial=_INT32))
        if f and least <= most:
            return f, g, int(least + most) // 2
    return None


def scaled(x: NDArray[np.int64], factor: Multiplier) -> NDArray[np.int64]:
    """As `scaled` of `arithmetic.h`."""
    left, right = max(factor.shift, 0), max(-factor.shift, 0)
    high = ((x << left) * factor.significand + (1 << 30)) >> 31
    mask = (1 << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))


def _search(slope: int, slopes: Slopes) -> tuple[int, int] | None:
    """A factor and an offset of one channel."""
    x = _BYTES
    value, below = x - slopes.zero_point, x < slopes.zero_point
    wanted = np.where(below, scaled(value * slope, slopes.below), value) + slopes.output_zero_point
    wanted = 256 * wanted.clip(INT8_LOW, INT8_HIGH)
    middle = round(slope * slopes.below.significand * 2.0 ** (slopes.below.shift - 31) * _ONE)
    for factor in sorted(range(middle - _NEAR, middle + _NEAR + 1), key=lambda each: abs(each - middle)):
        t = (x * factor + (1 << 6)) >> 7
        # No sum leaves 16 bits; below the zero point its upper byte is the result, above it is no larger than x.
        least = max((-_ONE - t).max(), (wanted - t)[below].max(initial=-_ONE))
        most = min((_ONE - 1 - t).min(), (wanted + 255 - t).min())
        if -_ONE <= factor < _ONE and least <= most:
            return factor, int(least + most) // 2
    return None
