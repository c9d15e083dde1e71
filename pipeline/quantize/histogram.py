"""Counts of a tensor's values, streamed, and the ranges that can be read off them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.simulation.placement import QuantizerPlacement
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.simulate import as_input, batches
from ghostface_edge.pipeline.simulation.workers import share_out
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.quant_params import INT8_MAX, INT8_MIN

_BINS = 2048
_CANDIDATES = 40


@dataclass(frozen=True, slots=True)
class Histogram:
    """Values of one group of tensors in equal bins."""

    low: float
    high: float
    counts: NDArray[np.int64]

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middle of each bin."""
        width = (self.high - self.low) / len(self.counts)
        middles: NDArray[np.float64] = self.low + width * (np.arange(len(self.counts), dtype=np.float64) + 0.5)
        return middles

    def percentile(self, kept: float) -> tuple[float, float]:
        """The range that keeps this percentage of all values, losing as many at either end."""
        share = np.cumsum(self.counts) / self.counts.sum()
        lost = (100 - kept) / 200
        edges = np.linspace(self.low, self.high, len(self.counts) + 1)
        first, last = (int(np.searchsorted(share, part)) for part in (lost, 1 - lost))
        return float(edges[first]), float(edges[min(last + 1, len(self.counts))])

    def least_error(self) -> tuple[float, float]:
        """The range whose INT8 grid gives the least squared error, ends found in turn."""
        low, high = self.low, self.high
        for _ in range(3):
            shares = np.linspace(1 / _CANDIDATES, 1, _CANDIDATES)
            high = min((self.high * share for share in shares), key=lambda end: self._error(low, end))
            low = min((self.low * share for share in shares), key=lambda end: self._error(end, high))
        return low, high

    def _error(self, low: float, high: float) -> float:
        step = (high - low) / (INT8_MAX - INT8_MIN)
        outside = self.centres - self.centres.clip(low, high)
        inside = self.counts[outside == 0].sum()
        return float((self.counts * outside**2).sum() + inside * step**2 / 12)


def histograms(
    program: Program, placement: QuantizerPlacement, faces: Faces, extremes: Mapping[str, tuple[float, float]]
) -> dict[str, Histogram]:
    """Histogram of every free group between its extremes (widened to hold zero)."""
    ends = {name: (min(low, 0.0), max(high, 1e-9)) for name, (low, high) in extremes.items()}

    def count(batch: Faces) -> dict[str, NDArray[np.int64]]:
        counts = {name: np.zeros(_BINS, np.int64) for name in ends}

        def watch(name: str, value: torch.Tensor) -> torch.Tensor:
            group = placement.group.get(name)
            if group in counts:
                low, high = ends[group]
                counts[group] += torch.histc(value, _BINS, low, high).to(torch.int64).numpy()
            return value

        with torch.inference_mode():
            program(as_input(batch), transform=watch)
        return counts

    whole = {name: np.zeros(_BINS, np.int64) for name in ends}
    for counts in share_out(count, batches(faces)):
        for name, part in counts.items():
            whole[name] += part
    return {name: Histogram(*ends[name], counted) for name, counted in whole.items()}
