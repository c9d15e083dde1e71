import pytest

from ghostface_edge.reports.assess import PairSet, assess
from ghostface_edge.reports.errors import InputError


def test_everything_about_one_variant(faces) -> None:
    names = [(f"p{left // 2}", f"p{right // 2}") for left, right in faces.index.tolist()]
    pairs = PairSet(faces.index, faces.same, names=names)
    result = assess(pairs, faces.noisy(1.2), faces.embeddings, "onnxruntime-fp32", seed=0)
    assert result.versus_reference.reference == "onnxruntime-fp32"
    assert result.versus_reference.flipped_pairs == len(result.flips)
    assert sum(result.fold_drops_pp) / 10 == pytest.approx(result.versus_reference.drop_pp)
    assert result.cosines.mean() == pytest.approx(result.versus_reference.cosine_mean)
    assert result.scores.shape == (2_000,)
    assert result.people[0].lost > 0


def test_people_are_found_by_name_or_by_genuine_pairs(faces) -> None:
    names = [(f"p{left // 2}", f"p{right // 2}") for left, right in faces.index.tolist()]
    named = PairSet(faces.index, faces.same, names=names).identities()
    linked = PairSet(faces.index, faces.same).identities()
    assert named.shape == linked.shape == (2_000, 2)
    assert (named[:, 0] == named[:, 1]).tolist() == faces.same.tolist()
    assert (linked[:, 0] == linked[:, 1]).tolist() == faces.same.tolist()


def test_a_collapsed_model_is_an_error_that_names_the_figure(faces) -> None:
    with pytest.raises(InputError, match="4000 of 4000 embeddings are zero"):
        assess(PairSet(faces.index, faces.same), 0 * faces.embeddings, faces.embeddings, "fp32", seed=0)
