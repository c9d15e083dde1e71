import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ghostface_edge.pipeline.quantize.histogram import Histogram
from ghostface_edge.pipeline.simulation.fake_quantize import (
    bias_limits,
    channel_scales,
    fake_quantize,
    params_between,
    round_bias,
    round_slope,
    round_weight,
)
from ghostface_edge.targets.quant_params import QuantParams

ENDS = st.floats(-1e4, 1e4, width=32)


@given(ENDS, ENDS)
def test_a_grid_covers_its_range_to_a_step_and_holds_zero(first, second):
    low, high = sorted((first, second))
    params = params_between(low, high)
    assert -128 <= params.zero_point <= 127
    assert params.low - params.scale <= min(low, 0.0)
    assert params.high + params.scale >= max(high, 0.0)
    assert float(fake_quantize(params, torch.zeros(1))) == 0.0


@given(st.integers(0, 2**16))
def test_rounding_is_to_the_nearest_of_256_values_and_stable(seed):
    values = torch.randn(500, generator=torch.Generator().manual_seed(seed)) * 3
    params = QuantParams(0.02, -30)
    rounded = fake_quantize(params, values)
    inside = (values > params.low) & (values < params.high)
    assert (rounded - values)[inside].abs().max() <= params.scale * 0.5001
    assert torch.equal(fake_quantize(params, rounded), rounded)
    assert float(rounded.min()) >= params.low - 1e-6
    assert float(rounded.max()) <= params.high + 1e-6


def test_weights_have_one_scale_per_output_channel():
    weight = torch.tensor([[1.0, -0.5], [1000.0, 1.0]]).reshape(2, 2, 1, 1)
    scales = channel_scales(weight)
    torch.testing.assert_close(scales, torch.tensor([1 / 127, 1000 / 127]))
    error = (round_weight(weight, scales) - weight).abs().flatten(1).amax(1)
    assert bool((error <= scales / 2 + 1e-6).all())


def test_the_bias_of_a_dead_channel_does_not_overflow():
    bias, source = torch.tensor([0.7, -3.0]), QuantParams(1e-3, 0)
    scales = channel_scales(torch.zeros(2, 4, 1, 1)).maximum(bias_limits(bias, source))
    integers = bias.double() / (scales.double() * source.scale)
    assert float(integers.abs().max()) < 2**30
    torch.testing.assert_close(round_bias(bias, scales, source), bias, rtol=1e-6, atol=0)


def test_slopes_share_one_symmetric_scale():
    slopes = torch.tensor([-1.0, 0.003, 0.25])
    np.testing.assert_allclose(round_slope(slopes) * 127, [-127, 0, 32], atol=1e-4)


def test_ranges_of_a_histogram_with_one_outlier():
    counts = np.zeros(1000, np.int64)
    counts[450:550] = 10_000_000
    counts[999] = 1
    histogram = Histogram(-10.0, 10.0, counts)
    low, high = histogram.least_error()
    assert low == pytest.approx(-1, abs=0.3)
    assert high == pytest.approx(1, abs=0.5)
    assert histogram.percentile(99.9)[1] == pytest.approx(1, abs=0.05)
    assert histogram.percentile(100)[1] == pytest.approx(10)
