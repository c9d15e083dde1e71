"""The logistic function on int8 as TFLite's reference kernel computes it, in fixed point.

In: the input's scale and zero point. Out: the 256 values that an operator can give, by input.

Source: TFLite's `reference_integer_ops::Logistic` over gemmlowp's `fixedpoint.h`, constants and roundings included.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.c.layers import INT8_HIGH, INT8_LOW, Int8, Multiplier

_INTEGER_BITS: Final = 4
_ONE: Final = 2**31 - 1
_OUTPUT_BITS: Final = 8
_EXP_OF_MINUS_EIGHTH: Final = 1895147668
_THIRD: Final = 715827883
_FORTY_EIGHT_SEVENTEENTHS: Final = 1515870810
_MINUS_THIRTY_TWO_SEVENTEENTHS: Final = -1010580540
_EXP_OF_MINUS_POWERS: Final = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401)
"""exp(-2^k) for k from -2 to 3."""
_NEWTON_STEPS: Final = 3


def table(scale: float, zero_point: int) -> Int8:
    """Outputs for the inputs -128 to 127, of scale 1/256 and zero point -128."""
    values = np.arange(INT8_LOW, INT8_HIGH + 1, dtype=np.int64) - zero_point
    factor = Multiplier.of(scale * 2 ** (31 - _INTEGER_BITS))
    radius = math.floor((2**_INTEGER_BITS - 1) * 2 ** (31 - _INTEGER_BITS) / 2**factor.shift)
    inside = np.abs(values) < radius
    raw = _scaled(np.where(inside, values, 0), factor)
    steps = _rounded_shift(_logistic(raw), 31 - _OUTPUT_BITS)
    outputs = np.where(inside, steps + INT8_LOW, np.where(values < 0, INT8_LOW, INT8_HIGH))
    return outputs.clip(INT8_LOW, INT8_HIGH).astype(np.int8)


_Raw = NDArray[np.int64]


def _logistic(raw: _Raw) -> _Raw:
    """Of numbers with 4 integer bits; the result has none."""
    positive = _over_one_plus(_exp_of_negative(-np.abs(raw)))
    return np.where(raw > 0, positive, np.where(raw < 0, _ONE - positive, 2**30))


def _exp_of_negative(raw: _Raw) -> _Raw:
    fraction_bits = 31 - _INTEGER_BITS
    quarter = 1 << (fraction_bits - 2)
    rest = (raw & (quarter - 1)) - quarter
    result = _exp_near_zero(_saturated(rest << _INTEGER_BITS))
    quarters = rest - raw
    for power, factor in enumerate(_EXP_OF_MINUS_POWERS, start=-2):
        result = np.where(quarters & (1 << (fraction_bits + power)), _product(result, factor), result)
    return np.where(raw == 0, _ONE, result)


def _exp_near_zero(raw: _Raw) -> _Raw:
    """Of numbers from -1/4 to 0, by the series around -1/8."""
    x = raw + (1 << 28)
    square = _product(x, x)
    cube, fourth = _product(square, x), _product(square, square)
    tail = _rounded_shift(_product(_rounded_shift(fourth, 2) + cube, _THIRD) + square, 1)
    return _saturated(_EXP_OF_MINUS_EIGHTH + _product(_EXP_OF_MINUS_EIGHTH, x + tail))


def _over_one_plus(raw: _Raw) -> _Raw:
    """1 / (1 + x) for x from 0 to 1, by Newton's method on numbers with 2 integer bits."""
    total = raw + _ONE
    half = (total + np.where(total >= 0, 1, -1)) // 2
    x = _FORTY_EIGHT_SEVENTEENTHS + _product(half, _MINUS_THIRTY_TWO_SEVENTEENTHS)
    for _ in range(_NEWTON_STEPS):
        x = x + _saturated(_product(x, (1 << 29) - _product(half, x)) << 2)
    return _saturated(x << 1)


def _product(a: _Raw | int, b: _Raw | int) -> _Raw:
    """The doubled product's high word, rounded half up."""
    return (np.asarray(a, np.int64) * b + (1 << 30)) >> 31


def _rounded_shift(raw: _Raw, bits: int) -> _Raw:
    """Divided by a power of two, half away from zero."""
    rest = raw & ((1 << bits) - 1)
    return (raw >> bits) + (rest > (((1 << bits) - 1) >> 1) + (raw < 0))


def _scaled(values: _Raw, factor: Multiplier) -> _Raw:
    left, right = max(factor.shift, 0), max(-factor.shift, 0)
    return _rounded_shift(_product(values << left, factor.significand), right)


def _saturated(raw: _Raw) -> _Raw:
    return raw.clip(-(2**31), 2**31 - 1)
