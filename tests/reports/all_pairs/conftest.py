"""Galleries with as many images of each person as chance gives, and two models of them."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

_SIGNS = 1024
"""Components of 1 or -1: cosines of them are multiples of 2 / 1024, exact however they are added up."""


@dataclass(frozen=True)
class Drawn:
    """Images of people, and two models' embeddings of them."""

    names: list[str]
    reference: NDArray[np.float32]
    variant: NDArray[np.float32]


@pytest.fixture(scope="session")
def exact() -> Drawn:
    """700 images whose cosines are known to the last bit."""
    rng = np.random.default_rng(5)
    names = [f"p{person:03d}" for person in rng.integers(0, 160, 700)]
    kind, who = rng.choice([-1, 1], (6, _SIGNS)), np.unique(names, return_inverse=True)[1]
    # people resemble their kind, and images their person: both tails meet
    people = np.where(rng.random((160, _SIGNS)) < 0.24, -1, 1) * kind[rng.integers(0, 6, 160)]
    reference = people[who] * np.where(rng.random((700, _SIGNS)) < rng.uniform(0.05, 0.3, (700, 1)), -1, 1)
    variant = reference * np.where(rng.random((700, _SIGNS)) < 0.03, -1, 1)
    return Drawn(names, reference.astype(np.float32), variant.astype(np.float32))


def draw_people(seed: int, people: int) -> Drawn:
    """People of whom few have many images, some hard to know and some like everybody, and noise for quantization."""
    rng = np.random.default_rng(seed)
    count = np.minimum(rng.geometric(0.4, people), 12)
    spread = np.repeat(rng.gamma(6, 1 / 6, people), count)[:, None]
    centre, everybody = rng.normal(size=(people, 24)), rng.normal(size=24)
    centre += everybody / np.linalg.norm(everybody) * rng.gamma(1.0, 1.2, people)[:, None]
    reference = np.repeat(centre, count, axis=0) + 0.55 * spread * rng.normal(size=(count.sum(), 24))
    variant = reference + 0.12 * rng.normal(size=reference.shape)
    names = [f"p{person:05d}" for person in np.repeat(np.arange(people), count)]
    return Drawn(names, reference.astype(np.float32), variant.astype(np.float32))


def cosines_by_hand(
    embeddings: NDArray[np.float32], names: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of all comparisons of two people, and of one person with itself, from the whole matrix."""
    rows = embeddings.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    first, second = np.triu_indices(len(rows), 1)
    cosines, same = (rows @ rows.T)[first, second], np.array(names)[first] == np.array(names)[second]
    return cosines[~same], cosines[same]
