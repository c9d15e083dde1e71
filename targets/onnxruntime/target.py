"""ONNX Runtime on the CPU.

FP32 is the model rewritten for blocked kernels, INT8 the QDQ model in integer operators. FP16 stores weights in half
precision and casts them up at load time, since ONNX Runtime has no half-precision convolution for CPUs. Stock INT8 is
`quantize_static` with its defaults: QDQ, MinMax, per channel.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets import protocol
from ghostface_edge.targets.onnxruntime import profiling
from ghostface_edge.targets.onnxruntime.embedder import OnnxruntimeEmbedder
from ghostface_edge.targets.profile import group
from ghostface_edge.targets.protocol import (
    ArtifactInfo,
    ComputedTensor,
    Embedder,
    Faces,
    InputType,
    Precision,
)
from ghostface_edge.targets.requirements import require_input, require_modules


class OnnxruntimeTarget:
    """`.onnx` in, `.onnx` out."""

    name = "onnxruntime"
    layout = protocol.Layout.NCHW
    extension = ".onnx"
    packages: tuple[str, ...] = ("onnxruntime", "onnx")
    input_types = (InputType.FLOAT32,)
    methods = protocol.EVERY_METHOD
    reads_onnx = True
    is_timed = True
    uses_threads = True
    is_firmware = False
    float_fallback: str | None = "float32"

    def require(self) -> None:
        require_modules("torch", "onnxruntime")

    def files(self, artifact: Path) -> tuple[Path, ...]:
        return (artifact,)

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        from ghostface_edge.targets import onnx_graph
        from ghostface_edge.targets.onnxruntime.blocked import to_blocked

        original = onnx_graph.load(model)
        converted = to_blocked(original)
        if precision is Precision.FP16:
            converted = onnx_graph.halve_weights(converted)
        onnx_graph.note_macs(converted, {precision: sum(onnx_graph.macs_by_precision(original).values())})
        onnx_graph.save(converted, artifact)

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

        class Reader(CalibrationDataReader):  # type: ignore[misc]
            def __init__(self) -> None:
                self._inputs = _inputs(faces)

            def get_next(self) -> dict[str, NDArray[np.float32]] | None:
                return next(self._inputs, None)

        quantize_static(model, artifact, Reader(), quant_format=QuantFormat.QDQ, per_channel=True)

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        require_input(self.name, self.input_types, input_type)
        from ghostface_edge.targets import onnx_graph
        from ghostface_edge.targets.onnxruntime.integer_lowering import to_integers

        original = onnx_graph.load(qdq_model)
        lowered = to_integers(original)
        onnx_graph.note_macs(lowered, onnx_graph.macs_by_precision(original))
        onnx_graph.save(lowered, artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        return OnnxruntimeEmbedder(artifact, threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:
        return group(profiling.sample(artifact, threads))

    def inspect(self, artifact: Path) -> ArtifactInfo:
        from ghostface_edge.targets import onnx_graph

        return onnx_graph.inspect(artifact)

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        from ghostface_edge.targets.onnxruntime.cut import tensors

        return tensors(artifact)

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        from ghostface_edge.targets.onnxruntime.cut import cut

        cut(artifact, tensor, out)


def _inputs(faces: Faces) -> Iterator[dict[str, NDArray[np.float32]]]:
    for face in faces:
        yield {"faces": np.ascontiguousarray(normalize(face[None]).transpose(0, 3, 1, 2))}
