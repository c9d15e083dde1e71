"""The target of microcontrollers: what the rest of the system sees of this package."""

from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.protocol import ArtifactInfo, ComputedTensor, Embedder, Faces, InputType, Layout, Precision
from ghostface_edge.targets.requirements import require_modules
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.kernel_set import KernelSet


class TfliteMicroTarget:
    """TensorFlow Lite for Microcontrollers with its reference kernels, on the host: batch 1, one thread."""

    name = "tflite-micro"
    layout = Layout.NHWC
    extension = ".tflite"
    packages = ("tflite-micro", "ai-edge-litert", "flatbuffers")
    input_types = (InputType.INT8, InputType.UINT8, InputType.FLOAT32)
    methods = ((Precision.FP32, ""), (Precision.INT8, ""))
    reads_onnx = False
    is_timed = False
    uses_threads = False
    is_firmware = True
    float_fallback: str | None = None

    def require(self) -> None:
        """Raise RuntimeMissingError unless the interpreter and LiteRT's schema are installed."""
        require_modules("micro", "tflite_micro", "ai_edge_litert")

    def files(self, artifact: Path) -> tuple[Path, ...]:
        """A `.tflite` is one file; what firmware needs beside it is a stage of its own."""
        return (artifact,)

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        """Lower a float32 ONNX model to NHWC and batch 1.

        Raises:
            InputError: another precision asked for, or not an ONNX file.
            ToolError: an operator that TFLite cannot express.
        """
        if precision is not Precision.FP32:
            raise InputError(
                f"TensorFlow Lite Micro runs fp32 and int8, not {precision}", fix="name tflite-micro-fp32 or -int8"
            )
        self.require()
        from ghostface_edge.targets.tflite.flatbuffer import serialize
        from ghostface_edge.targets.tflite.lowering import lower

        subgraph = lower(model)
        subgraph.batch_is_dynamic = False
        artifact.write_bytes(serialize(subgraph))

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """Lower a QDQ model with the portable kernels; see `TfliteTarget.lower_quantized`."""
        self.require()
        TfliteTarget().lower_quantized(qdq_model, artifact, input_type, kernels=KernelSet.PORTABLE)

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:  # noqa: ARG002 - the protocol's
        """TensorFlow Lite Micro has no quantizer.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self.name} has no quantizer of its own", fix="name tflite-int8-stock")

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:  # noqa: ARG002 - one at a time
        """Start an artifact in the interpreter, which takes one face at a time on one thread."""
        self.require()
        from ghostface_edge.targets.tflite_micro.interpreter import MicroEmbedder

        return MicroEmbedder(artifact)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: the Python package has no profiler, and time on a host says little of a microcontroller's."""
        return ()

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read an artifact's interface, operators and multiply-accumulates."""
        return TfliteTarget().inspect(artifact)

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """See `TfliteTarget.tensors`."""
        return TfliteTarget().tensors(artifact)

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """See `TfliteTarget.cut`."""
        TfliteTarget().cut(artifact, tensor, out)
