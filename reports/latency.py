"""Latency samples to figures: percentiles, and the ratio to FP32 with its noise.

In: samples of a variant and of the FP32 of the same runtime, taken interleaved, so that drift of the machine
hits both. Out: the `latency` fields that samples decide.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.resampling import around

_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Milliseconds of one inference, and the ratio of medians to FP32 (below 1 is faster)."""

    runs: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    versus_fp32: float
    versus_fp32_ci95: tuple[float, float]
    """Bootstrap percentile interval over rounds: what the machine's drift leaves uncertain."""


def summarize(
    samples_ms: NDArray[np.float64], fp32_ms: NDArray[np.float64], *, rounds: int = 10, seed: int = 0
) -> LatencySummary:
    """Summarize interleaved samples.

    Args:
        samples_ms: (N,), in the order taken.
        fp32_ms: (N,), of the FP32 of the same runtime, taken in turns with `samples_ms`; the same array for FP32.
        rounds: contiguous blocks that are resampled as a whole, since neighbours in time share the machine's state.
        seed: of the resampling.

    Raises:
        InputError: samples are missing, not positive, or not in pairs.
    """
    for samples in (samples_ms, fp32_ms):
        if (
            samples.shape != samples_ms.shape
            or len(samples) < rounds
            or not (np.isfinite(samples) & (samples > 0)).all()
        ):
            raise InputError(
                f"latency samples of shapes {samples_ms.shape} and {fp32_ms.shape} are not {rounds} rounds of pairs "
                "of positive times",
                fix="time both models in turns, at least once per round",
            )
    p50, p90, p99 = np.percentile(samples_ms, [50, 90, 99])
    length = len(samples_ms) // rounds
    drawn = np.random.default_rng(seed).integers(rounds, size=(_RESAMPLES, rounds))
    medians = [
        np.median(samples[: rounds * length].reshape(rounds, length)[drawn].reshape(_RESAMPLES, -1), axis=1)
        for samples in (samples_ms, fp32_ms)
    ]
    low, high = np.percentile(medians[0] / medians[1], [2.5, 97.5])
    ratio = float(p50 / np.median(fp32_ms))
    return LatencySummary(
        runs=len(samples_ms),
        p50_ms=float(p50),
        p90_ms=float(p90),
        p99_ms=float(p99),
        versus_fp32=ratio,
        versus_fp32_ci95=around(ratio, (float(low), float(high))),
    )
