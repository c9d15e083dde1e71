"""Layers of an integer network in the form that C computes them: shapes, int8 weights, fixed-point multipliers.

Nothing here knows of a file or of C. Multipliers are TFLite's: a Q31 significand and a power of two.
"""

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Int32: TypeAlias = NDArray[np.int32]
Int8: TypeAlias = NDArray[np.int8]
INT8_LOW: Final = -128
INT8_HIGH: Final = 127
LARGEST_SUM: Final = 1 << 29
"""Of an accumulator: kernels double it, and add half a unit of what they shift away."""
_PARAMETER_BYTES: Final = 9
"""Of one channel: int32 bias and significand, int8 shift."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """int8, NHWC, batch 1."""

    name: str
    rows: int
    columns: int
    channels: int
    scale: float
    zero_point: int

    @property
    def pixels(self) -> int:
        """Rows times columns."""
        return self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A real factor as TFLite multiplies by it: significand / 2^31 * 2^shift, rounded twice.

    Source: TFLite's reference kernels, `MultiplyByQuantizedMultiplier`.
    """

    significand: int
    shift: int

    @classmethod
    def of(cls, factor: float) -> "Multiplier":
        """As `QuantizeMultiplier` does it."""
        if factor == 0.0:
            return cls(0, 0)
        fraction, shift = math.frexp(factor)
        significand = math.floor(fraction * 2**31 + 0.5)
        if significand == 2**31:
            significand, shift = significand // 2, shift + 1
        return cls(significand, shift) if shift >= -31 else cls(0, 0)

    def over(self, count: int) -> "Multiplier":
        """Divided by a number of summands, as TFLite's reference kernel for means divides."""
        shift = min(count.bit_length() - 1, 32, 31 + self.shift)
        return Multiplier((self.significand << shift) // count, self.shift - shift)


@dataclass(frozen=True, slots=True, eq=False)
class Requantization:
    """int32 accumulators to int8, channel by channel."""

    bias: Int32
    """(C,); the input's zero point is in it: accumulator = bias + sum of input times weight."""
    significands: Int32
    shifts: Int32
    zero_point: int
    low: int = INT8_LOW
    high: int = INT8_HIGH


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """PReLU on int8: values above the input's zero point times one factor, those below times their channel's."""

    slopes: Int8
    """(C,)"""
    above: Multiplier
    below: Multiplier
    """Of slope times value."""
    zero_point: int
    """Of the input."""
    output_zero_point: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a convolution sees: kernel, stride, and how far it begins outside of the image."""

    rows: int
    columns: int
    stride: int
    top: int
    left: int

    @property
    def taps(self) -> int:
        """Positions of the kernel."""
        return self.rows * self.columns

    @property
    def is_point(self) -> bool:
        """Whether every output comes of one pixel, in order."""
        return (self.rows, self.columns, self.stride) == (1, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """Every output channel of every channel under the window; PReLU on top where it follows."""

    source: Tensor
    out: Tensor
    window: Window
    weights: Int8
    """(outputs, taps * inputs), tap by tap."""
    requantization: Requantization
    prelu: Slopes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Depthwise:
    """Every channel of itself alone; PReLU on top where it follows."""

    source: Tensor
    out: Tensor
    window: Window
    weights: Int8
    """(taps, channels)"""
    requantization: Requantization
    prelu: Slopes | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """a + b. The result is at most one step from the real sum's nearest.

    Source: TFLite's reference kernels: both terms on 2^-20 of twice the wider scale.
    """

    a: Tensor
    b: Tensor
    out: Tensor
    factor_a: Multiplier
    factor_b: Multiplier
    factor_out: Multiplier
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Multiplication:
    """a * b; b of the same shape or a value for each channel."""

    a: Tensor
    b: Tensor
    out: Tensor
    factor: Multiplier
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Mean:
    """Over all pixels of a channel."""

    source: Tensor
    out: Tensor
    factor: Multiplier
    """Of the sum."""


@dataclass(frozen=True, slots=True)
class AveragePool:
    """The mean of every window, without padding, in the scale of its input."""

    source: Tensor
    out: Tensor
    window: Window
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Resize:
    """Bilinear, with the centres of pixels on each other, in the scale of its input."""

    source: Tensor
    out: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A function of one value."""

    source: Tensor
    out: Tensor
    values: Int8
    """(256,), for the inputs -128 to 127."""


@dataclass(frozen=True, slots=True, eq=False)
class Prelu:
    """PReLU that nothing before it took up."""

    source: Tensor
    out: Tensor
    slopes: Slopes


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Channels of several tensors behind each other."""

    sources: tuple[Tensor, ...]
    out: Tensor


Layer: TypeAlias = (
    Convolution | Depthwise | Addition | Multiplication | Mean | AveragePool | Resize | Lookup | Prelu | Concatenation
)


def sources_of(layer: Layer) -> tuple[Tensor, ...]:
    """Tensors that a layer reads."""
    match layer:
        case Addition() | Multiplication():
            return (layer.a, layer.b)
        case Concatenation():
            return layer.sources
        case _:
            return (layer.source,)


@dataclass(frozen=True, slots=True)
class Program:
    """A network: layers in order, from the faces to the embedding."""

    faces: Tensor
    """byte - 128 of RGB."""
    layers: tuple[Layer, ...]
    embedding: Tensor

    @property
    def constants_bytes(self) -> int:
        """Weights, and bias, significand, shift and slope of every channel."""
        layers = [layer for layer in self.layers if isinstance(layer, Convolution | Depthwise)]
        per_channel = _PARAMETER_BYTES * sum(layer.out.channels for layer in layers)
        slopes = sum(layer.out.channels for layer in layers if layer.prelu is not None)
        return sum(layer.weights.size for layer in layers) + per_channel + slopes
