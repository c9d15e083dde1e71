"""Export: checkpoint to ONNX.

In: a `Checkpoint`. Out: float32 ONNX, opset 18, NCHW, BatchNorm folded, in canonical form; input `faces`, RGB with
(x - 127.5) / 128 already applied, output `embeddings`. Its metadata says so, and what the checkpoint itself expects.
"""

from pathlib import Path

import numpy as np
import torch

from ghostface_edge.pipeline.graph.canonical import Canonicalize
from ghostface_edge.pipeline.graph.emit import emit
from ghostface_edge.pipeline.graph.passes import rewrite
from ghostface_edge.pipeline.network.checkpoint import Checkpoint, network_of
from ghostface_edge.pipeline.network.parity import Reference
from ghostface_edge.pipeline.network.preprocessing import (
    DECLARED_KEY,
    METADATA_KEY,
    ColourOrder,
    Preprocessing,
)
from ghostface_edge.targets.protocol import Embeddings, Faces


def export_onnx(checkpoint: Checkpoint, path: Path, *, faces: Faces, batch: int | None = None) -> float:
    """Write the checkpoint as ONNX and compare it with PyTorch on real faces.

    Args:
        checkpoint: what to export.
        path: where to.
        faces: RGB uint8 (N, S, S, 3), for the comparison.
        batch: fixed batch size; None keeps it dynamic.

    Returns:
        The largest absolute difference of any embedding dimension.

    Raises:
        ParityError: that difference exceeds 1e-4.
    """
    exported = emit(network_of(checkpoint), checkpoint.preprocessing, batch)
    exported.producer_name = "ghostface-edge"
    exported.metadata_props[METADATA_KEY] = Preprocessing().to_json()
    exported.metadata_props[DECLARED_KEY] = checkpoint.preprocessing.to_json()
    reference = Reference("PyTorch", faces, _embeddings(checkpoint, faces), batch or len(faces))
    fix = "report it with the checkpoint's `inspect` output; do not ship this model"
    return rewrite(exported, (Canonicalize(),), path, reference, fix=fix)


def _embeddings(checkpoint: Checkpoint, faces: Faces) -> Embeddings:
    """What PyTorch gives for the faces, fed as the checkpoint expects them."""
    own = checkpoint.preprocessing
    ordered = faces[..., ::-1] if own.colour is ColourOrder.BGR else faces
    inputs = (ordered.transpose(0, 3, 1, 2).astype(np.float32) - np.float32(own.mean)) / np.float32(own.scale)
    with torch.inference_mode():
        embeddings: Embeddings = network_of(checkpoint)(torch.from_numpy(np.ascontiguousarray(inputs))).numpy()
    return embeddings
