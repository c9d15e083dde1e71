"""Simulated INT8: what the runtimes will compute, in float32, every quantized value rounded to its grid.

In: a `QuantizedProgram` and float32 faces. Out: float32 embeddings. Accumulation is in float32, which holds these
networks' int32 accumulators to the last few units; the runtimes differ from it by single grid steps.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.simulation.fake_quantize import fake_quantize
from ghostface_edge.pipeline.simulation.placement import PIXEL_SHIFT
from ghostface_edge.pipeline.simulation.program import Program, Transform
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.pipeline.simulation.workers import share_out
from ghostface_edge.targets.protocol import Embeddings, Faces

BATCH = 32


def as_input(faces: Faces) -> torch.Tensor:
    """RGB uint8 (N, S, S, 3) to the network's float32 (N, 3, S, S); channels stay last in memory."""
    return torch.from_numpy(normalize(faces)).permute(0, 3, 1, 2)


def rounding(quantized: QuantizedProgram) -> Transform:
    """The transform that rounds each value to its grid, the pixels after their shift."""
    source = quantized.program.input

    def transform(name: str, value: torch.Tensor) -> torch.Tensor:
        params = quantized.activations.get(name)
        if params is None:
            return value
        return fake_quantize(params, value + PIXEL_SHIFT if name == source else value)

    return transform


def embed(program: Program, faces: Faces, transform: Transform | None = None) -> Embeddings:
    """Embeddings of any number of faces, a batch at a time; several batches may be at `transform` at once."""

    def run(batch: Faces) -> Embeddings:
        with torch.inference_mode():
            embeddings: Embeddings = program(as_input(batch), transform=transform).numpy()
        return embeddings

    return np.concatenate(list(share_out(run, batches(faces))))


def batches(faces: Faces, size: int = BATCH) -> list[Faces]:
    """Consecutive parts of at most `size` faces."""
    return [faces[at : at + size] for at in range(0, len(faces), size)]


def simulate(quantized: QuantizedProgram, faces: Faces) -> Embeddings:
    """INT8 embeddings of uint8 RGB faces (N, S, S, 3)."""
    return embed(quantized.program, faces, rounding(quantized))


def cosines(first: Embeddings, second: Embeddings) -> NDArray[np.float64]:
    """Cosine similarity row by row, (N,), float64.

    Unlike `reports.metrics.cosines` it takes rows without a direction: a trial that collapses is bad, not an error.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    similarity: NDArray[np.float64] = (a * b).sum(1) / np.maximum(lengths, np.finfo(np.float64).tiny)
    return similarity
