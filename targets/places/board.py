"""The far side on a device: one runtime's files, in whatever Python is there.

Runs from the one file that `application.application` makes, on Python 3.9 and NumPy, without this project's other
dependencies.
"""

import hashlib
import re
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import numpy as np

from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.places import board_facts
from ghostface_edge.targets.places.inference import Inference
from ghostface_edge.targets.places.wire import Array

LOADERS = {
    "onnxruntime": "ghostface_edge.targets.onnxruntime.embedder:OnnxruntimeEmbedder",
    "openvino": "ghostface_edge.targets.openvino.embedder:OpenvinoEmbedder",
    "tflite": "ghostface_edge.targets.tflite.runtime:TfliteEmbedder",
    "c": "ghostface_edge.targets.c.embedder:CEmbedder",
    "ncnn": "ghostface_edge.targets.ncnn.embedder:NcnnEmbedder",
    "executorch": "ghostface_edge.targets.executorch.embedder:ExecutorchEmbedder",
}
"""Runtimes that a device can have, and what loads their files there."""
_RECEIVED = re.compile(r"[0-9a-f]{32}\.[a-z]+|\.[0-9a-f]{32}\.[a-z]+\.partial")
"""A model's name there; the user's folder may hold other files."""


class Board(Inference):
    """A runtime on a device, and the models that were sent to it.

    Args:
        runtime: of `LOADERS`.
        reference_kernels: whether TFLite's or ONNX Runtime's kernels run that are the same on every CPU.
        folder: where models are kept between runs; made if it is not there. `~` stands for the user's home.
        cores: that it may run on; all if none.

    Raises:
        RuntimeMissingError: the runtime is not there.
    """

    def __init__(
        self,
        runtime: str,
        reference_kernels: bool = False,
        folder: str = "~/.cache/ghostface-edge-device",
        cores: Tuple[int, ...] = (),
    ) -> None:
        board_facts.pin(cores)
        module, _, name = LOADERS[runtime].partition(":")
        kind = getattr(import_module(module), name)
        options: Dict[str, Any] = {"reference_kernels": True} if reference_kernels else {}

        def load(artifact: Path, threads: int, batch: int) -> Any:
            try:
                return kind(artifact, threads, batch, **options)
            except ImportError as problem:
                raise RuntimeMissingError(
                    f"{runtime} cannot be imported there: {problem}",
                    fix=f"install {' or '.join(board_facts.PACKAGES[runtime])} on the device",
                ) from problem

        super().__init__(load)
        self._folder = Path(folder).expanduser()

    def facts(self) -> Dict[str, Any]:
        """The machine, its system and the runtimes that are there; see `board_facts.read_facts`."""
        return board_facts.read_facts(self._folder)

    def canary(self) -> str:
        """See `board_facts.canary`."""
        return board_facts.canary()

    def conditions(self) -> Dict[str, Any]:
        """What decides over times now; see `board_facts.read_conditions`."""
        return board_facts.read_conditions()

    def holds(self, name: str, sha256: str) -> bool:
        """Whether a file was received, and is whole to this day."""
        path = self._path(name)
        return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256

    def received(self, name: str) -> int:
        """Bytes that came of a file that is not whole."""
        partial = _partial(self._path(name))
        return partial.stat().st_size if partial.is_file() else 0

    def receive(self, name: str, part: Array, at: int, sha256: str, is_last: bool) -> None:
        """Write a part of a file; with the last one it takes its name, if it is what it should be.

        Raises:
            InputError: it is something else, or there is no room for it.
        """
        path = self._path(name)
        partial = _partial(path)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with partial.open("r+b" if at else "wb") as file:
                file.truncate(at)
                file.seek(at)
                file.write(part.tobytes())
            if not is_last:
                return
            found = hashlib.sha256(partial.read_bytes()).hexdigest()
        except OSError as problem:
            raise InputError(
                f"{self._folder} on the device cannot take the model: {problem.strerror}",
                fix="make room there, or name another `folder` in devices.yaml",
            ) from problem
        if found != sha256:
            partial.unlink()
            raise InputError(f"{name} came to the device damaged", fix="run it again")
        partial.rename(path)

    def sustain(self, face: Array, seconds: float) -> Array:
        """Infer without a pause; (M, 2): when each inference ended, in seconds, and its milliseconds."""
        inputs, rows = self._loaded.prepare(face), []
        began = before = time.perf_counter()
        while before - began < seconds:
            self._loaded.run(inputs)
            now = time.perf_counter()
            rows.append((now - began, (now - before) * 1e3))
            before = now
        return np.array(rows)

    def energy_uj(self, face: Array, runs: int, power: str) -> float:
        """Microjoules of so many inferences, all that the meter sees included.

        Args:
            face: uint8 (1, S, S, 3).
            runs: inferences.
            power: file of a counter of microjoules if its name says `energy`, else of microwatts.

        Raises:
            InputError: it tells no such thing.
        """
        inputs = self._loaded.prepare(face)
        if "energy" in Path(power).name:
            first = board_facts.read_meter(power)
            for _ in range(runs):
                self._loaded.run(inputs)
            return board_facts.read_meter(power) - first
        total, before = 0.0, time.perf_counter()
        for _ in range(runs):
            self._loaded.run(inputs)
            microwatts, now = board_facts.read_meter(power), time.perf_counter()
            total += microwatts * (now - before)
            before = now
        return total

    def load_received(self, name: str, threads: int, batch: int) -> float:
        """Load a file that was received; returns milliseconds."""
        return self.load(self._path(name), threads, batch)

    def footprint(self) -> Optional[Dict[str, int]]:
        """Bytes that the loaded model takes as a program of its own; None where it is a file under a system."""
        return None

    def clean(self) -> int:
        """Remove all that was received, and the folder where nothing else is in it; returns how many bytes that was."""
        received = [path for path in self._folder.glob("*") if _RECEIVED.fullmatch(path.name) and path.is_file()]
        size = sum(path.stat().st_size for path in received)
        for path in received:
            path.unlink()
        with suppress(OSError):
            self._folder.rmdir()
        return size

    def _path(self, name: str) -> Path:
        if name.startswith(".") or not _RECEIVED.fullmatch(name):
            raise InputError(f"{name!r} is no file's name", fix="send its hash and its ending")
        return self._folder / name


def _partial(path: Path) -> Path:
    return path.with_name("." + path.name + ".partial")
