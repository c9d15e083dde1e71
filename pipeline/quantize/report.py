"""What quantization did and what each step gave, as data."""

from dataclasses import dataclass

from ghostface_edge.pipeline.quantize.sensitivity import Sensitivity

FULL_INTEGER = "full-integer.onnx"
"""File beside the carrier where a recipe keeps tensors in higher precision: the same network without them."""


@dataclass(frozen=True, slots=True)
class TensorRange:
    """The grid of one quantized tensor."""

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
    sensitivity: tuple[Sensitivity, ...]
    """Worst first; empty if the recipe leaves it out."""
    dead_channels: dict[str, int]
    """Channels that never change on the calibration faces, by tensor."""
    warnings: tuple[str, ...]
    full_integer: "QuantizationReport | None" = None
    """The same network before tensors were kept in higher precision, for targets that take integers alone; None where
    nothing was kept."""
