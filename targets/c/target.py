"""The target of plain C: what the rest of the system sees of this package.

An artifact is three files: the `.c`, which stands alone, the `.h`, and the `.tflite` that both were generated from and
whose output they give to the byte. Only C that this version generates of that `.tflite` is ever compiled here, so a
stranger's `.c` is refused and never run.
"""

import tempfile
from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.c.compiler import HOST, LIBRARY, compile_c, find_compiler
from ghostface_edge.targets.protocol import ArtifactInfo, ComputedTensor, Embedder, Faces, InputType, Layout, Precision
from ghostface_edge.targets.requirements import require_input, require_modules
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.kernel_set import KernelSet


class CTarget:
    """The network as dependency-free C99, compiled by the system's compiler."""

    name = "c"
    layout = Layout.NHWC
    extension = ".c"
    packages = ("ai-edge-litert", "flatbuffers")
    input_types = (InputType.UINT8,)
    methods = ((Precision.INT8, ""),)
    reads_onnx = False
    is_timed = True
    uses_threads = False
    is_firmware = False
    float_fallback: str | None = None

    def require(self) -> None:
        """Raise RuntimeMissingError unless LiteRT's schema and a C compiler are there."""
        require_modules("tflite", "ai_edge_litert")
        find_compiler()

    def files(self, artifact: Path) -> tuple[Path, ...]:
        """The `.c`, its header, and the `.tflite` it equals."""
        return (artifact, artifact.with_suffix(".h"), origin_of(artifact))

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:  # noqa: ARG002 - the protocol's
        """There is no C in floating point.

        Raises:
            InputError: always.
        """
        raise InputError(f"C is written for int8, not {precision}", fix="name c-int8")

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:  # noqa: ARG002 - the protocol's
        """C has no quantizer.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self.name} has no quantizer of its own", fix="name tflite-int8-stock")

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """Lower a QDQ model for portable kernels, and write that as C.

        Raises:
            InputError: an input other than the camera's bytes.
            ToolError: an operator that C is not written for.
        """
        require_input(self.name, self.input_types, input_type)
        origin = origin_of(artifact)
        TfliteTarget().lower_quantized(qdq_model, origin, InputType.INT8, kernels=KernelSet.PORTABLE)
        self._write(artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:  # noqa: ARG002 - one at a time
        """Compile for this machine, and load that.

        Raises:
            InputError: it is not what this version generates.
            RuntimeMissingError: no compiler.
            ToolError: the compiler failed.
        """
        self.require()
        from ghostface_edge.targets.c.embedder import CEmbedder
        from ghostface_edge.targets.c.generate import generate

        generated = generate(origin_of(artifact))
        generated.require_same(artifact)
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "model.so"
            compile_c(find_compiler(), [artifact], [*HOST, *LIBRARY], library)
            return CEmbedder(library, output=generated.output)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Time every layer, by a clock that is read as each of them ends."""
        self.require()
        from ghostface_edge.targets.c.generate import generate
        from ghostface_edge.targets.c.profiling import time_layers

        generated = generate(origin_of(artifact))
        generated.require_same(artifact)
        return time_layers(artifact, generated)

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read the `.tflite`'s operators, and the interface of the C."""
        from ghostface_edge.targets.c.generate import describe

        return describe(origin_of(artifact))

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """See `TfliteTarget.tensors`."""
        return TfliteTarget().tensors(origin_of(artifact))

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """See `TfliteTarget.cut`."""
        TfliteTarget().cut(origin_of(artifact), tensor, origin_of(out))
        self._write(out)

    def _write(self, artifact: Path) -> None:
        from ghostface_edge.targets.c.generate import generate

        source = generate(origin_of(artifact)).source
        artifact.write_text(source.c)
        artifact.with_suffix(".h").write_text(source.h)


def origin_of(artifact: Path) -> Path:
    """The `.tflite` that a `.c` was generated from."""
    return artifact.with_suffix(".tflite")
