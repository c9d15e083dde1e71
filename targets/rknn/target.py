"""The targets of Rockchip's NPUs: what the rest of the system sees of this package."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import onnx
from onnx import ModelProto

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import NpuEstimate, ProfileRow
from ghostface_edge.targets.computed import computed_tensors, require_computed
from ghostface_edge.targets.environment import Environment
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.places.inside import open_inside
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
from ghostface_edge.targets.rknn.model import (
    Compiled,
    Settings,
    as_built,
    beside,
    cut,
    ranges_from,
    read_model,
    steps,
    write,
)
from ghostface_edge.targets.rknn.toolkit import Toolkit

RKNN: Final = Environment(
    name="rknn",
    python="3.11",
    requirements=(
        "rknn-toolkit2==2.5.0",
        "fast-histogram==0.14",
        "numpy==1.26.4",
        "onnx==1.18.0",
        "onnxruntime==1.23.2",
        "opencv-python-headless==4.11.0.86",
        "protobuf==4.25.4",
        "psutil==7.2.2",
        "ruamel.yaml==0.19.1",
        "scipy==1.17.0",
        "tqdm==4.70.1",
        "typing_extensions==4.16.0",
    ),
    imports=("ghostface_edge.targets.rknn.vendor",),
    modules=("targets.rknn.toolkit", "targets.rknn.vendor"),
    download_mb=177,
    installed_mb=593,
)
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
        return (artifact, beside(artifact))

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        """Build a float32 ONNX model in FP16.

        Raises:
            InputError: another precision asked for, or not an ONNX file.
            ToolError: the toolkit does not take it.
        """
        if precision is Precision.INT8 or (precision, "") not in self.methods:
            raise InputError(f"{self.name} converts to fp16 where its NPU has it, not to {precision}", fix=_INT8)
        _write(*as_built(read_onnx(model), self._platform), artifact)

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        """Quantize with the toolkit's defaults, by the ranges that it finds for the faces.

        Raises:
            ToolError: the toolkit does not take it.
        """
        network, settings = as_built(read_onnx(model), self._platform)
        with _saved(network) as path, open_inside(RKNN, Toolkit, settings.model_dump_json()) as there:
            ranges = ranges_from(there.calibrate(path, faces))
        _write(network, settings.model_copy(update={"ranges": ranges}), artifact)

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """Build a QDQ model: INT8 wherever it is, by its own ranges and integers.

        Raises:
            InputError: an input other than the camera's bytes.
            ToolError: the toolkit does not take it.
        """
        require_input(self.name, self.input_types, input_type)
        _write(*as_built(read_onnx(qdq_model), self._platform), artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Build again what the file was built from, and start the simulator on it."""
        self.require()
        _, compiled = read_model(artifact)
        given = (compiled.settings.model_dump_json(),)
        return Elsewhere(RKNN, Toolkit, given, beside(artifact).resolve(), threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: the simulator's time says nothing of an NPU's."""
        return ()

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read what lies beside: the interface, and the compiler's table of layers."""
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
            estimate=_estimate(compiled, artifact),
        )

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """What the model beside it computes, each tensor once, whatever grids it goes through."""
        network, _ = read_model(artifact)
        return computed_tensors(network.graph.input[0].name, steps(network))

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """Build the model beside it up to one of its tensors."""
        network, compiled = read_model(artifact)
        require_computed(tensor, self.tensors(artifact))
        _write(cut(network, tensor), compiled.settings, out)


rk3588 = partial(RknnTarget, "rk3588", ((Precision.FP16, ""), *_INTEGERS))
rk3566 = partial(RknnTarget, "rk3566", ((Precision.FP16, ""), *_INTEGERS))
rv1106 = partial(RknnTarget, "rv1106", _INTEGERS)


def _estimate(compiled: Compiled, artifact: Path) -> NpuEstimate:
    """What the compiler expects; it knows cycles, not the clock."""
    layers, cycles = compiled.layers, sum(layer.cycles for layer in compiled.layers)
    on_npu = sum(layer.place == "NPU" for layer in layers)
    return NpuEstimate(
        accelerator=compiled.settings.platform.upper(),
        tool=f"rknn-toolkit2 {RKNN.versions['rknn-toolkit2']}",
        cycles=cycles,
        sram_kib=compiled.internal_kib,
        flash_kib=compiled.weights_kib,
        macs_per_cycle=sum(layer.macs for layer in layers) / max(cycles, 1),
        npu_operators=on_npu,
        cpu_operators=len(layers) - on_npu,
        not_int8=tuple(f"{layer.name} ({layer.precision})" for layer in layers if layer.precision != Precision.INT8),
        output_in_input=False,
        path=artifact.name,
    )


def _write(network: ModelProto, settings: Settings, artifact: Path) -> None:
    with _saved(network) as path, open_inside(RKNN, Toolkit, settings.model_dump_json()) as there:
        said = there.compile(path, artifact.resolve())
    write(network, settings, said, artifact)


@contextmanager
def _saved(network: ModelProto) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(network, path)
        yield path
