"""Quantization parameters: the scale and zero point by which integers stand for real values.

They are signed int8's everywhere, as QDQ models and TFLite hold them. A kernel or file that stores the same tensor as
uint8 asks for `uint8_zero_point`; a model that was written in uint8 enters through `from_onnx` and `as_int8`. Nothing
else knows that the two are 128 apart.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError

INT8_MIN: Final = -128
INT8_MAX: Final = 127
_UINT8_OFFSET: Final = 128


@dataclass(frozen=True, slots=True)
class QuantParams:
    """real = scale * (q - zero_point) for a whole tensor, q int8; source: ONNX QuantizeLinear, opset 13.

    Raises:
        ValueError: a zero point that int8 does not hold, as uint8's own would be.
    """

    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        if not INT8_MIN <= self.zero_point <= INT8_MAX:
            raise ValueError(f"zero point {self.zero_point} is none of int8")

    @classmethod
    def from_onnx(cls, scale: NDArray[np.generic], zero_point: NDArray[np.generic]) -> "QuantParams":
        """What a QuantizeLinear or DequantizeLinear of a whole tensor says, int8 or uint8.

        Raises:
            InputError: integers of another type.
        """
        if zero_point.dtype not in (np.int8, np.uint8):
            raise InputError(
                f"activations are quantized to {zero_point.dtype}, not to 8 bits", fix="quantize them to int8"
            )
        return cls(float(scale.item()), int(as_int8(zero_point).item()))

    @property
    def uint8_zero_point(self) -> int:
        """The zero point of the same tensor where it is stored as uint8, every integer 128 higher."""
        return self.zero_point + _UINT8_OFFSET

    @property
    def scales(self) -> tuple[float]:
        """The one scale, where scales by channel could stand as well."""
        return (self.scale,)

    @property
    def low(self) -> float:
        """The smallest real value."""
        return self.scale * (INT8_MIN - self.zero_point)

    @property
    def high(self) -> float:
        """The largest real value."""
        return self.scale * (INT8_MAX - self.zero_point)

    def quantize(self, values: NDArray[np.floating[Any]]) -> NDArray[np.int8]:
        """The nearest integers, ties to even; what is outside saturates."""
        steps: NDArray[np.float64] = np.rint(values.astype(np.float64) / self.scale) + self.zero_point
        return steps.clip(INT8_MIN, INT8_MAX).astype(np.int8)


@dataclass(frozen=True, slots=True)
class ChannelScales:
    """real = scale * q, symmetric, one scale for each slice along `axis`: weights in int8, biases in int32."""

    scales: tuple[float, ...]
    axis: int = 0


def as_int8(integers: NDArray[np.generic]) -> NDArray[np.generic]:
    """Stored uint8 integers, or zero points, as the int8 that stand for the same values; others as they are."""
    if integers.dtype != np.uint8:
        return integers
    return (integers.astype(np.int16) - _UINT8_OFFSET).astype(np.int8)
