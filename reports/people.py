"""Who is on which image of the pairs, where names are not known, and to whom a pair belongs."""

import numpy as np
from numpy.typing import NDArray


def link_identities(index: NDArray[np.integer], same: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Work out who is who where only pairs are known: images linked by genuine pairs show one person.

    Args:
        index: (P, 2), the two images of each pair.
        same: (P,).

    Returns:
        (P, 2), an identity per image. A person whose images no genuine pair links counts as several.
    """
    person = np.arange(int(index.max()) + 1)
    genuine = index[same]
    while True:
        lowest = person.copy()
        np.minimum.at(lowest, genuine[:, 0], person[genuine[:, 1]])
        np.minimum.at(lowest, genuine[:, 1], person[genuine[:, 0]])
        if np.array_equal(lowest, person):
            linked: NDArray[np.int64] = person[index]
            return linked
        person = lowest


def owners(identities: NDArray[np.integer]) -> NDArray[np.int64]:
    """Give every pair to one person, so that pairs can be resampled by person: (P,), 0-based.

    A pair of two people goes to whoever of them occurs in more pairs: who links many pairs makes them dependent.
    """
    _, labels = np.unique(identities, return_inverse=True)
    labels = labels.reshape(identities.shape)
    occurrences = np.bincount(labels.ravel())
    first, second = labels[:, 0], labels[:, 1]
    chosen: NDArray[np.int64] = np.where(occurrences[first] >= occurrences[second], first, second)
    return chosen
