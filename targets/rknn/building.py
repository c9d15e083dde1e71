"""Builds in the toolkit's environment: a network to a `.rknn` with what lies beside it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnx import ModelProto

from ghostface_edge.reports.evidence import NpuEstimate
from ghostface_edge.targets.places.inside import open_inside
from ghostface_edge.targets.protocol import Faces, Precision
from ghostface_edge.targets.rknn.environment import RKNN
from ghostface_edge.targets.rknn.model import Compiled, Settings, ranges_from, write
from ghostface_edge.targets.rknn.toolkit import Toolkit


def calibrated(network: ModelProto, settings: Settings, faces: Faces) -> Settings:
    """With the ranges that the toolkit finds by its defaults."""
    with _saved(network) as path, open_inside(RKNN, Toolkit, settings.model_dump_json()) as there:
        return settings.model_copy(update={"ranges": ranges_from(there.calibrate(path, faces))})


def build(network: ModelProto, settings: Settings, artifact: Path) -> None:
    """Write the `.rknn`, and what lies beside it.

    Raises:
        ToolError: the toolkit does not take it.
    """
    with _saved(network) as path, open_inside(RKNN, Toolkit, settings.model_dump_json()) as there:
        said = there.compile(path, artifact.resolve())
    write(network, settings, said, artifact)


def estimate(compiled: Compiled, artifact: Path) -> NpuEstimate:
    """What the compiler expects; it knows cycles, not the clock."""
    layers, cycles = compiled.layers, sum(layer.cycles for layer in compiled.layers)
    is_int8 = any(layer.precision == Precision.INT8 for layer in layers)
    others = [layer for layer in layers if is_int8 and layer.precision != Precision.INT8]
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
        not_int8=tuple(f"{layer.name} ({layer.precision})" for layer in others),
        output_in_input=False,
        path=artifact.name,
    )


@contextmanager
def _saved(network: ModelProto) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(network, path)
        yield path
