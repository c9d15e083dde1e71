"""Faces to batches: the order of every epoch, flips, and tensors.

Everything follows from seed, epoch and position, so a resumed run sees exactly what the killed one would have seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.train.faces import TrainingFaces
from ghostface_edge.pipeline.train.options import TrainOptions

Batch = tuple[torch.Tensor, torch.Tensor]
"""float32 (N, 3, S, S) in [-1, 1], and int64 (N,) people."""
_Sample = tuple[np.ndarray, int]


@dataclass(frozen=True, slots=True)
class Order:
    """Which faces make up which batch; the last, smaller one of an epoch is left out."""

    faces: int
    options: TrainOptions

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches of one epoch; at least one, which then is smaller."""
        return max(1, self.faces // self.options.batch_size)

    def batch(self, step: int) -> list[tuple[int, int]]:
        """Epoch and position of every face of a step."""
        epoch, at = divmod(step, self.steps_per_epoch)
        shuffled = np.random.default_rng((self.options.seed, epoch)).permutation(self.faces)
        chosen = shuffled[at * self.options.batch_size : (at + 1) * self.options.batch_size]
        return [(epoch, int(position)) for position in chosen]


def batches(faces: TrainingFaces, options: TrainOptions, first: int, last: int) -> Iterator[Batch]:
    """The batches of steps `first` to `last` - 1."""
    order = Order(len(faces), options)
    loader = DataLoader(
        _Samples(faces, options),
        batch_sampler=[order.batch(step) for step in range(first, last)],
        num_workers=options.workers,
        collate_fn=_collate,
        multiprocessing_context="spawn" if options.workers else None,
    )
    yield from loader


class _Samples(Dataset[_Sample]):
    def __init__(self, faces: TrainingFaces, options: TrainOptions) -> None:
        self._faces, self._options = faces, options

    def __getitem__(self, key: tuple[int, int]) -> _Sample:
        epoch, position = key
        face, who = self._faces.load(position, epoch)
        flipped = self._options.flip and np.random.default_rng((self._options.seed, epoch, position)).random() < 0.5
        return (face[:, ::-1] if flipped else face), who


def _collate(samples: list[_Sample]) -> Batch:
    faces = normalize(np.stack([face for face, _ in samples])).transpose(0, 3, 1, 2)
    people = torch.tensor([who for _, who in samples])
    return torch.from_numpy(np.ascontiguousarray(faces)), people
