"""Parity: whether an ONNX model gives the embeddings that something else gave."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.reports.errors import ParityError
from ghostface_edge.targets.protocol import Embeddings, Faces

MAX_ABS_DIFFERENCE = 1e-4
"""Of any embedding dimension at float32, for a rewrite to count as keeping the function."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a model is compared with."""

    origin: str
    """What gave the embeddings, for messages."""
    faces: Faces
    """RGB uint8 (N, S, S, 3)."""
    embeddings: Embeddings
    """Of the faces, (N, E)."""
    batch: int
    """Faces that the model takes at once; what does not fill a batch is not compared."""

    def require(self, model: Path, *, fix: str) -> float:
        """The largest absolute difference of any embedding dimension.

        Raises:
            ParityError: it exceeds `MAX_ABS_DIFFERENCE`.
        """
        actual = run_onnx(model, onnx_input(self.faces), self.batch)[0]
        difference = float(np.abs(actual - self.embeddings[: len(actual)]).max())
        if not difference <= MAX_ABS_DIFFERENCE:
            raise ParityError(
                f"the ONNX model differs from {self.origin} by {difference:.2e} on {len(actual)} faces, "
                f"more than {MAX_ABS_DIFFERENCE:.0e}",
                fix=fix,
            )
        return difference


def onnx_input(faces: Faces) -> NDArray[np.float32]:
    """RGB uint8 (N, S, S, 3) as the project's ONNX models take them: float32 (N, 3, S, S), (x - 127.5) / 128."""
    return np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))


def run_onnx(model: Path, inputs: NDArray[np.float32], batch: int) -> list[NDArray[np.float32]]:
    """Every output of a model with one input, in ONNX Runtime on the CPU.

    Args:
        model: ONNX.
        inputs: (N, ...), in the model's layout.
        batch: how many at once; what does not fill a batch is left out.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what it has to say, it raises
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    starts = range(0, len(inputs) - batch + 1, batch)
    parts = [session.run(None, {name: inputs[at : at + batch]}) for at in starts]
    return parts[0] if len(parts) == 1 else [np.concatenate(output) for output in zip(*parts, strict=True)]
