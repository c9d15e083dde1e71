"""Which faces come first: three ways to put a pool in order, each for ever the same for one seed.

Chance comes from hashes of seed and name, so neither the file system's order, nor numpy's version, nor faces added
later reshuffle what was there.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class SamplingMethod(StrEnum):
    """How calibration faces are chosen from a folder."""

    RANDOM = "random"
    """Every face with the same chance."""
    PER_IDENTITY = "per-identity"
    """Everybody gives one face before anybody gives a second one."""
    DIVERSE = "diverse"
    """Each next face is the one least like all before it, by embedding."""


def random_order(names: Sequence[str], seed: int) -> list[int]:
    """Indices of `names` in random order."""
    return sorted(range(len(names)), key=lambda place: _rank(seed, names[place]))


def identity_order(names: Sequence[str], identities: Sequence[str], seed: int) -> list[int]:
    """Indices of `names` in rounds: every identity once, in random order, then every identity that has more."""
    taken: Counter[str] = Counter()
    rounds = []
    for place in random_order(names, seed):
        identity = identities[place]
        rounds.append((taken[identity], _rank(seed, identity), place))
        taken[identity] += 1
    return [place for _, _, place in sorted(rounds)]


def diverse_order(names: Sequence[str], embeddings: NDArray[np.float32], seed: int) -> Iterator[int]:
    """Indices of `names`, each farthest from all before it; the first is random.

    Args:
        names: N of them.
        embeddings: float32 (N, E), of any length, none of them zero.
        seed: decides the first.

    Source: greedy k-center, Gonzalez 1985, doi 10.1016/0304-3975(85)90224-5, on the cosine.
    """
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    by_name = np.array(sorted(range(len(names)), key=lambda place: names[place]), np.intp)
    unit = unit[by_name]
    likeness = np.full(len(names), -np.inf)
    place = int(np.flatnonzero(by_name == random_order(names, seed)[0])[0])
    for _ in names:
        yield int(by_name[place])
        likeness = np.maximum(likeness, unit @ unit[place])
        likeness[place] = np.inf
        place = int(np.argmin(likeness))


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogateescape")).digest()
