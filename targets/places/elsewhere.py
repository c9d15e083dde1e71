"""A model that is loaded in an environment of its own, used from here as if it were loaded here."""

import weakref
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.environment import Environment, NodeEnvironment
from ghostface_edge.targets.places.inference import Inference
from ghostface_edge.targets.places.inside import open_inside
from ghostface_edge.targets.protocol import Embeddings, Faces


class Elsewhere:
    """An `Embedder` that sends faces to an `Inference` there, and gives back what comes.

    Args:
        environment: where.
        kind: the class that loads and infers there.
        arguments: of its constructor.
        artifact: what to load.
        threads: of one inference.
        batch: faces of one inference.

    Raises:
        RuntimeMissingError: the environment is not installed.
    """

    def __init__(
        self,
        environment: Environment | NodeEnvironment,
        kind: Callable[..., Inference],
        arguments: tuple[object, ...],
        artifact: Path,
        threads: int,
        batch: int,
    ) -> None:
        opened = ExitStack()
        self._there = opened.enter_context(open_inside(environment, kind, *arguments))
        weakref.finalize(self, opened.close)
        self._there.load(artifact, threads, batch)

    def prepare(self, faces: Faces) -> NDArray[np.generic]:
        """The camera's bytes: they are prepared there."""
        return faces

    def run(self, inputs: NDArray[np.generic]) -> Embeddings:
        """Infer once, there."""
        return self._there.embed(inputs.astype(np.uint8, copy=False))

    def infer(self, inputs: NDArray[np.generic]) -> NDArray[np.generic]:
        """Infer once, there; the output as it is."""
        return self._there.tensor(inputs.astype(np.uint8, copy=False))

    def time(self, face: Faces, runs: int) -> list[float]:
        """Milliseconds of inferences, by that process's clock: the way there is not in it."""
        return self._there.time(face, runs)

    def peak_rss_mb(self) -> float:
        """Of that process."""
        return self._there.peak_rss_mb()
