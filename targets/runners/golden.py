"""What a variant computes for the golden faces, step by step: its input, a few tensors on the way, embeddings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from ghostface_edge.targets.diagnosis.difference import FLOAT_TOLERANCE
from ghostface_edge.targets.protocol import Embeddings, Precision
from ghostface_edge.targets.table import VariantId

EXACT: Final = frozenset({"c", "tflite", "tflite-micro"})
"""Runtimes whose INT8 kernels give the same bytes on every CPU that they were tried on."""
_ROUNDED_OTHERWISE: Final = 0.5
"""What lies between kernels of ONNX Runtime with and without VNNI: 0.45 was measured of golden faces."""


@dataclass(frozen=True, slots=True)
class GoldenLayer:
    """A tensor on the way."""

    name: str
    values: NDArray[Any]
    """Of the first face, or of all where the network tells of itself."""
    file: Path | None
    """The model that ends there; None where the network tells of itself."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Of one variant."""

    inputs: NDArray[Any]
    """What the network is given, face by face."""
    layers: tuple[GoldenLayer, ...]
    embeddings: Embeddings
    """Real values."""
    output_scale: float = 0.0
    """Step of the output; 0 where it is given in real values."""


def tolerance(variant: VariantId) -> float:
    """Largest distance of a tensor from the golden one, as a share of its length, at which an installation is sound.

    Zero for INT8 whose kernels round alike everywhere; for real values what separates sums in another order from a
    mistake; for INT8 of the other runtimes what their own kernels differ by from one CPU to another
    (docs/decisions/0034-golden-faces.md).
    """
    if variant.precision is not Precision.INT8:
        return FLOAT_TOLERANCE
    return 0.0 if variant.runtime in EXACT else _ROUNDED_OTHERWISE
