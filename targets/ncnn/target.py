"""The ncnn target: what the rest of the system sees of this package."""

import tempfile
from collections import Counter
from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.computed import computed_tensors, require_computed
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


class NcnnTarget:
    """`.param` with the weights in a `.bin` beside it, on the CPU."""

    name = "ncnn"
    layout = Layout.NCHW
    extension = ".param"
    packages = ("ncnn",)
    input_types = (InputType.FLOAT32,)
    methods = EVERY_METHOD
    reads_onnx = False
    is_timed = True
    uses_threads = True
    is_firmware = False
    float_fallback: str | None = "float32"

    def require(self) -> None:
        """Raise RuntimeMissingError unless ncnn is installed."""
        require_modules("ncnn", "ncnn")

    def files(self, artifact: Path) -> tuple[Path, ...]:
        """`.param` and `.bin`."""
        return (artifact, artifact.with_suffix(".bin"))

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        """Lower a float32 ONNX model; FP16 stores convolution weights as float16.

        Raises:
            InputError: INT8 asked for, or not an ONNX file.
            ToolError: an operator that has no rule.
        """
        if precision is Precision.INT8:
            raise InputError("convert writes fp32 and fp16, not int8", fix="use quantize_stock or lower_quantized")
        from ghostface_edge.targets.ncnn.lowering import lower

        lower(model, half_weights=precision is Precision.FP16).write(artifact)

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        """What ncnn's own tools would make with their defaults; see `ncnn.stock`."""
        self.require()
        from ghostface_edge.targets.ncnn.embedder import NcnnEmbedder
        from ghostface_edge.targets.ncnn.lowering import lower
        from ghostface_edge.targets.ncnn.stock import Histograms

        histograms = Histograms(lower(model))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "float.param"
            histograms.model.write(path)
            embedder = NcnnEmbedder(path, 1, 1)
            for take in (histograms.see, histograms.count):
                for face in faces:
                    for name, values in embedder.blobs(embedder.prepare(face[None]), histograms.read).items():
                        take(name, values)
        histograms.quantize().write(artifact)

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """Lower a QDQ model: convolutions in INT8 with its weights and its grids, float in between.

        Raises:
            InputError: an input other than float32.
            ToolError: an operator that has no rule.
        """
        require_input(self.name, self.input_types, input_type)
        from ghostface_edge.targets.ncnn.lowering import lower

        lower(qdq_model).write(artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Load a model that this project wrote."""
        self.require()
        from ghostface_edge.targets.ncnn.embedder import NcnnEmbedder
        from ghostface_edge.targets.ncnn.model import read_model

        read_model(artifact)
        return NcnnEmbedder(artifact, threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: the wheel is built without ncnn's benchmark of layers."""
        return ()

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read an artifact's interface, layers and multiply-accumulates."""
        from ghostface_edge.targets.ncnn.model import read_model

        model = read_model(artifact)
        entry = model.layers[0].output
        return ArtifactInfo(
            layout=self.layout,
            input_name=entry,
            input_shape=(1, *model.shapes()[entry]),
            input_dtype="float32",
            input_scale=None,
            input_zero_point=None,
            operators=dict(sorted(Counter(layer.kind for layer in model.layers).items())),
            macs_by_precision=model.macs(),
        )

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """What an artifact computes."""
        from ghostface_edge.targets.ncnn.model import read_model

        entry, *layers = read_model(artifact).layers
        return computed_tensors(entry.output, [layer.step for layer in layers])

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """Write the same layers up to one of its blobs."""
        from ghostface_edge.targets.ncnn.model import read_model

        require_computed(tensor, self.tensors(artifact))
        read_model(artifact).cut(tensor).write(out)
