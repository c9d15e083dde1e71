import math

import pytest
import torch

from ghostface_edge.pipeline.simulation.fake_quantize import fake_quantize, params_between
from ghostface_edge.pipeline.simulation.kernels import LearnedFakeQuantize, Prelu, learned_grid


def channels_last(*shape, seed=0):
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return values.to(memory_format=torch.channels_last)


def rounded_to(ends, x):
    return LearnedFakeQuantize.apply(x, ends, learned_grid(ends.detach()))


def test_prelu_has_the_gradients_of_pytorch():
    x, weight = channels_last(2, 5, 4, 3).requires_grad_(), torch.linspace(-2, 2, 5).requires_grad_()
    upstream = channels_last(2, 5, 4, 3, seed=1)
    ours = torch.autograd.grad(Prelu.apply(x, weight), (x, weight), upstream)
    theirs = torch.autograd.grad(torch.nn.functional.prelu(x, weight), (x, weight), upstream)
    for first, second in zip(ours, theirs, strict=True):
        torch.testing.assert_close(first, second)


def test_rounding_is_that_of_the_grid():
    x = channels_last(2, 3, 4, 5)
    rounded = rounded_to(torch.tensor([math.log(0.7), math.log(1.9)]), x)
    torch.testing.assert_close(rounded, fake_quantize(params_between(-0.7, 1.9), x))


@pytest.mark.parametrize("faces", [1, 4, 6])
def test_gradients_of_the_ends_are_those_of_lsq_for_a_quarter_of_the_faces(faces):
    x, upstream = channels_last(faces, 3, 8, 8), channels_last(faces, 3, 8, 8, seed=2)
    low, high = 0.9, 1.3
    ends = torch.tensor([math.log(low), math.log(high)], requires_grad=True)
    params = params_between(-low, high)
    by_x, by_ends = torch.autograd.grad(rounded_to(ends, x.requires_grad_()), (x, ends), upstream)
    value = x.detach()
    above, below = value > params.high + params.scale / 2, value < params.low - params.scale / 2
    inside = ~(above | below)
    torch.testing.assert_close(by_x, upstream * inside)
    count = math.ceil(faces / 4)
    error, below, above = (
        (upstream * part)[:count].sum() * faces / count
        for part in ((fake_quantize(params, value) - value) * inside, below, above)
    )
    rounding = error / params.scale / 255
    expected = torch.stack([(rounding - below) * low, (rounding + above) * high])
    torch.testing.assert_close(by_ends, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("end", [0, 1])
def test_widening_an_end_that_cuts_reduces_the_error(end):
    """Descent on the ends alone, from a range that cuts, comes near the best range."""
    x = channels_last(8, 3, 16, 16)
    ends = torch.log(torch.tensor([0.3, 3.0] if end == 0 else [3.0, 0.3])).requires_grad_()
    optimizer = torch.optim.Adam([ends], lr=0.05)
    start = float((rounded_to(ends.detach(), x) - x).square().mean())
    for _ in range(100):
        optimizer.zero_grad()
        (rounded_to(ends, x) - x).square().mean().backward()
        optimizer.step()
    assert float((rounded_to(ends.detach(), x) - x).square().mean()) < 0.01 * start
