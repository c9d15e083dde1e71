"""The folder of runners: sources as they ship with this package, golden faces, and a folder of figures per variant.

In: what variants compute for the golden faces, and their thresholds. Out: `golden/` and a folder per runtime, whose
files read nothing else than these and the run's models.
"""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.write import write_bytes, write_text
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.runners.golden import Golden, tolerance
from ghostface_edge.targets.runners.golden_text import faces_source, golden_source, thresholds_header
from ghostface_edge.targets.runners.thresholds import Thresholds
from ghostface_edge.targets.table import VariantId

_MICRO: Final = "tflite-micro"
PROGRAMS: Final = MappingProxyType(
    {
        "c": ("common", "c"),
        "tflite": ("python",),
        "onnxruntime": ("common", "onnxruntime-c", "python"),
        "openvino": ("common", "openvino-cpp", "python"),
        _MICRO: ("common", _MICRO),
    }
)
"""Runtimes that there are runners for, and the folders of these."""


@dataclass(frozen=True, slots=True)
class Run:
    """A variant that runners can run."""

    variant: VariantId
    model: Path
    golden: Golden
    thresholds: Thresholds


def has_runner(variant: VariantId, model: Path) -> bool:
    """Whether there is a program for a model."""
    if variant.runtime != _MICRO:
        return variant.runtime in PROGRAMS
    from ghostface_edge.targets.tflite_micro.runner import takes_bytes

    return takes_bytes(model)


def write_runners(folder: Path, faces: Faces, runs: Iterable[Run]) -> tuple[Path, ...]:
    """Fill the folder anew.

    Args:
        folder: for the runners.
        faces: golden ones, RGB uint8 (8, 112, 112, 3).
        runs: the variants.

    Returns:
        Every file in it.
    """
    runs = tuple(runs)
    shutil.rmtree(folder, ignore_errors=True)
    names = {name for run in runs for name in PROGRAMS[run.variant.runtime]}
    with as_file(files(__package__) / "sources") as sources:
        for name in (*sorted(names), "README.md"):
            for source in sorted((sources / name).rglob("*")) or [sources / name]:
                if source.is_file() and source.suffix != ".pyc":
                    write_bytes(folder / source.relative_to(sources), source.read_bytes())
    _write_faces(folder / "golden", faces)
    for run in runs:
        _write_run(folder, run)
        if run.variant.runtime == _MICRO:
            _write_micro(folder / _MICRO, run.model)
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))


def _write_micro(folder: Path, model: Path) -> None:
    from ghostface_edge.targets.tflite_micro.runner import write_runner

    folder.mkdir()
    write_runner(folder, model, model.stem)


def _write_faces(folder: Path, faces: Faces) -> None:
    write_text(folder / "golden_faces.c", faces_source(faces))
    _write_array(folder / "faces.npy", faces)
    for number, face in enumerate(faces):
        write_bytes(folder / f"face-{number}.ppm", b"P6\n112 112\n255\n" + face.tobytes())


def _write_run(runners: Path, run: Run) -> None:
    golden, folder = run.golden, runners / "golden" / str(run.variant)
    model = Path(os.path.relpath(run.model, runners)).as_posix()
    layer_files = [_copy_layer(layer.file, folder, runners) for layer in golden.layers]
    source = golden_source(str(run.variant), model, tolerance(run.variant), golden, layer_files)
    write_text(folder / "golden.c", source)
    write_text(folder / "thresholds.h", thresholds_header(run.thresholds))
    _write_array(folder / "embeddings.npy", golden.embeddings)
    for layer in golden.layers:
        if layer.file is not None:
            _write_array(folder / f"{layer.file.stem}.npy", layer.values)
    about = {
        "variant": str(run.variant),
        "runtime": run.variant.runtime,
        "model": model,
        "tolerance": tolerance(run.variant),
        "inputs": _write_inputs(runners, golden.inputs),
        "layers": [{"name": layer.name, "file": file} for layer, file in zip(golden.layers, layer_files, strict=True)],
        "thresholds": [asdict(each) for each in run.thresholds.all],
        "threshold": asdict(run.thresholds.chosen) if run.thresholds.chosen else None,
    }
    write_text(folder / "golden.json", json.dumps(about, indent=2) + "\n")


def _write_inputs(runners: Path, inputs: NDArray[Any]) -> str:
    """What networks are given, once for all that are given the same; returns its name."""
    layout = "nchw" if inputs.shape[1] == 3 else "nhwc"
    digest = hashlib.sha256(inputs.tobytes()).hexdigest()[:8]
    path = runners / "golden" / f"inputs-{inputs.dtype}-{layout}-{digest}.npy"
    _write_array(path, inputs)
    return path.relative_to(runners).as_posix()


def _copy_layer(model: Path | None, folder: Path, runners: Path) -> str:
    """Copy a layer's model with the weights beside it; returns its name, empty where there is none."""
    if model is None:
        return ""
    for file in (model, model.with_suffix(".bin")):
        if file.is_file():
            write_bytes(folder / file.name, file.read_bytes())
    return (folder / model.name).relative_to(runners).as_posix()


def _write_array(path: Path, array: NDArray[Any]) -> None:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_bytes(path, content.getvalue())
