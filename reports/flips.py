"""Which decisions changed: pair by pair, by fold and by person, the worst first."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.evidence import Flip, PersonChange
from ghostface_edge.reports.metrics import fold_indices, fold_thresholds

Names = Sequence[tuple[str, str]]
"""Who is on the two images of every pair."""
_DIGITS = 6
"""Of scores in lists that can be thousands of pairs long."""


def find_flips(
    variant_scores: NDArray[np.float64],
    reference_scores: NDArray[np.float64],
    same: NDArray[np.bool_],
    index: NDArray[np.integer],
    *,
    names: Names | None = None,
    folds: int = 10,
) -> tuple[Flip, ...]:
    """List every pair that only one model decides rightly, at each model's own View 2 thresholds.

    Args:
        variant_scores: (P,) cosines.
        reference_scores: (P,) cosines.
        same: (P,).
        index: (P, 2), the images of each pair.
        names: P pairs of names.
        folds: of View 2.

    Returns:
        Lost pairs before gained ones, each from the widest margin to the narrowest.
    """
    flips = []
    own, before = fold_thresholds(variant_scores, same, folds), fold_thresholds(reference_scores, same, folds)
    for fold, part in enumerate(fold_indices(len(same), folds)):
        right = (variant_scores[part] >= own[fold]) == same[part]
        was_right = (reference_scores[part] >= before[fold]) == same[part]
        for pair in part[right != was_right].tolist():
            score = float(variant_scores[pair])
            flips.append(
                Flip(
                    pair=pair,
                    fold=fold,
                    same=bool(same[pair]),
                    lost=bool((score >= own[fold]) != same[pair]),
                    reference_score=round(float(reference_scores[pair]), _DIGITS),
                    variant_score=round(score, _DIGITS),
                    reference_threshold=round(float(before[fold]), _DIGITS),
                    variant_threshold=round(float(own[fold]), _DIGITS),
                    margin=round(abs(score - float(own[fold])), _DIGITS),
                    images=(int(index[pair, 0]), int(index[pair, 1])),
                    names=None if names is None else names[pair],
                )
            )
    return tuple(sorted(flips, key=lambda flip: (not flip.lost, -flip.margin, flip.pair)))


def by_person(flips: Sequence[Flip], names: Names) -> tuple[PersonChange, ...]:
    """Count what changed for each person; a pair counts for everyone in it, once.

    Args:
        flips: of one variant.
        names: P pairs of names, of all pairs.

    Returns:
        People with at least one change, those with most pairs lost first.
    """
    pairs: dict[str, int] = {}
    for people in names:
        for name in set(people):
            pairs[name] = pairs.get(name, 0) + 1
    lost, gained = dict.fromkeys(pairs, 0), dict.fromkeys(pairs, 0)
    for flip in flips:
        for name in set(names[flip.pair]):
            (lost if flip.lost else gained)[name] += 1
    changed = [
        PersonChange(name=name, pairs=pairs[name], lost=lost[name], gained=gained[name])
        for name in pairs
        if lost[name] or gained[name]
    ]
    return tuple(sorted(changed, key=lambda person: (person.gained - person.lost, -person.lost, person.name)))
