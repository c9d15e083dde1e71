"""ONNX Runtime Web: WebAssembly in a browser, and here in Node, in an environment of its own.

Its files are ONNX Runtime's own, but as the network was prepared or quantized: what makes ONNX Runtime fast on a CPU,
blocks of 16 channels and integer operators, makes WebAssembly slow (docs/web.md).
"""

from pathlib import Path
from typing import Final

from ghostface_edge.calibration.preprocessing import MEAN, SCALE
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.environment import NodeEnvironment
from ghostface_edge.targets.onnxruntime.target import OnnxruntimeTarget
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.places.inference import Inference
from ghostface_edge.targets.protocol import Embedder, InputType, Precision
from ghostface_edge.targets.requirements import require_input

WEB: Final = NodeEnvironment(
    name="web",
    node=18,
    requirements=(
        "onnxruntime-web==1.30.0",
        "@protobufjs/aspromise==1.1.2",
        "@protobufjs/base64==1.1.2",
        "@protobufjs/codegen==2.0.5",
        "@protobufjs/eventemitter==1.1.1",
        "@protobufjs/fetch==1.1.1",
        "@protobufjs/float==1.0.2",
        "@protobufjs/path==1.1.2",
        "@protobufjs/pool==1.1.0",
        "@protobufjs/utf8==1.1.2",
        "@types/node==26.6.7",
        "flatbuffers==25.9.23",
        "guid-typescript==1.0.9",
        "long==5.3.2",
        "onnxruntime-common==1.30.0",
        "platform==1.3.6",
        "protobufjs==7.6.6",
        "undici-types==8.9.0",
    ),
    imports=("onnxruntime-web",),
    far_side="ghostface_edge.targets.web:sources/far_side.mjs",
    download_mb=35,
    installed_mb=150,
)


class WebInference(Inference):
    """What `sources/far_side.mjs` serves.

    Args:
        mean: of a byte, that is taken off it.
        scale: that it is divided by then.
    """

    def __init__(self, mean: float, scale: float) -> None:
        raise NotImplementedError(f"Node serves this: (byte - {mean}) / {scale}")


class WebTarget(OnnxruntimeTarget):
    """What `onnxruntime` reads, as WebAssembly runs it best."""

    name = "web"
    packages = ("onnxruntime-web", *OnnxruntimeTarget.packages)
    reads_onnx = False

    def require(self) -> None:
        """Raise RuntimeMissingError unless that environment and Node are there."""
        super().require()
        WEB.require()

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        """Keep a float32 ONNX model; FP16 stores its weights in half precision."""
        from ghostface_edge.targets import onnx_graph
        from ghostface_edge.targets.onnx_file import read_onnx

        kept = read_onnx(model)
        onnx_graph.save(onnx_graph.halve_weights(kept) if precision is Precision.FP16 else kept, artifact)

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """Keep a QDQ model."""
        require_input(self.name, self.input_types, input_type)
        from ghostface_edge.targets import onnx_graph
        from ghostface_edge.targets.onnx_file import read_onnx

        onnx_graph.save(read_onnx(qdq_model), artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Load it in Node."""
        return Elsewhere(WEB, WebInference, (MEAN, SCALE), artifact, threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: its profiler writes to the console of a browser."""
        return ()
