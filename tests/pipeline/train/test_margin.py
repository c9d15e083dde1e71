import math

import pytest
import torch
from torch.nn import functional

from ghostface_edge.pipeline.train.margin import MarginHead
from ghostface_edge.pipeline.train.options import Margin


def head(margin: Margin = Margin.ARCFACE, size: float = 0.5, subcenters: int = 1) -> MarginHead:
    torch.manual_seed(0)
    return MarginHead(8, 5, margin=margin, size=size, scale=10.0, subcenters=subcenters)


def cosines(made: MarginHead, embeddings: torch.Tensor) -> torch.Tensor:
    return functional.normalize(embeddings) @ functional.normalize(made.centres).T


@pytest.mark.parametrize("margin", list(Margin))
def test_only_the_right_persons_logit_is_made_harder(margin: Margin) -> None:
    made, embeddings, people = head(margin, 0.3), torch.randn(6, 8), torch.tensor([0, 1, 2, 3, 4, 0])
    logits, cosine = made(embeddings, people), cosines(made, embeddings)
    others = torch.ones_like(logits, dtype=torch.bool).scatter(1, people[:, None], value=False)
    torch.testing.assert_close(logits[others], 10 * cosine[others])
    own, plain = logits[~others] / 10, cosine[~others]
    expected = plain - 0.3 if margin is Margin.COSFACE else torch.cos(torch.acos(plain) + 0.3)
    torch.testing.assert_close(own, expected)


def test_beyond_half_a_turn_the_logit_goes_on_falling() -> None:
    made = head()
    angles = torch.linspace(0.01, math.pi - 0.01, 60)
    first = functional.normalize(made.centres[:1], dim=1)
    across = torch.randn(1, 8)
    across = functional.normalize(across - (across @ first.T) * first)
    embeddings = torch.cos(angles)[:, None] * first + torch.sin(angles)[:, None] * across
    own = made(embeddings, torch.zeros(60, dtype=torch.long))[:, 0]
    assert (own.diff() < 0).all()


def test_gradients_stay_finite_on_a_centre_and_opposite_it() -> None:
    made = head()
    embeddings = torch.cat((made.centres[:1], -made.centres[:1])).detach().requires_grad_()
    functional.cross_entropy(made(embeddings, torch.tensor([0, 0])), torch.tensor([0, 0])).backward()
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()


def test_the_nearest_of_a_persons_subcentres_counts() -> None:
    made = head(size=0.0, subcenters=3)
    embeddings = made.centres[[4, 13]].detach()
    logits = made(embeddings, torch.tensor([1, 4]))
    assert logits.shape == (2, 5)
    assert logits.argmax(1).tolist() == [1, 4]
    torch.testing.assert_close(logits.amax(1), torch.tensor([10.0, 10.0]))


def test_without_a_margin_all_kinds_are_plain_softmax() -> None:
    embeddings, people = torch.randn(4, 8), torch.tensor([0, 1, 2, 3])
    first, second = (head(margin, 0.0)(embeddings, people) for margin in Margin)
    torch.testing.assert_close(first, second)


def test_logits_are_float32_even_where_the_network_is_not() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        logits = head()(torch.randn(2, 8).bfloat16(), torch.tensor([0, 1]))
    assert logits.dtype == torch.float32
