"""What a variant computes for the golden faces, step by step: what it is given, a few tensors on the way, embeddings.

In: an artifact, through a worker of its runtime or, for a network in C, its own words. Out: arrays, and models cut
short that come to those tensors, so that a runner needs no way of looking into a runtime.
"""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.targets.diagnosis.diagnose import LEAST_COSINE
from ghostface_edge.targets.diagnosis.difference import FLOAT_TOLERANCE
from ghostface_edge.targets.diagnosis.input_causes import encode_real
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Embeddings, Faces, Precision
from ghostface_edge.targets.table import VariantId

LAYERS: Final = 5
"""Tensors on the way that are recorded of runtimes, evenly over the operators."""
_READABLE: Final = ("float32", "int8", "uint8")
"""Types of tensors that runners read."""
EXACT: Final = frozenset({"c", "tflite"})
"""Runtimes whose INT8 kernels give the same bytes on every CPU that they were tried on."""
_ROUNDED_OTHERWISE: Final = float(np.sqrt(2 * (1 - LEAST_COSINE)))
EXTENSIONS: Final = MappingProxyType({"c": ".c", "tflite": ".tflite", "onnxruntime": ".onnx", "openvino": ".xml"})
"""Runtimes that there is a runner for."""


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
    mistake; for INT8 of the other runtimes what `localize` puts down to rounding: kernels with and without VNNI,
    of x86 and of ARM, differ by a step here and there, which the network spreads.
    """
    if variant.precision is not Precision.INT8:
        return FLOAT_TOLERANCE
    return 0.0 if variant.runtime in EXACT else _ROUNDED_OTHERWISE


def record(worker: RuntimeWorker, artifact: Path, faces: Faces, folder: Path) -> Golden:
    """Run the golden faces one by one, and the first through the artifact cut short.

    Args:
        worker: of the artifact's runtime.
        artifact: the whole model.
        faces: RGB uint8 (N, 112, 112, 3).
        folder: for the models cut short.
    """
    worker.load(artifact, 1, 1)
    embeddings = worker.embed(faces)
    inputs = encode_real(normalize(faces), worker.inspect(artifact))
    computed = worker.tensors(artifact)
    layers: list[GoldenLayer] = []
    for due in np.linspace(0, len(computed) - 1, LAYERS + 2).astype(int)[1:-1]:
        for tensor in computed[due:]:
            file = folder / f"layer-{len(layers)}{artifact.suffix}"
            worker.cut(artifact, tensor.name, file)
            worker.load(file, 1, 1)
            values = worker.tensor(faces[:1])
            if values.dtype.name in _READABLE:
                layers.append(GoldenLayer(tensor.name, values, file))
                break
    return Golden(inputs, tuple(layers), embeddings)
