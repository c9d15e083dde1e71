import numpy as np
import pytest

from ghostface_edge.calibration.bin_file import write_bin
from ghostface_edge.calibration.pair_sample import sample_pairs
from ghostface_edge.calibration.verification import load_pairs
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import fold_indices

PAIRS = 200


@pytest.fixture
def pairs(tmp_path, picture, encode):
    """200 pairs, genuine and impostor in turn, over 100 faces."""
    images = [encode(picture(seed), ".png") for seed in range(100)]
    draw = np.random.default_rng(0)
    chosen = [images[face] for _ in range(PAIRS) for face in draw.choice(100, 2, replace=False)]
    same = np.arange(PAIRS) % 2 == 0
    write_bin(tmp_path / "few.bin", chosen, same.tolist())
    return load_pairs(tmp_path / "few.bin")


@pytest.mark.parametrize("faces", [None, 100, 1000])
def test_all_pairs_where_all_faces_may_be_used(pairs, faces):
    sample = sample_pairs(pairs, faces, seed=0)
    assert sample.pairs.tolist() == list(range(PAIRS))
    assert sample.rows.tolist() == list(range(len(pairs.images)))


@pytest.mark.parametrize("faces", [40, 55, 90])
def test_as_many_of_every_fold_and_label_within_the_bound(pairs, faces):
    sample = sample_pairs(pairs, faces, seed=3)
    counts = {
        (number, label): np.isin(fold[pairs.same[fold] == label], sample.pairs).sum()
        for number, fold in enumerate(fold_indices(PAIRS, pairs.folds))
        for label in (True, False)
    }
    assert len(set(counts.values())) == 1
    assert min(counts.values()) >= 1
    assert len(sample.rows) <= faces
    assert (np.diff(sample.pairs) > 0).all()
    assert (sample.rows == np.unique(pairs.index[sample.pairs])).all()


def test_folds_stay_folds(pairs):
    sample = sample_pairs(pairs, 60, seed=0)
    before = np.empty(PAIRS, int)
    for number, fold in enumerate(fold_indices(PAIRS, pairs.folds)):
        before[fold] = number
    for number, fold in enumerate(fold_indices(len(sample.pairs), pairs.folds)):
        assert (before[sample.pairs[fold]] == number).all()


def test_a_seed_chooses(pairs):
    first, again, other = (sample_pairs(pairs, 60, seed=seed).pairs.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_too_few_faces_are_refused(pairs):
    with pytest.raises(InputError, match="3 faces are too few for 10 folds of few") as refused:
        sample_pairs(pairs, 3, seed=0)
    assert "--device-faces to 40" in refused.value.fix
