"""Sets of rendered people: for training, for calibration, for verification. No two sets share anybody.

In: how many and a seed. Out: faces in memory, or files that the loaders of real data read: an InsightFace `.bin` with
its `pairs.txt`, and a folder per person.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.bin_file import write_bin
from ghostface_edge.pipeline.synthetic.identity import Identity, draw_identity
from ghostface_edge.pipeline.synthetic.render import render
from ghostface_edge.pipeline.synthetic.view import draw_view
from ghostface_edge.reports.errors import InputError

FOLDS = 10
_VIEWS_OF_A_PAIR = 2


class Population(IntEnum):
    """Who may be met where; identities of different populations are drawn independently."""

    TRAINING = 0
    CALIBRATION = 1
    PAIRS = 2
    GOLDEN = 3


@dataclass(frozen=True, slots=True)
class RenderedPairs:
    """P pairs over N rendered faces, in ten folds that share nobody."""

    faces: NDArray[np.uint8]
    """RGB (N, 112, 112, 3)."""
    index: NDArray[np.intp]
    """(P, 2), into `faces`."""
    same: NDArray[np.bool_]
    """(P,)"""
    names: tuple[str, ...]
    """Whom each of the N faces shows."""
    folds: int = FOLDS


@functools.lru_cache(maxsize=4096)
def person(population: Population, seed: int, number: int) -> Identity:
    """A member of a population."""
    return draw_identity(population, seed, number)


def picture(population: Population, seed: int, number: int, view: int) -> NDArray[np.uint8]:
    """The `view`-th picture of a person: RGB uint8 (112, 112, 3), the same for the same arguments."""
    rng = np.random.default_rng((population, seed, number, view))
    return render(person(population, seed, number), draw_view(rng))


def render_pairs(count: int = 600, seed: int = 0) -> RenderedPairs:
    """Render a verification set: per fold as many pairs of one person as of two, each person seen twice.

    Raises:
        InputError: `count` is no positive multiple of 20, so that folds and labels cannot be even.
    """
    each, rest = divmod(count, 2 * FOLDS)
    if each < 2 or rest:
        raise InputError(f"{count} rendered pairs were asked for", fix="ask for a multiple of 20, at least 40")
    rng = np.random.default_rng((Population.PAIRS, seed))
    people = each * FOLDS
    faces = np.stack(
        [picture(Population.PAIRS, seed, who, view) for who in range(people) for view in range(_VIEWS_OF_A_PAIR)]
    )
    index, same = [], []
    for fold in range(FOLDS):
        members = range(fold * each, (fold + 1) * each)
        index += [(_VIEWS_OF_A_PAIR * who, _VIEWS_OF_A_PAIR * who + 1) for who in members]
        for who in members:
            other = fold * each + (who - fold * each + int(rng.integers(1, each))) % each
            index.append(
                (_VIEWS_OF_A_PAIR * who + int(rng.integers(2)), _VIEWS_OF_A_PAIR * other + int(rng.integers(2)))
            )
        same += [True] * each + [False] * each
    names = tuple(_name(Population.PAIRS, seed, at // _VIEWS_OF_A_PAIR) for at in range(len(faces)))
    return RenderedPairs(faces, np.array(index, np.intp), np.array(same), names)


def render_calibration(count: int = 300, seed: int = 0) -> NDArray[np.uint8]:
    """Render `count` faces of as many people, none of whom is in any pair or training set."""
    return np.stack([picture(Population.CALIBRATION, seed, who, 0) for who in range(count)])


def write_pairs(folder: Path, count: int = 600, seed: int = 0) -> Path:
    """Render a verification set into `synthetic.bin`, with the `pairs.txt` that names its people beside it.

    Returns:
        The `.bin`'s path, for `calibration.verification.load_pairs`.
    """
    pairs = render_pairs(count, seed)
    encoded = [_png(face) for face in pairs.faces]
    path = folder / "synthetic.bin"
    write_bin(path, [encoded[side] for sides in pairs.index for side in sides], pairs.same.tolist())
    each = count // (2 * FOLDS)
    lines = [f"{FOLDS}\t{each}"]
    for (left, right), same in zip(pairs.index.tolist(), pairs.same.tolist(), strict=True):
        ours, theirs = (f"{at % _VIEWS_OF_A_PAIR + 1}" for at in (left, right))
        lines.append("\t".join((pairs.names[left], ours, *(() if same else (pairs.names[right],)), theirs)))
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_calibration(folder: Path, count: int = 300, seed: int = 0) -> Path:
    """Render a calibration set into `folder`/NAME/NAME_0001.png and return `folder`."""
    for who, data in enumerate(_encoded_calibration(count, seed)):
        name = _name(Population.CALIBRATION, seed, who)
        (folder / name).mkdir(parents=True)
        (folder / name / f"{name}_0001.png").write_bytes(data)
    return folder


def _encoded_calibration(count: int, seed: int) -> Iterator[bytes]:
    for who in range(count):
        yield _png(picture(Population.CALIBRATION, seed, who, 0))


def _name(population: Population, seed: int, number: int) -> str:
    return f"{population.name.lower()}-{seed}-{number}"


def _png(face: NDArray[np.uint8]) -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", face[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
