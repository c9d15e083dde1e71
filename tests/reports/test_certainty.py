import numpy as np
import pytest

from ghostface_edge.reports.all_against_all import AllPairs, DetPoint, FnmrAtFmr, Support
from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.certainty import certainty, threshold_at
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import normalized


def found(**changed: object) -> AllPairs:
    """Three thresholds counted, and a bound above them."""
    return AllPairs.model_validate(
        {
            "images": 400,
            "people": 200,
            "genuine": 200,
            "impostor": 79_600,
            "eer": 0.1,
            "fnmr_at_fmr": {
                "0.01": FnmrAtFmr(support=Support.FIGURE, threshold=0.2, fmr=0.0099, fnmr=0.1, ci95=(0.05, 0.2)),
                "0.0001": FnmrAtFmr(support=Support.BOUND, threshold=0.5, fmr=0.00002, fnmr=0.4, ci95=(0.3, 0.5)),
            },
            "not_answerable": {"0.00001": "220,400 more comparisons of different people are needed even for a bound"},
            "det": [
                DetPoint(threshold=0.0, fmr=0.5, fnmr=0.01),
                DetPoint(threshold=0.1, fmr=0.1, fnmr=0.05),
                DetPoint(threshold=0.3, fmr=0.001, fnmr=0.2),
            ],
            **changed,
        }
    )


def test_rates_are_those_of_the_nearest_thresholds_that_cannot_flatter() -> None:
    for cosine, fmr, fnmr in (
        (-0.5, 1.0, 0.15),  # 30 of 200 pairs of one person: fewer rejections are no figure
        (0.0, 0.5, 0.15),
        (0.15, 0.1, 0.15),
        (0.2, 0.0099, 0.2),
        (0.29, 0.0099, 0.2),
        (0.9, 0.0001, 1.0),  # a bound is what it promises, not what was counted
    ):
        told = certainty(found(), cosine)
        assert (told.fmr, told.fnmr) == (fmr, fnmr)


def test_no_score_is_called_surer_than_it_was_counted() -> None:
    rng = np.random.default_rng(5)
    people = np.repeat(np.arange(150), 2)
    embeddings = (rng.standard_normal((150, 24))[people] + 0.8 * rng.standard_normal((300, 24))).astype(np.float32)
    gallery = Gallery.of([str(person) for person in people])
    counted = judge_all_pairs(compare_all(embeddings, gallery))
    unit = normalized(embeddings)
    first, second = np.triu_indices(300, 1)
    scores, same = (unit @ unit.T)[first, second], people[first] == people[second]
    for cosine in np.linspace(-0.9, 0.99, 60):
        told = certainty(counted, float(cosine))
        assert told.fmr >= max((scores[~same] >= cosine).mean(), 3 / counted.impostor)
        assert told.fnmr >= (scores[same] < cosine).mean() - 1e-9


def test_the_usual_threshold_is_of_one_in_a_thousand_or_of_the_strictest_looser_rate() -> None:
    assert threshold_at(found(), None) == threshold_at(found(), "0.01")
    usual = FnmrAtFmr(support=Support.FIGURE, threshold=0.3, fmr=0.001, fnmr=0.2, ci95=(0.1, 0.3))
    chosen = threshold_at(found(fnmr_at_fmr={"0.001": usual, **found().fnmr_at_fmr}), None)
    assert chosen is not None
    assert (chosen.cosine, chosen.fmr) == (0.3, "0.001")
    assert threshold_at(found(fnmr_at_fmr={}), None) is None


def test_a_rate_that_is_insisted_on_has_to_be_told() -> None:
    with pytest.raises(InputError, match="220,400 more comparisons") as caught:
        threshold_at(found(), "0.00001")
    assert caught.value.fix == "choose from 0.01, 0.0001"
