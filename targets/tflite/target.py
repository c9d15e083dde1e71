"""The TFLite target: what the rest of the system sees of this package."""

from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.reports.evidence import ProfileRole, ProfileRow
from ghostface_edge.targets.profile import PROFILE_RUNS, OperatorSample, group
from ghostface_edge.targets.protocol import (
    EVERY_METHOD,
    ArtifactInfo,
    ComputedTensor,
    Embedder,
    Faces,
    InputType,
    Layout,
    Method,
    Precision,
)
from ghostface_edge.targets.tflite.kernel_set import KernelSet

_PIP = "pip install 'ghostface-edge[tflite]'"
_HALF_WEIGHTS = MappingProxyType({Precision.FP32: False, Precision.FP16: True})


class TfliteTarget:
    """LiteRT (or tflite-runtime, where that is what a board has) on the CPU, with XNNPACK."""

    name = "tflite"
    layout = Layout.NHWC
    extension = ".tflite"
    packages: tuple[str, ...] = ("ai-edge-litert", "ai-edge-quantizer", "flatbuffers")
    input_types = (InputType.INT8, InputType.UINT8, InputType.FLOAT32)
    methods: tuple[Method, ...] = EVERY_METHOD
    reads_onnx = False
    is_timed = True
    uses_threads = True
    is_firmware = False
    float_fallback: str | None = None

    def require(self) -> None:
        """Raise RuntimeMissingError unless an interpreter is installed."""
        if find_spec("ai_edge_litert") is None and find_spec("tflite_runtime") is None:
            raise RuntimeMissingError("LiteRT, the runtime of .tflite models, is not installed", fix=_PIP)

    def files(self, artifact: Path) -> tuple[Path, ...]:
        """A `.tflite` is one file."""
        return (artifact,)

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        """Lower a float32 ONNX model to NHWC; FP16 stores convolution weights as float16 and computes in float32.

        Raises:
            InputError: INT8 asked for, or not an ONNX file.
            ToolError: an operator that TFLite cannot express.
        """
        if precision not in _HALF_WEIGHTS:
            raise InputError(
                f"convert writes fp32 and fp16, not {precision}", fix="use quantize_stock or lower_quantized for int8"
            )
        _require_writer("ai_edge_litert")
        from ghostface_edge.targets.tflite.flatbuffer import serialize
        from ghostface_edge.targets.tflite.lowering import lower

        artifact.write_bytes(serialize(lower(model, half_weights=_HALF_WEIGHTS[precision])))

    def lower_quantized(
        self,
        qdq_model: Path,
        artifact: Path,
        input_type: InputType | None = None,
        *,
        kernels: KernelSet = KernelSet.XNNPACK,
    ) -> None:
        """Lower a QDQ model to a full-integer model with its scales and zero points.

        Args:
            qdq_model: int8 QuantizeLinear/DequantizeLinear around every activation, per tensor; int8 symmetric weights
                per output channel; biases int32 or float32.
            artifact: where to write.
            input_type: int8 (in and out), the camera's uint8 (int8 out) or float32 (in and out); int8 by default.
            kernels: whose kernels it is written for.

        Raises:
            ToolError: a tensor without a scale, or an operator that TFLite has no integer kernel for.
        """
        _require_writer("ai_edge_litert")
        from ghostface_edge.targets.tflite.flatbuffer import serialize
        from ghostface_edge.targets.tflite.lowering import lower_quantized

        artifact.write_bytes(serialize(lower_quantized(qdq_model, kernels, input_type or InputType.INT8)))

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        """LiteRT's own quantizer, static INT8 with its defaults, on our FP32 lowering."""
        _require_writer("ai_edge_quantizer")
        from ghostface_edge.targets.tflite.lowering import lower
        from ghostface_edge.targets.tflite.stock import quantize_static

        artifact.write_bytes(quantize_static(lower(model), faces))

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Compile an artifact in LiteRT's interpreter, XNNPACK included."""
        self.require()
        from ghostface_edge.targets.tflite.runtime import TfliteEmbedder

        return TfliteEmbedder(artifact, threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:
        """Time every operator alone, since LiteRT's Python package has no profiler."""
        from ghostface_edge.targets.tflite.profiling import time_operators

        samples = []
        for place, operator in enumerate(time_operators(artifact, threads, PROFILE_RUNS)):
            role = ProfileRole.INTEGER if "int" in operator.dtype else ProfileRole.FLOAT
            if operator.kind in {"QUANTIZE", "DEQUANTIZE"}:
                role = ProfileRole.QUANTIZE
            samples.append(
                OperatorSample(f"{place}", operator.kind, role, operator.microseconds, delegated=operator.delegated)
            )
        return group(samples)

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read an artifact's interface, operators and multiply-accumulates."""
        _require_writer("ai_edge_litert")
        from ghostface_edge.targets.tflite.inspection import inspect_artifact

        return inspect_artifact(artifact)

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """What an artifact computes; float weights that are unpacked at run time are constants."""
        _require_writer("ai_edge_litert")
        from ghostface_edge.targets.tflite.cut import tensors

        return tensors(artifact)

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """Write the same file with one of its tensors as the output, without what is not needed for it."""
        _require_writer("ai_edge_litert")
        from ghostface_edge.targets.tflite.cut import cut

        out.write_bytes(cut(artifact, tensor))


def _require_writer(package: str) -> None:
    if find_spec(package) is None:
        raise RuntimeMissingError(f"{package.replace('_', '-')} is not installed", fix=_PIP)
