"""The targets of Rockchip's NPUs: what the rest of the system sees of this package."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.computed import computed_tensors, require_computed
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.protocol import (
    STOCK,
    ArtifactInfo,
    ComputedTensor,
    Embedder,
    Faces,
    InputType,
    Layout,
    Method,
    Precision,
)
from ghostface_edge.targets.requirements import require_input
from ghostface_edge.targets.rknn.environment import RKNN
from ghostface_edge.targets.rknn.toolkit import Toolkit

_INT8: Final = "name its int8 or int8-stock"
_INTEGERS: Final[tuple[Method, ...]] = ((Precision.INT8, ""), (Precision.INT8, STOCK))


class RknnTarget:
    """`.rknn` for one platform, run on the vendor's simulator; the model it was built from lies beside it.

    Args:
        platform: as the toolkit calls it.
        methods: what its NPU has.
    """

    layout = Layout.NHWC
    extension = ".rknn"
    packages = ("rknn-toolkit2",)
    input_types = (InputType.UINT8,)
    reads_onnx = False
    is_timed = False
    uses_threads = False
    is_firmware = False
    float_fallback: str | None = None

    def __init__(self, platform: str, methods: tuple[Method, ...]) -> None:
        self.name, self.methods, self._platform = f"rknn-{platform}", methods, platform

    def require(self) -> None:
        """Raise RuntimeMissingError unless the toolkit's environment is there."""
        RKNN.require()

    def files(self, artifact: Path) -> tuple[Path, ...]:
        """`.rknn`, and what the simulator builds from."""
        return (artifact, artifact.with_suffix(".onnx"))

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        """Build a float32 ONNX model in FP16.

        Raises:
            InputError: another precision asked for, or not an ONNX file.
            ToolError: the toolkit does not take it.
        """
        if precision is Precision.INT8 or (precision, "") not in self.methods:
            raise InputError(f"{self.name} converts to fp16 where its NPU has it, not to {precision}", fix=_INT8)
        self.require()
        from ghostface_edge.targets.rknn.building import build
        from ghostface_edge.targets.rknn.model import as_built

        build(*as_built(model, self._platform), artifact)

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        """Quantize with the toolkit's defaults, by the ranges that it finds for the faces.

        Raises:
            ToolError: the toolkit does not take it.
        """
        self.require()
        from ghostface_edge.targets.rknn.building import build, calibrated
        from ghostface_edge.targets.rknn.model import as_built

        network, settings = as_built(model, self._platform)
        build(network, calibrated(network, settings, faces), artifact)

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """Build a QDQ model: INT8 wherever it is, by its own ranges and integers.

        Raises:
            InputError: an input other than the camera's bytes.
            ToolError: the toolkit does not take it.
        """
        require_input(self.name, self.input_types, input_type)
        self.require()
        from ghostface_edge.targets.rknn.building import build
        from ghostface_edge.targets.rknn.model import as_built

        build(*as_built(qdq_model, self._platform), artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Build again what the file was built from, and start the simulator on it."""
        self.require()
        from ghostface_edge.targets.rknn.model import beside, read_model

        _, compiled = read_model(artifact)
        given = (compiled.settings.model_dump_json(),)
        return Elsewhere(RKNN, Toolkit, given, beside(artifact).resolve(), threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: the simulator's time says nothing of an NPU's."""
        return ()

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read what lies beside: the interface, and the compiler's table of layers."""
        from ghostface_edge.targets.rknn.building import estimate
        from ghostface_edge.targets.rknn.model import read_model

        network, compiled = read_model(artifact)
        macs: Counter[str] = Counter()
        for layer in compiled.layers:
            macs[layer.precision] += layer.macs
        side = compiled.settings.side
        return ArtifactInfo(
            layout=self.layout,
            input_name=network.graph.input[0].name,
            input_shape=(1, side, side, 3),
            input_dtype=InputType.UINT8,
            input_scale=None,
            input_zero_point=None,
            operators=dict(sorted(Counter(layer.operator for layer in compiled.layers).items())),
            macs_by_precision={precision: count for precision, count in macs.items() if count},
            constants_bytes=artifact.stat().st_size,
            estimate=estimate(compiled, artifact),
        )

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """What the model beside it computes, each tensor once, whatever grids it goes through."""
        from ghostface_edge.targets.rknn.model import read_model, steps

        network, _ = read_model(artifact)
        return computed_tensors(network.graph.input[0].name, steps(network))

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """Build the model beside it up to one of its tensors."""
        from ghostface_edge.targets.rknn.building import build
        from ghostface_edge.targets.rknn.model import cut, read_model

        network, compiled = read_model(artifact)
        require_computed(tensor, self.tensors(artifact))
        build(cut(network, tensor), compiled.settings, out)


rk3588 = partial(RknnTarget, "rk3588", ((Precision.FP16, ""), *_INTEGERS))
rk3566 = partial(RknnTarget, "rk3566", ((Precision.FP16, ""), *_INTEGERS))
rv1106 = partial(RknnTarget, "rv1106", _INTEGERS)
