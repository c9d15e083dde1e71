import numpy as np
import torch

from ghostface_edge.pipeline.simulation.moments import THRESHOLDS, channel_moments, gains, tails


def test_tails_are_what_each_cut_costs():
    """Against the definition, value by value; the last channel is never negative."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(500, 3, generator=generator) * torch.tensor([0.01, 1.0, 40.0])
    values[:, 2].abs_()
    gradients = torch.randn(500, 3, generator=generator)
    low, high = values.amin(0).double().numpy().clip(max=0), values.amax(0).double().numpy()
    low[2] = 0.0
    halves = [channel_moments(values[at], gradients[at], low, high) for at in (slice(0, 200), slice(200, 500))]
    at_low, at_high = tails(sum(halves), low, high)
    v, g = values.double().numpy()[:, :, None], gradients.double().numpy()[:, :, None]
    excess_high = (v - high[:, None] * THRESHOLDS).clip(0)
    excess_low = (low[:, None] * THRESHOLDS - v).clip(0)
    np.testing.assert_allclose(at_high, np.square(excess_high * g).sum(0), rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(at_low[:2], np.square(excess_low * g).sum(0)[:2], rtol=1e-4, atol=1e-9)
    assert not at_low[2].any()
    np.testing.assert_allclose(gains(sum(halves)), np.square(g[:, :, 0]).sum(0), rtol=1e-5)
