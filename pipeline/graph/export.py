"""Checkpoint to ONNX.

In: a `Checkpoint`. Out: float32 ONNX, opset 18, NCHW, BatchNorm folded, in canonical form; input `faces`,
(x - 127.5) / 128 already applied, output `embeddings`.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.checkpoints.checkpoint import Checkpoint
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.canonical import canonicalize
from ghostface_edge.pipeline.network import GhostFaceNet
from ghostface_edge.reports.errors import ParityError
from ghostface_edge.targets.protocol import Faces

MAX_ABS_DIFFERENCE = 1e-4


def network_of(checkpoint: Checkpoint) -> GhostFaceNet:
    """The PyTorch network with the checkpoint's weights, in evaluation mode."""
    network = GhostFaceNet(checkpoint.architecture)
    state = {name: torch.from_numpy(np.array(value)) for name, value in checkpoint.weights.items()}
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    network.load_state_dict(state | counters)
    return network.eval()


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
    network, side = network_of(checkpoint), checkpoint.architecture.image_size
    example = torch.zeros(batch or 2, 3, side, side)
    dynamic = None if batch else ({0: torch.export.Dim("batch")},)
    with _quiet():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            opset_version=graph_model.OPSET,
            input_names=["faces"],
            output_names=["embeddings"],
            dynamic_shapes=dynamic,
            verbose=False,
        )
    assert program is not None
    exported = program.model
    canonicalize(exported)
    exported.producer_name, exported.producer_version = "ghostface-edge", None
    graph_model.save(exported, path)
    difference = _difference(network, path, faces, batch)
    if not difference <= MAX_ABS_DIFFERENCE:
        path.unlink()
        raise ParityError(
            f"the exported ONNX differs from PyTorch by {difference:.2e} on {len(faces)} faces, "
            f"more than {MAX_ABS_DIFFERENCE:.0e}",
            fix="report it with the checkpoint's `inspect` output; do not ship this model",
        )
    return difference


def _difference(network: GhostFaceNet, path: Path, faces: Faces, batch: int | None) -> float:
    inputs = np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))
    with torch.inference_mode():
        expected = network(torch.from_numpy(inputs)).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    step = batch or len(inputs)
    whole = [session.run(None, {"faces": inputs[at : at + step]})[0] for at in range(0, len(inputs) - step + 1, step)]
    actual = np.concatenate(whole)
    return float(np.abs(actual - expected[: len(actual)]).max())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter reports its progress on standard output and warns about packages that it does not need."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
