from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.calibration.verification import load_pairs
from ghostface_edge.pipeline.synthetic.sets import (
    Population,
    picture,
    render_calibration,
    render_pairs,
    write_calibration,
    write_pairs,
)
from ghostface_edge.reports.errors import InputError


def test_pairs_are_even_in_every_fold_and_folds_share_nobody() -> None:
    pairs = render_pairs(80, seed=3)
    assert pairs.faces.shape == (80, 112, 112, 3)
    assert pairs.faces.dtype == np.uint8
    people = np.array(pairs.names)[pairs.index].reshape(10, 8, 2)
    same = pairs.same.reshape(10, 8)
    assert (same.sum(1) == 4).all()
    assert ((people[..., 0] == people[..., 1]) == same).all()
    assert (pairs.index[:, 0] != pairs.index[:, 1]).all()
    seen = [set(fold.ravel()) for fold in people]
    assert sum(len(names) for names in seen) == len(set.union(*seen))


def test_a_seed_gives_the_same_pairs_again_and_another_seed_others() -> None:
    first, again, other = render_pairs(40, seed=1), render_pairs(40, seed=1), render_pairs(40, seed=2)
    np.testing.assert_array_equal(first.faces, again.faces)
    np.testing.assert_array_equal(first.index, again.index)
    assert (first.faces != other.faces).any()
    assert set(first.names).isdisjoint(other.names)


@pytest.mark.parametrize("count", [0, 20, 50, -40])
def test_pairs_that_cannot_be_even_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="rendered pairs"):
        render_pairs(count)


def test_populations_share_no_face() -> None:
    faces = {picture(population, 0, 5, 0).tobytes() for population in Population}
    assert len(faces) == len(Population)


def test_written_pairs_are_read_by_the_loader_of_real_ones(tmp_path: Path) -> None:
    loaded = load_pairs(write_pairs(tmp_path, 40, seed=4))
    rendered = render_pairs(40, seed=4)
    assert loaded.same.tolist() == rendered.same.tolist()
    assert loaded.identities is not None
    assert loaded.people <= set(rendered.names)
    (faces,) = iterate_faces(loaded.images, 100)
    np.testing.assert_array_equal(faces[loaded.index], rendered.faces[rendered.index])


def test_written_calibration_shares_nobody_with_the_pairs(tmp_path: Path) -> None:
    chosen = sample(scan_folder(write_calibration(tmp_path, 6, seed=4)), 6, 0)
    assert len(chosen.people) == 6
    assert chosen.people.isdisjoint(render_pairs(40, seed=4).names)
    ours = {face.tobytes() for face in render_calibration(6, seed=4)}
    assert {face.tobytes() for face in chosen.load()} == ours
