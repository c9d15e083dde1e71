"""The report on a quantization: what it did and what each step gave, as data that JSON can hold."""

from dataclasses import dataclass
from enum import StrEnum

FULL_INTEGER = "full-integer.onnx"
"""File beside the QDQ model where a recipe keeps tensors in higher precision: the same network without them."""


class Part(StrEnum):
    """What was rounded alone."""

    TENSOR = "tensor"
    """One group of activations that share a grid."""
    LAYER = "layer"
    """One convolution's weights, or one PReLU's slopes."""


@dataclass(frozen=True, slots=True)
class RoundingLoss:
    """The cost of rounding one part, everything else in float."""

    part: Part
    name: str
    cosine_loss: float
    """1 - mean cosine to the float embedding."""
    sqnr_db: float
    """Signal to quantization noise of the embedding."""


@dataclass(frozen=True, slots=True)
class TensorRange:
    """How one tensor is quantized."""

    name: str
    low: float
    high: float
    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Agreement with the float network on held-out calibration faces after one step of the recipe."""

    step: str
    cosine_mean: float
    cosine_p01: float
    sqnr_db: float


@dataclass(frozen=True, slots=True)
class QuantizationReport:
    """Everything worth saying about one quantization."""

    method: str
    """`balanced` (no training) or `distilled`, as the report's variants show it."""
    recipe: str
    held_out_faces: int
    cosine_mean: float
    """Simulated INT8 against float, on the held-out faces."""
    curve: tuple[CurvePoint, ...]
    ranges: tuple[TensorRange, ...]
    range_stability: dict[str, float]
    """By group of tensors: spread of the extent over four disjoint subsets of the faces, relative to its mean."""
    higher_precision: tuple[str, ...]
    """Tensors that stay out of INT8; what they become is the target's choice."""
    int8_mac_share: float
    sensitivity: tuple[RoundingLoss, ...]
    """Worst first; empty if the recipe leaves it out."""
    dead_channels: dict[str, int]
    """Channels that never change on the calibration faces, by tensor."""
    warnings: tuple[str, ...]
    full_integer: "QuantizationReport | None" = None
    """The same network before tensors were kept in higher precision, for targets that take integers alone; None where
    nothing was kept."""
