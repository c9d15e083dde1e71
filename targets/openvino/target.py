"""OpenVINO on the CPU.

FP16 is OpenVINO's own weight compression. Stock INT8 is `nncf.quantize` with its defaults.
"""

import contextlib
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.openvino import kernels, profiling
from ghostface_edge.targets.openvino.embedder import OpenvinoEmbedder, compiled, nchw, read_model
from ghostface_edge.targets.profile import group
from ghostface_edge.targets.protocol import (
    EVERY_METHOD,
    ArtifactInfo,
    ComputedTensor,
    Embedder,
    Faces,
    InputType,
    Layout,
    Precision,
)
from ghostface_edge.targets.requirements import require_input, require_modules

_INTEGER_TYPES = {"i8", "u8"}


class OpenvinoTarget:
    """`.xml` with the weights in a `.bin` beside it."""

    name = "openvino"
    layout = Layout.NCHW
    extension = ".xml"
    packages = ("openvino", "nncf")
    input_types = (InputType.FLOAT32,)
    methods = EVERY_METHOD
    reads_onnx = True
    is_timed = True
    uses_threads = True
    is_firmware = False
    float_fallback: str | None = "float32, weights stored as float16"

    def require(self) -> None:
        require_modules("openvino", "openvino", "nncf")

    def files(self, artifact: Path) -> tuple[Path, ...]:
        return (artifact, artifact.with_suffix(".bin"))

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        import openvino

        openvino.save_model(openvino.convert_model(model), artifact, compress_to_fp16=precision is Precision.FP16)
        kernels.prefer(artifact)

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        import nncf
        import openvino

        nncf.set_log_level(logging.ERROR)
        dataset = nncf.Dataset(list(faces), lambda face: nchw(face[None]))
        quantized = nncf.quantize(openvino.convert_model(model), dataset, subset_size=len(faces))
        openvino.save_model(quantized, artifact, compress_to_fp16=False)

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        require_input(self.name, self.input_types, input_type)
        import openvino

        from ghostface_edge.targets.openvino.lowering import lower

        openvino.save_model(lower(qdq_model), artifact, compress_to_fp16=False)
        kernels.prefer(artifact)
        kernels.compact(artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        return OpenvinoEmbedder(artifact, threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:
        return group(profiling.sample(compiled(artifact, threads, 1, count=True)))

    def inspect(self, artifact: Path) -> ArtifactInfo:
        import openvino

        model = read_model(openvino.Core(), artifact)
        entry = model.input()
        operations = model.get_ordered_ops()
        return ArtifactInfo(
            layout=self.layout,
            input_name=entry.get_any_name(),
            input_shape=tuple(-1 if dim.is_dynamic else dim.get_length() for dim in entry.partial_shape),
            input_dtype=entry.get_element_type().to_dtype().name,
            input_scale=None,
            input_zero_point=None,
            operators=dict(sorted(Counter(operation.get_type_name() for operation in operations).items())),
            macs_by_precision=_macs_by_precision(operations),
        )

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        import openvino

        from ghostface_edge.targets.openvino.cut import tensors

        return tensors(read_model(openvino.Core(), artifact))

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        import openvino

        from ghostface_edge.targets.openvino.cut import cut

        openvino.save_model(cut(read_model(openvino.Core(), artifact), tensor), out, compress_to_fp16=False)


def _macs_by_precision(operations: list[Any]) -> dict[str, int]:
    macs: Counter[str] = Counter()
    for operation in operations:
        if operation.get_type_name() not in {"Convolution", "GroupConvolution", "MatMul"}:
            continue
        stored, precision = operation.input_value(1), Precision.FP32
        with contextlib.suppress(IndexError):
            while stored.get_node().get_type_name() != "Constant":
                stored = stored.get_node().input_value(0)
        kind = stored.get_element_type().get_type_name()
        if kind in _INTEGER_TYPES:
            precision = Precision.INT8
        elif kind == "f16":
            precision = Precision.FP16
        positions = [dim.get_length() for dim in operation.output(0).partial_shape[2:]]
        macs[precision] += int(np.prod(positions) * np.prod(list(stored.get_shape())))
    return dict(macs)
