"""Validation of the network being trained: LFW's protocol over a `.bin`, or over rendered pairs."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.reports.metrics import VerificationAccuracy, cosine_scores, verification_accuracy

_BATCH = 64
_PAIRS = 600


class ValidationPairs(Protocol):
    """Pairs over faces that are read batch by batch."""

    index: NDArray[np.intp]
    same: NDArray[np.bool_]
    folds: int

    def batches(self) -> Iterator[NDArray[np.uint8]]:
        """RGB uint8 (B, S, S, 3), in the order that `index` counts."""
        ...


class FilePairs:
    """A verification file's pairs."""

    def __init__(self, pairs: VerificationSet) -> None:
        self._pairs = pairs
        self.index, self.same, self.folds = pairs.index, pairs.same, pairs.folds

    def batches(self) -> Iterator[NDArray[np.uint8]]:
        return iterate_faces(self._pairs.images, _BATCH)


class Rendered:
    """Pairs of rendered people; none of them is in a training set."""

    def __init__(self, seed: int) -> None:
        from ghostface_edge.pipeline.synthetic.sets import render_pairs

        pairs = render_pairs(_PAIRS, seed)
        self._faces = pairs.faces
        self.index, self.same, self.folds = pairs.index, pairs.same, pairs.folds

    def batches(self) -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(self._faces), _BATCH):
            yield self._faces[start : start + _BATCH]


def validate(network: torch.nn.Module, pairs: ValidationPairs, device: torch.device) -> VerificationAccuracy:
    """Verification accuracy of the network as it stands; its training mode is put back."""
    training = network.training
    network.eval()
    embeddings = []
    with torch.inference_mode():
        for faces in pairs.batches():
            inputs = torch.from_numpy(np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2)))
            embeddings.append(network(inputs.to(device)).float().cpu().numpy())
    network.train(training)
    return verification_accuracy(cosine_scores(np.concatenate(embeddings), pairs.index), pairs.same, pairs.folds)
