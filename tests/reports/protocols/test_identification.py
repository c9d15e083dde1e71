import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.protocols.identification import identify


def at(*degrees):
    angles = np.deg2rad(np.array(degrees, float))
    return (np.stack([np.cos(angles), np.sin(angles)], axis=1) * 4).astype(np.float32)


GALLERY, GALLERY_IDS = at(0, 60, 120), np.array([1, 2, 3])


def test_by_hand():
    """Persons 1, 2, 3 at 0, 60 and 120 degrees.

    Mated probes: person 1 at 10 (rank 1, cos 10), person 2 at 25 (rank 2, person 1 is nearer), person 3 at 112 (rank 1,
    cos 8), person 1 at 100 (rank 3). Strangers at 180 (cos 60), 80 (cos 20), 150 (cos 30), 63 (cos 3).
    """
    probes = at(10, 25, 112, 100, 180, 80, 150, 63)
    ids = np.array([1, 2, 3, 1, 90, 91, 92, 93])
    result = identify(GALLERY, GALLERY_IDS, probes, ids, ranks=(1, 2, 3), fpirs=(0.25, 0.5, 0.1, 1.0))
    assert (result.mated, result.non_mated) == (4, 4)
    assert result.rank == {1: 0.5, 2: 0.75, 3: 1.0}
    # one stranger in four may pass: the threshold lies at the second one, cos 20; two: at cos 30
    assert result.tpir == {0.25: 0.5, 0.5: 0.5, 0.1: None, 1.0: 0.5}


def test_the_threshold_of_the_strangers_costs_hits():
    probes, ids = at(10, 112, 2, 1), np.array([1, 3, 90, 91])
    result = identify(GALLERY, GALLERY_IDS, probes, ids, ranks=(1,), fpirs=(0.5, 1.0))
    assert result.rank == {1: 1.0}
    assert result.tpir == {0.5: 0.0, 1.0: 1.0}


def test_a_tie_counts_against_the_probe():
    twins = np.concatenate([GALLERY, GALLERY[:1]])
    result = identify(twins, np.array([1, 2, 3, 4]), at(0), np.array([1]), ranks=(1, 2), fpirs=(0.1,))
    assert result.rank == {1: 0.0, 2: 1.0}
    assert result.tpir == {0.1: None}


def test_refusals():
    with pytest.raises(InputError, match="person 1 is enrolled twice"):
        identify(GALLERY, np.array([1, 1, 2]), at(0), np.array([1]))
    with pytest.raises(InputError, match="no probe shows anybody"):
        identify(GALLERY, GALLERY_IDS, at(0), np.array([9]))
    with pytest.raises(InputError, match="3 embeddings for 2 enrolled"):
        identify(GALLERY, GALLERY_IDS[:2], at(0), np.array([1]))
