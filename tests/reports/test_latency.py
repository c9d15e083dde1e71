import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.latency import summarize


def test_drift_that_hits_both_cancels() -> None:
    rng = np.random.default_rng(0)
    drift = np.repeat(rng.uniform(1, 2, 10), 40)
    fp32 = drift * rng.uniform(0.99, 1.01, 400)
    summary = summarize(0.5 * drift * rng.uniform(0.99, 1.01, 400), fp32)
    assert summary.versus_fp32 == pytest.approx(0.5, rel=0.05)
    assert summary.versus_fp32_ci95[0] < 0.5 < summary.versus_fp32_ci95[1]
    assert np.diff(summary.versus_fp32_ci95)[0] < 0.1


def test_noise_widens_the_interval() -> None:
    rng = np.random.default_rng(0)
    fp32 = np.ones(200)
    steady = summarize(rng.uniform(0.99, 1.01, 200), fp32).versus_fp32_ci95
    noisy = summarize(np.repeat(rng.uniform(0.5, 1.5, 10), 20), fp32).versus_fp32_ci95
    assert noisy[1] - noisy[0] > 10 * (steady[1] - steady[0])


def test_percentiles_and_itself() -> None:
    samples = np.arange(1.0, 201.0)
    summary = summarize(samples, samples)
    assert (summary.p50_ms, summary.p90_ms, summary.p99_ms) == tuple(np.percentile(samples, [50, 90, 99]))
    assert (summary.runs, summary.versus_fp32, summary.versus_fp32_ci95) == (200, 1.0, (1.0, 1.0))


@pytest.mark.parametrize("samples", [np.ones(5), np.zeros(200), np.full(200, np.nan)])
def test_samples_that_say_nothing(samples: np.ndarray) -> None:
    with pytest.raises(InputError, match="latency samples"):
        summarize(samples, np.ones(200))
