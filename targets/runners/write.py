"""The folder of runners: sources as they ship with this package, golden faces, and a folder of figures per variant.

In: what variants compute for the golden faces, and their thresholds. Out: `golden/` and a folder per runtime, whose
files read nothing else than these and the run's models.
"""

import hashlib
import io
import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.write import write_bytes
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.runners.golden import Golden, GoldenLayer, tolerance
from ghostface_edge.targets.runners.golden_text import faces_source, golden_source, thresholds_header
from ghostface_edge.targets.runners.thresholds import Thresholds
from ghostface_edge.targets.table import VariantId

_MICRO: Final = "tflite-micro"
_WEB: Final = "web"
PROGRAMS: Final = MappingProxyType(
    {
        "c": ("common", "c"),
        "tflite": ("python",),
        "onnxruntime": ("common", "onnxruntime-c", "python"),
        "openvino": ("common", "openvino-cpp", "python"),
        _MICRO: ("common",),
        _WEB: ("web",),
    }
)
"""Runtimes that there are runners for, and the folders of these; of TensorFlow Lite Micro beside its own."""
_PPM: Final = b"P6\n112 112\n255\n"


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
    """Write the folder, each file at once; what else lies in it, such as a user's build, stays.

    Args:
        folder: for the runners.
        faces: golden ones, RGB uint8 (8, 112, 112, 3).
        runs: the variants.

    Returns:
        Every file.
    """
    runs = tuple(runs)
    content = _sources({name for run in runs for name in PROGRAMS[run.variant.runtime]}) | _faces(faces)
    for run in runs:
        content |= _figures(run, folder)
        if run.variant.runtime == _MICRO:
            content |= _micro(run.model)
    content |= _page([run for run in runs if run.variant.runtime == _WEB], faces)
    for name, data in content.items():
        write_bytes(folder / name, data)
    return tuple(folder / name for name in sorted(content))


def _sources(folders: Collection[str]) -> dict[str, bytes]:
    """Files by name: of the folders, and what to read first."""
    with as_file(files(__package__) / "sources") as sources:
        paths = [sources / "README.md", *(path for name in folders for path in (sources / name).iterdir())]
        return {path.relative_to(sources).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def _micro(model: Path) -> dict[str, bytes]:
    from ghostface_edge.targets.tflite_micro.runner import runner_sources

    return {f"{_MICRO}/{name}": text.encode() for name, text in runner_sources(model, model.stem).items()}


def _page(runs: Sequence[Run], faces: Faces) -> dict[str, bytes]:
    """A page for all of them; a server gives a browser what lies in its folder and no more."""
    if not runs:
        return {}
    from ghostface_edge.targets.web.page import page_files

    models = {str(run.variant): run.model for run in runs}
    embeddings = {str(run.variant): run.golden.embeddings for run in runs}
    return {f"{_WEB}/{name}": data for name, data in page_files(models, embeddings, faces).items()}


def _faces(faces: Faces) -> dict[str, bytes]:
    images = {f"golden/face-{number}.ppm": _PPM + face.tobytes() for number, face in enumerate(faces)}
    return {"golden/golden_faces.c": faces_source(faces).encode(), "golden/faces.npy": _npy(faces), **images}


def _figures(run: Run, runners: Path) -> dict[str, bytes]:
    """What the variant computes, and where its faces decide."""
    golden, folder = run.golden, f"golden/{run.variant}"
    model = Path(os.path.relpath(run.model, runners)).as_posix()
    inputs = _inputs_name(golden.inputs)
    layer_files = ["" if layer.file is None else f"{folder}/{layer.file.name}" for layer in golden.layers]
    about = {
        "variant": str(run.variant),
        "runtime": run.variant.runtime,
        "model": model,
        "tolerance": tolerance(run.variant),
        "inputs": inputs,
        "layers": [{"name": layer.name, "file": file} for layer, file in zip(golden.layers, layer_files, strict=True)],
        "thresholds": [asdict(each) for each in run.thresholds.all],
        "threshold": asdict(run.thresholds.chosen) if run.thresholds.chosen else None,
    }
    source = golden_source(str(run.variant), model, tolerance(run.variant), golden, layer_files)
    return {
        inputs: _npy(golden.inputs),
        f"{folder}/golden.c": source.encode(),
        f"{folder}/golden.json": (json.dumps(about, indent=2) + "\n").encode(),
        f"{folder}/thresholds.h": thresholds_header(run.thresholds).encode(),
        f"{folder}/embeddings.npy": _npy(golden.embeddings),
        **{name: data for layer in golden.layers for name, data in _layer(layer, folder).items()},
    }


def _layer(layer: GoldenLayer, folder: str) -> dict[str, bytes]:
    """A tensor and the model that ends there, with the weights beside it; nothing where the network tells of itself."""
    if layer.file is None:
        return {}
    model = [file for file in (layer.file, layer.file.with_suffix(".bin")) if file.is_file()]
    return {f"{folder}/{layer.file.stem}.npy": _npy(layer.values)} | {
        f"{folder}/{file.name}": file.read_bytes() for file in model
    }


def _inputs_name(inputs: NDArray[Any]) -> str:
    """One for all variants that are given the same."""
    layout = "nchw" if inputs.shape[1] == 3 else "nhwc"
    return f"golden/inputs-{inputs.dtype}-{layout}-{hashlib.sha256(inputs.tobytes()).hexdigest()[:8]}.npy"


def _npy(array: NDArray[Any]) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()
