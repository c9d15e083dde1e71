"""An artifact and faces to embeddings from a device, in parts that are kept as they come.

A cable that is pulled or a device that starts anew costs the part that was under way: what came before is in the store,
and comes from there when the run goes on, or when it is started again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.device_session import DeviceSession
from ghostface_edge.pipeline.stages.embed import read_embeddings, require_useful
from ghostface_edge.pipeline.support.json_value import write_array
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import Embeddings

_PART: Final = 128
"""Faces at most: a few seconds of work, a few megabytes on the line."""
_EMBEDDINGS: Final = "embeddings.npy"


@dataclass(frozen=True, slots=True)
class EmbedPart:
    """The stage: embeddings float32 (N, E) of some of the faces."""

    name: ClassVar[str] = "device-embed"
    artifact: Artifact
    faces: DecodedFaces
    rows: tuple[int, ...]
    size: int
    """Of an embedding of this artifact."""
    session: DeviceSession

    def inputs(self) -> dict[str, object]:
        asked = {"artifact": self.artifact.sha256, "faces": self.faces.sha256, "rows": self.rows}
        return asked | self.session.key()

    def build(self, folder: Path, context: StageContext) -> None:  # noqa: ARG002 - the session has its own
        faces = np.load(self.faces.path, mmap_mode="r")[list(self.rows)]
        embeddings = self.session.embed(self.artifact, faces)
        require_useful(embeddings, len(faces))
        if embeddings.shape[1] != self.size:
            raise ToolError(
                f"embeddings have {embeddings.shape[1]} values there and {self.size} here",
                fix="this runtime cannot run this model there: ship another file",
            )
        write_array(folder / _EMBEDDINGS, embeddings)

    def read(self, folder: Path) -> Embeddings:
        return read_embeddings(folder / _EMBEDDINGS, len(self.rows))


def embed_there(
    session: DeviceSession, artifact: Artifact, faces: DecodedFaces, rows: Sequence[int], size: int, label: str
) -> Embeddings:
    """Embeddings (N, E) of the faces in these rows, in their order.

    Args:
        session: on the device.
        artifact: of its runtime.
        faces: of which some are embedded.
        rows: which.
        size: of an embedding.
        label: for the user.

    Raises:
        ToolError: the device cannot be reached any more, or what it answers are no embeddings.
    """
    context = session.context
    with context.progress.stage(f"{label}: embed {len(rows)} faces", len(rows)) as advance:
        parts = []
        for part in np.array_split(rows, -(-len(rows) // _PART)):
            parts.append(context.run(EmbedPart(artifact, faces, tuple(part.tolist()), size, session)))
            advance(len(part))
    return np.concatenate(parts)
