"""LiteRT's own static INT8 quantization with its defaults, for comparison."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.tflite.flatbuffer import SIGNATURE, serialize
from ghostface_edge.targets.tflite.subgraph import Subgraph


def quantize_static(subgraph: Subgraph, faces: Faces) -> bytes:
    """Quantize a float `.tflite` with ai_edge_quantizer's `static_wi8_ai8` recipe.

    Args:
        subgraph: our FP32 lowering.
        faces: calibration faces, uint8 RGB (N, S, S, 3), fed one by one.

    Raises:
        ToolError: the quantizer gave up.
    """
    from ai_edge_quantizer import quantizer, recipe

    input_name = subgraph.tensors[subgraph.inputs[0]].name
    try:
        stock = quantizer.Quantizer(serialize(subgraph), recipe.static_wi8_ai8())
        statistics = stock.calibrate({SIGNATURE: _Samples(faces, input_name)}, num_threads=1)
        return bytes(stock.quantize(statistics, enable_progress_report=False).quantized_model)
    except (ValueError, RuntimeError, KeyError) as problem:
        raise ToolError(
            f"LiteRT's quantizer failed: {problem}", fix="check the calibration faces and the float model"
        ) from problem


@dataclass(frozen=True, slots=True)
class _Samples:
    """Faces one by one, as often as the quantizer asks (it counts them first)."""

    faces: Faces
    input_name: str

    def __iter__(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        for face in self.faces:
            yield {self.input_name: normalize(face[None])}
