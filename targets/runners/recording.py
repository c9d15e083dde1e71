"""Golden faces through a variant, written down: arrays, and models cut short.

In: an artifact. Out: a folder with `inputs.npy`, `embeddings.npy`, `layer-0.npy` and so on; of runtimes a few
tensors on the way, each beside the model that ends there, so that a runner needs no way of looking into a runtime; of a
network in C every layer, by its own words.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.targets.diagnosis.input_causes import encode_real
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.runners.golden import Golden, GoldenLayer
from ghostface_edge.targets.runners.tracing import Trace, trace

LAYERS: Final = 3
"""Tensors on the way that are recorded of runtimes, evenly over the operators."""
_READABLE: Final = ("float32", "int8", "uint8")
"""Types of tensors that runners read."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What lies in the folder beside arrays."""

    layers: tuple[str, ...]
    """Names of tensors."""
    suffix: str | None
    """Of the models that end there; None where there are none."""
    output_scale: float = 0.0
    """See `Golden.output_scale`."""


class GoldenRecorder(RuntimeWorker):
    """A runtime that runs the golden faces; opened by `Place.open`."""

    def record(self, artifact: Path, faces: Faces, folder: Path) -> Recorded:
        """Fill a folder; faces are RGB uint8 (N, 112, 112, 3).

        Raises:
            ToolError: the artifact does not run.
        """
        is_firmware = self._target.is_firmware
        inputs = faces if is_firmware else encode_real(normalize(faces), self.inspect(artifact))
        np.save(folder / "inputs.npy", inputs)
        if artifact.suffix == ".c":
            return _record_trace(trace(artifact, faces), folder)
        self.load(artifact, 1, 1)
        np.save(folder / "embeddings.npy", self.embed(faces))
        if is_firmware or isinstance(self._loaded, Elsewhere):  # boards have no room for models cut short, pages no use
            return Recorded((), None)
        computed = self.tensors(artifact)
        names: list[str] = []
        for due in np.linspace(0, len(computed) - 1, LAYERS + 2).astype(int)[1:-1]:
            for tensor in computed[due:]:
                file = folder / f"layer-{len(names)}{artifact.suffix}"
                self.cut(artifact, tensor.name, file)
                self.load(file, 1, 1)
                values = self.tensor(faces[:1])
                if values.dtype.name in _READABLE:
                    np.save(folder / f"layer-{len(names)}.npy", values)
                    names.append(tensor.name)
                    break
        return Recorded(tuple(names), artifact.suffix)


def _record_trace(told: Trace, folder: Path) -> Recorded:
    np.save(folder / "embeddings.npy", told.embeddings)
    for place, values in enumerate(told.layers.values()):
        np.save(folder / f"layer-{place}.npy", values)
    return Recorded(tuple(told.layers), None, told.scale)


def read_golden(folder: Path, recorded: Recorded) -> Golden:
    """What was written down in a folder."""
    layers = tuple(
        GoldenLayer(
            name,
            np.load(folder / f"layer-{place}.npy"),
            None if recorded.suffix is None else folder / f"layer-{place}{recorded.suffix}",
        )
        for place, name in enumerate(recorded.layers)
    )
    inputs, embeddings = (np.load(folder / f"{name}.npy") for name in ("inputs", "embeddings"))
    return Golden(inputs, layers, embeddings, recorded.output_scale)
