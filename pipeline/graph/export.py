"""Checkpoint to ONNX.

In: a `Checkpoint`. Out: float32 ONNX, opset 18, NCHW, BatchNorm folded, in canonical form; input `faces`, RGB with
(x - 127.5) / 128 already applied, output `embeddings`. Its metadata says so, and what the checkpoint itself expects.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.canonical import canonicalize
from ghostface_edge.pipeline.graph.emit import emit
from ghostface_edge.pipeline.network.checkpoint import Checkpoint, network_of
from ghostface_edge.pipeline.network.preprocessing import (
    DECLARED_KEY,
    METADATA_KEY,
    ColourOrder,
    Preprocessing,
)
from ghostface_edge.reports.errors import ParityError
from ghostface_edge.targets.protocol import Faces

MAX_ABS_DIFFERENCE = 1e-4


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
    network = network_of(checkpoint)
    exported = emit(network, checkpoint.preprocessing, batch)
    canonicalize(exported)
    exported.producer_name = "ghostface-edge"
    exported.metadata_props[METADATA_KEY] = Preprocessing().to_json()
    exported.metadata_props[DECLARED_KEY] = checkpoint.preprocessing.to_json()
    graph_model.save(exported, path)
    difference = _difference(checkpoint, path, faces, batch)
    if not difference <= MAX_ABS_DIFFERENCE:
        path.unlink()
        raise ParityError(
            f"the exported ONNX differs from PyTorch by {difference:.2e} on {len(faces)} faces, "
            f"more than {MAX_ABS_DIFFERENCE:.0e}",
            fix="report it with the checkpoint's `inspect` output; do not ship this model",
        )
    return difference


def _difference(checkpoint: Checkpoint, path: Path, faces: Faces, batch: int | None) -> float:
    own = checkpoint.preprocessing
    ordered = faces[..., ::-1] if own.colour is ColourOrder.BGR else faces
    expected_inputs = (ordered.transpose(0, 3, 1, 2).astype(np.float32) - np.float32(own.mean)) / np.float32(own.scale)
    with torch.inference_mode():
        expected = network_of(checkpoint)(torch.from_numpy(np.ascontiguousarray(expected_inputs))).numpy()
    inputs = np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    step = batch or len(inputs)
    whole = [session.run(None, {"faces": inputs[at : at + step]})[0] for at in range(0, len(inputs) - step + 1, step)]
    actual = np.concatenate(whole)
    return float(np.abs(actual - expected[: len(actual)]).max())
