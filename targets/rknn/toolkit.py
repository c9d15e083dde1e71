"""rknn-toolkit2 in its own environment: calibrates, compiles, simulates. Python 3.9 and NumPy.

Its simulator runs what the same process has built, never a `.rknn` that was loaded. So whoever wants to infer builds
again from the ONNX model and the settings that the file came from.
"""

import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ghostface_edge.calibration.preprocessing import SCALE, require_shape
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.places.inference import Inference
from ghostface_edge.targets.places.wire import Array

_MODEL, _FOUND, _RANGES = "model.onnx", "model.quantization.cfg", "quantize_parameters"
_SETTABLE = ("min", "max")
_FIX = "see the log; the network has to be one that `ghostface-edge export` writes"


class Toolkit(Inference):
    """One model, built for one platform.

    Args:
        settings: `model.Settings` as JSON. Where it has ranges the toolkit quantizes by them; else what the model's own
            QuantizeLinear do not quantize is FP16.
    """

    def __init__(self, settings: str) -> None:
        super().__init__(self._simulate)
        self._settings = json.loads(settings)
        self._folder = tempfile.TemporaryDirectory()
        os.chdir(self._folder.name)  # the toolkit writes into the folder where it is

    def calibrate(self, model: Path, faces: Array) -> str:
        """Let the toolkit find ranges by its defaults; returns them as JSON, by tensor.

        Args:
            model: float32 ONNX.
            faces: uint8 (N, S, S, 3).
        """
        found = self._ranges(self._loaded_model(model), faces)
        return json.dumps({name: {part: each[part] for part in _SETTABLE} for name, each in found.items()})

    def compile(self, model: Path, artifact: Path) -> str:
        """Write the `.rknn`; returns what the compiler said of its layers."""
        with _printed() as said:
            _do(self._built(model).export_rknn, str(artifact))
        return said[0]

    def _simulate(self, model: Path, threads: int, batch: int) -> "Simulated":  # noqa: ARG002 - one face at a time
        built = self._built(model)
        _do(built.init_runtime)
        return Simulated(built, self._settings["side"])

    def _loaded_model(self, model: Path) -> Any:
        shutil.copyfile(model, _MODEL)
        toolkit, pixels = _new(), self._settings
        _do(
            toolkit.config,
            mean_values=[[pixels["mean"]] * 3],
            std_values=[[SCALE] * 3],
            target_platform=pixels["platform"],
            disable_rules=pixels["disable_rules"],
        )
        _do(toolkit.load_onnx, _MODEL)
        return toolkit

    def _ranges(self, toolkit: Any, faces: Array) -> dict[str, Any]:
        for number, face in enumerate(faces):
            np.save(f"{number}.npy", face[None].transpose(0, 3, 1, 2))
        Path("faces.txt").write_text("\n".join(f"{number}.npy" for number in range(len(faces))))
        _do(toolkit.hybrid_quantization_step1, dataset="faces.txt")
        found: dict[str, Any] = _read_yaml(_FOUND)[_RANGES]
        return found

    def _built(self, model: Path) -> Any:
        toolkit, ranges = self._loaded_model(model), self._settings["ranges"]
        if ranges is None:
            _do(toolkit.build, do_quantization=False)
            return toolkit
        side = self._settings["side"]
        known = self._ranges(toolkit, np.zeros((1, side, side, 3), np.uint8))  # whose ranges are replaced
        for name in known.keys() & ranges.keys():
            known[name].update(ranges[name])
        Path(_FOUND).write_text(json.dumps({"custom_quantize_layers": {}, _RANGES: known}))
        toolkit = _new()  # the second step takes none that has loaded a model
        _do(toolkit.hybrid_quantization_step2, "model.model", "model.data", _FOUND)
        return toolkit


class Simulated:
    """What the simulator runs, face by face."""

    def __init__(self, toolkit: Any, side: int) -> None:
        self._toolkit, self._side = toolkit, side

    def prepare(self, faces: Array) -> Array:
        """The camera's bytes as they are: mean and scale are in the model."""
        require_shape(faces.shape, (None, self._side, self._side, 3))
        return faces

    def run(self, inputs: Array) -> Array:
        """Infer once for each face."""
        return self.infer(inputs).reshape(len(inputs), -1).astype(np.float32, copy=False)

    def infer(self, inputs: Array) -> Array:
        """Infer once for each face; the output as it is."""
        return np.concatenate([self._toolkit.inference([face[None]], data_format=["nhwc"])[0] for face in inputs])


def _new() -> Any:
    from ghostface_edge.targets.rknn.vendor import RKNN

    return RKNN(verbose=True)


def _do(step: Callable[..., int], *given: Any, **named: Any) -> None:
    """One of the toolkit's steps; it says why it fails in the last line of what it raises."""
    try:
        result = step(*given, **named)
    except Exception as problem:
        said = [line for line in str(problem).splitlines() if line.strip()] or [type(problem).__name__]
        raise ToolError(f"rknn-toolkit2, {step.__name__}: {said[-1].strip()}", fix=_FIX) from problem
    if result:
        raise ToolError(f"rknn-toolkit2, {step.__name__}: ends with {result}", fix=_FIX)


def _read_yaml(path: str) -> Any:
    from ruamel.yaml import YAML

    with open(path) as file:  # noqa: PTH123 - as short as it gets
        return YAML(typ="safe", pure=True).load(file)


@contextmanager
def _printed() -> Iterator[list[str]]:
    """What is printed meanwhile, also by the toolkit's compiler in C++; the log gets it, too."""
    said: list[str] = []
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            yield said
        finally:
            sys.stdout.flush()
            ctypes.CDLL(None).fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
            file.seek(0)
            text = file.read()
            said.append(text.decode(errors="replace"))
            os.write(2, text)
