"""An artifact and faces to embeddings, each distinct face once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.support.host import describe_kernels
from ghostface_edge.pipeline.support.json_value import write_array
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Embeddings
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import load_target

BATCH = 32
"""Faces that a runtime is given at once."""
STEP = 512
"""Faces that are asked for at once."""
_EMBEDDINGS = "embeddings.npy"


@dataclass(frozen=True, slots=True)
class Embed:
    """The stage: embeddings float32 (N, E) in the order of the faces."""

    name: ClassVar[str] = "embed"
    artifact: Artifact
    faces: DecodedFaces
    threads: int
    """Of one inference; where the runtime has none, so many processes share the faces."""
    label: str
    """For the user and the log."""

    def inputs(self) -> dict[str, object]:
        packages = [*load_target(self.artifact.runtime).packages, "numpy", "opencv-python-headless"]
        return {
            "artifact": self.artifact.sha256,
            "runtime": self.artifact.runtime,
            "faces": self.faces.sha256,
            "threads": self.threads,
            "kernels": describe_kernels(),
            "versions": versions(packages),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        path, count = self.faces.path, len(self.faces)
        starts = range(0, count, STEP)
        processes = 1 if load_target(self.artifact.runtime).uses_threads else min(self.threads, len(starts))
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(processes))  # last to end: its threads wait for the workers
            workers = [
                stack.enter_context(
                    context.open(RuntimeWorker, self.artifact.runtime, label=self.label, limit=context.limits.embed)
                )
                for _ in range(processes)
            ]
            advance = stack.enter_context(context.progress.stage(f"{self.label}: embed {count} faces", count))

            def embed_share(number: int) -> list[Embeddings]:
                """Every so many-th step, in a process of its own."""
                worker, parts = workers[number], []
                worker.load(self.artifact.path, self.threads, BATCH)
                for at in starts[number::processes]:
                    parts.append(worker.embed_file(path, at, at + STEP))
                    advance(len(parts[-1]))
                return parts

            shares = list(pool.map(embed_share, range(processes)))
        parts = [shares[step % processes][step // processes] for step in range(len(starts))]
        write_array(folder / _EMBEDDINGS, np.concatenate(parts))

    def read(self, folder: Path) -> Embeddings:
        return read_embeddings(folder / _EMBEDDINGS, len(self.faces))


def read_embeddings(path: Path, count: int) -> Embeddings:
    """Embeddings of so many faces.

    Raises:
        ValueError: it holds something else.
    """
    embeddings: Embeddings = np.load(path)
    if embeddings.ndim != 2 or len(embeddings) != count or embeddings.dtype != np.float32:
        raise ValueError(f"{embeddings.dtype} of {embeddings.shape} are no embeddings of {count} faces")
    return embeddings


def require_useful(embeddings: Embeddings, count: int) -> None:
    """Refuse what no face can be told by, wherever it was computed.

    Args:
        embeddings: (N, E).
        count: distinct faces that were given.

    Raises:
        ToolError: empty, of another number of faces, not finite, zero, or the same for all of them.
    """
    fix = "the converted model is broken there; compare its operators with `ghostface-edge inspect`"
    if embeddings.ndim != 2 or len(embeddings) != count or not embeddings.size:
        raise ToolError(f"{count} faces came out as an array of {embeddings.shape}", fix=fix)
    useless = np.count_nonzero(~np.isfinite(embeddings).all(axis=1) | ~embeddings.any(axis=1))
    if useless:
        raise ToolError(f"{useless} of {count} embeddings are zero or not finite", fix=fix)
    if count > 1 and (embeddings == embeddings[0]).all():
        raise ToolError(f"all {count} faces come out as the same embedding", fix=fix)
