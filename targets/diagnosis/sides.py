"""One artifact on two sides, this host and a device: as it is, and cut at a tensor."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ghostface_edge.reports.errors import GhostfaceEdgeError, RuntimeMissingError
from ghostface_edge.targets.diagnosis.difference import Difference, Form, Tensor, compare
from ghostface_edge.targets.places.connection import ChildDeath
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Embeddings, Faces, Target


class Side(Protocol):
    """What runs artifacts elsewhere: a device, or other kernels here."""

    def load(self, files: Sequence[Path], threads: int, batch: int) -> float:
        """Load an artifact, whose files are given, the named one first."""
        ...

    def embed(self, faces: Faces) -> Embeddings:
        """Embed faces."""
        ...

    def tensor(self, faces: Faces) -> Tensor:
        """The loaded artifact's first output as it comes, for one batch."""
        ...

    def sha256(self) -> str:
        """Of the loaded artifact as it lies there."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """An artifact's output on both sides."""

    here: Tensor
    there: Tensor | None
    """None: it does not run there."""
    failure: str = ""
    """What was said of that."""

    @property
    def difference(self) -> Difference | None:
        """None where they are the same but for the order of float sums."""
        return Difference(Form.FAILED, self.failure) if self.there is None else compare(self.here, self.there)


class Sides:
    """This host and a device.

    Args:
        target: the artifacts' runtime.
        worker: of that runtime, here.
        device: the other side.
        faces: RGB uint8 (N, S, S, 3), the batch that goes through both.
        folder: for cut artifacts.
        stand_in: what runs here in the worker's place, such as other kernels.
    """

    def __init__(
        self,
        target: Target,
        worker: RuntimeWorker,
        device: Side,
        faces: Faces,
        folder: Path,
        stand_in: Side | None = None,
    ) -> None:
        self._target, self.worker, self.device, self.faces, self._folder = target, worker, device, faces, folder
        self._stand_in = stand_in

    def seen_from(self, side: Side) -> "Sides":
        """The device beside something else than this host's usual kernels."""
        return Sides(self._target, self.worker, self.device, self.faces, self._folder, side)

    def run(self, artifact: Path) -> Outcome:
        """Load an artifact on both sides and run it.

        Raises:
            ToolError: it does not run here, or the device is gone.
        """
        here = self.run_here(artifact)
        try:
            return Outcome(here, self.run_on(self.device, artifact))
        except (ChildDeath, RuntimeMissingError):
            raise
        except GhostfaceEdgeError as error:
            return Outcome(here, None, error.message)

    def run_here(self, artifact: Path) -> Tensor:
        """Load an artifact on this host and run it."""
        if self._stand_in is not None:
            return self.run_on(self._stand_in, artifact)
        self.worker.load(artifact, 1, len(self.faces))
        return self.worker.tensor(self.faces)

    def embed_here(self) -> Embeddings:
        """Embeddings of what was run here last."""
        return (self._stand_in or self.worker).embed(self.faces)

    def sha256_here(self) -> str:
        """Of what was run here last."""
        return (self._stand_in or self.worker).sha256()

    def run_on(self, side: Side, artifact: Path) -> Tensor:
        """Load an artifact on another side and run it."""
        side.load(self._target.files(artifact), 1, len(self.faces))
        return side.tensor(self.faces)

    def cut(self, artifact: Path, tensor: str) -> Path:
        """The artifact up to one of its tensors; the next one takes its place."""
        out = self._folder / f"cut{self._target.extension}"
        self.worker.cut(artifact, tensor, out)
        return out
