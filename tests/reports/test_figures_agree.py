"""Figures of one variant on one set of pairs: right up to the last digit that is kept, wrong beyond it."""

import math
import statistics
from typing import Any

import pytest

from ghostface_edge.reports.discordant import Z95, detectable_drop, mcnemar
from ghostface_edge.reports.evidence import TarDrop
from ghostface_edge.reports.figures_agree import NEAR, NEAR_PP, Result, disagreements, holds, is_share, reference_tar
from ghostface_edge.reports.provenance import Pairs
from ghostface_edge.reports.variant import Accuracy, VersusReference

PAIRS = Pairs(path="lfw.bin", sha256="c" * 64, count=1000, same=500, images=1500)
PERFECT = {"eer": 0.0, "auc": 1.0, "tar_at_far": {"0.01": 1.0, "0.001": 1.0}}


def _accuracy(*folds: float, **others: Any) -> Accuracy:
    error = statistics.stdev(folds) / math.sqrt(len(folds))
    whole = {"auc": 0.99, "eer": 0.04, "threshold": 0.3, "tar_at_far": {"0.01": 0.9, "0.001": 0.8}, **others}
    return Accuracy(mean=statistics.fmean(folds), standard_error=error, folds=folds, **whole)


def _drop(drop_pp: float, reach: float = 1.0) -> TarDrop:
    return TarDrop(drop_pp=drop_pp, ci95_pp=(drop_pp - reach, drop_pp + reach))


ACCURACY = _accuracy(*[0.95, 0.97] * 5)
VERSUS = VersusReference(
    reference="checkpoint",
    drop_pp=0.3,
    ci95_pp=(-0.2, 0.8),
    p_value=0.375,
    flipped_pairs=5,
    lost_pairs=4,
    cosine_mean=0.99,
    cosine_p01=0.95,
    cosine_min=0.9,
    tar_drop_pp={"0.01": _drop(0.2), "0.001": _drop(0.4)},
    detectable_drop_pp=detectable_drop(5, 1000),
    pairs=1000,
)


def _result(accuracy: Accuracy = ACCURACY, of: Pairs = PAIRS, /, **versus: Any) -> Result:
    return Result(accuracy, VERSUS.model_copy(update=versus), of)


def _changed(lost: int, gained: int, accuracy: Accuracy = ACCURACY, of: Pairs = PAIRS, /, **others: Any) -> Result:
    """So many decisions that changed, with all that follows from them."""
    drop_pp = 100 * (lost - gained) / of.count
    follows = {
        "lost_pairs": lost,
        "flipped_pairs": lost + gained,
        "drop_pp": drop_pp,
        "ci95_pp": (drop_pp - 0.5, drop_pp + 0.5),
        "p_value": mcnemar(lost, gained),
        "detectable_drop_pp": detectable_drop(lost + gained, of.count),
        "pairs": of.count,
    }
    return _result(accuracy, of, **(follows | others))


def _of_pairs(**fields: Any) -> Pairs:
    return PAIRS.model_copy(update=fields)


def _found(result: Result) -> dict[str, str]:
    return dict(disagreements(result))


def test_good_results_agree() -> None:
    assert _found(_result()) == {}
    for result in (_changed(4, 1), _changed(3, 3), _changed(1, 4), _changed(0, 0)):
        assert _found(result) == {}


def test_the_first_folds_are_the_larger_ones() -> None:
    assert _result(ACCURACY, _of_pairs(count=23)).fold_sizes() == [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]
    assert _result(ACCURACY, _of_pairs(count=20)).fold_sizes() == [2] * 10


def test_a_share_is_a_count_of_the_whole() -> None:
    assert is_share(0.25, 4)
    assert is_share(1 + NEAR, 1000)
    assert not is_share(0.3, 4)
    assert is_share(NEAR, 1)
    assert not is_share(2 * NEAR, 1)
    assert is_share(0.5 + 0.9 * NEAR, 1000)
    assert not is_share(0.5 + 1.1 * NEAR, 1000)


def test_an_interval_is_around_its_point() -> None:
    def found(low: float, high: float, point: float) -> list[tuple[str, str]]:
        return list(holds((low, high), point, "ci95", point_field="point"))

    assert found(1, 1, 1) == found(0.5, 1, 0.5 - NEAR) == found(0.5, 1, 1 + NEAR) == []
    assert found(1, 0.5, 0.7) == [("ci95", "the interval [1, 0.5] is the wrong way round")]
    below, above = found(0.5, 1, 0.5 - 2 * NEAR), found(0.5, 1, 1 + 2 * NEAR)
    assert below == [("point", "0.499998 is not within its own interval [0.5, 1]")]
    assert above == [("point", "1 is not within its own interval [0.5, 1]")]


def test_folds_are_two_or_more_of_pairs_that_are_there() -> None:
    one = ACCURACY.model_copy(update={"folds": (0.96,)})
    assert _found(_result(one)) == {"accuracy.folds": "1 folds of 1,000 pairs"}
    two = _accuracy(1.0, 0.0, **PERFECT)
    assert "accuracy.folds" not in _found(_result(two, _of_pairs(count=2, same=1)))
    assert _found(_result(two, _of_pairs(count=1))) == {"accuracy.folds": "2 folds of 1 pairs"}


def test_mean_and_error_are_those_of_the_folds() -> None:
    def found(**fields: float) -> dict[str, str]:
        return _found(_result(ACCURACY.model_copy(update=fields)))

    assert found(mean=0.96 * (1 + 0.9e-6)) == {}
    assert found(mean=0.96 * (1 + 1.1e-6)) == {"accuracy.mean": "0.960001, but the mean is not that of the folds, 0.96"}
    assert found(standard_error=1 / 300 + 0.9e-6) == {}
    assert found(standard_error=0.004) == {"accuracy.standard_error": "0.004, but that of the folds is 0.00333333"}


def test_a_fold_is_a_number_of_its_pairs() -> None:
    uneven = _accuracy(*[0.95, 0.97] * 4, 0.955, 0.97)
    assert _found(_result(uneven)) == {"accuracy.folds.8": "0.955 is no number of 100 pairs"}


def test_the_equal_error_rate_bounds_the_area() -> None:
    def found(auc: float) -> dict[str, str]:
        return _found(_result(ACCURACY.model_copy(update={"auc": auc})))

    assert found((1 - 0.04) ** 2 - NEAR) == found(1 - 0.04**2 + NEAR) == {}
    assert found(0.9216 - 2 * NEAR) == {"accuracy.auc": "an area of 0.921598 has no equal error rate of 0.04"}
    assert found(0.9984 + 2 * NEAR) == {"accuracy.auc": "an area of 0.998402 has no equal error rate of 0.04"}


def test_the_equal_error_rate_bounds_the_rates_below_it() -> None:
    def found(eer: float, tar: float) -> dict[str, str]:
        rates = {"auc": 0.99, "eer": eer, "tar_at_far": {"0.01": tar, "0.001": 0.8}}
        return _found(_result(ACCURACY.model_copy(update=rates), _of_pairs(same=None), tar_drop_pp={}))

    assert found(0.04, 1 - 0.04 + NEAR) == {}
    says = "0.960002 at a FAR below the equal error rate of 0.04"
    assert found(0.04, 0.96 + 2 * NEAR) == {"accuracy.tar_at_far.0.01": says}
    assert found(0.01, 1.0) == {}


def test_a_rate_is_a_number_of_genuine_pairs_where_their_number_is_known() -> None:
    between = ACCURACY.model_copy(update={"tar_at_far": {"0.01": 0.901, "0.001": 0.8}})
    assert _found(_result(between)) == {"accuracy.tar_at_far.0.01": "0.901 is no number of 500 genuine pairs"}
    assert _found(_result(between, _of_pairs(same=None))) == {}


def test_a_rate_rises_with_the_false_accepts() -> None:
    def found(tar: float) -> dict[str, str]:
        rates = ACCURACY.model_copy(update={"tar_at_far": {"0.01": tar, "0.001": 0.8}})
        return _found(_result(rates, _of_pairs(same=None)))

    assert found(0.8) == found(0.8 - NEAR) == {}
    assert found(0.7) == {"accuracy.tar_at_far.0.01": "0.7 falls below 0.8 at a lower FAR"}


def test_a_rate_that_cannot_be_measured_is_left_out() -> None:
    without = ACCURACY.model_copy(update={"tar_at_far": {"0.01": 0.9, "0.001": None}})
    assert _found(_result(without, tar_drop_pp={"0.01": _drop(0.2), "0.001": None})) == {}
    says = "there is no TAR at this FAR to have a drop, or the other way round"
    for accuracy, drops in (
        (without, {"0.001": _drop(0.4)}),
        (ACCURACY, {"0.001": None}),
        (ACCURACY, {"0.001": _drop(0.4), "0.1": _drop(0.2)}),
        (ACCURACY, {"0.1": None}),
    ):
        (far,) = {"0.1"} & drops.keys() or {"0.001"}
        assert _found(_result(accuracy, tar_drop_pp=drops)) == {f"versus_reference.tar_drop_pp.{far}": says}


def test_drops_are_within_their_intervals() -> None:
    assert _found(_result(ci95_pp=(0.4, 0.8))) == {
        "versus_reference.drop_pp": "0.3 is not within its own interval [0.4, 0.8]"
    }
    reversed_one = TarDrop(drop_pp=0.2, ci95_pp=(1, -1))
    assert _found(_result(tar_drop_pp={"0.01": reversed_one})) == {
        "versus_reference.tar_drop_pp.0.01.ci95_pp": "the interval [1, -1] is the wrong way round"
    }


def test_the_reference_has_a_rate_between_none_and_all() -> None:
    def found(tar: float, drop_pp: float) -> dict[str, str]:
        accuracy = ACCURACY.model_copy(update={**PERFECT, "tar_at_far": {"0.01": tar, "0.001": tar}})
        return _found(_result(accuracy, tar_drop_pp={"0.01": _drop(drop_pp)}))

    assert found(1.0, 100 * NEAR) == found(0.0, -100 * NEAR) == {}
    place = "versus_reference.tar_drop_pp.0.01.drop_pp"
    assert found(1.0, 0.5) == {place: "0.5 points more than the variant's TAR is no TAR"}
    assert found(0.0, -0.5) == {place: "-0.5 points more than the variant's TAR is no TAR"}


def test_the_reference_has_what_the_variant_has_and_lost() -> None:
    result = _result(tar_drop_pp={"0.01": _drop(0.2), "0.001": None})
    assert reference_tar(result, "0.01") == pytest.approx(0.902, abs=1e-12)
    assert reference_tar(result, "0.001") is None
    assert reference_tar(result, "0.1") is None
    without = ACCURACY.model_copy(update={"tar_at_far": {"0.01": None, "0.001": 0.8}})
    assert reference_tar(_result(without), "0.01") is None


def test_pairs_compared_are_those_of_the_set() -> None:
    assert _found(_result(pairs=None)) == {}
    assert _found(_result(pairs=999)) == {"versus_reference.pairs": "999, but the set has 1,000 pairs"}


def test_no_more_decisions_change_than_there_are() -> None:
    few, half = _of_pairs(count=20, same=10), _accuracy(*[0.5] * 10)
    assert _found(_changed(12, 8, half, few, ci95_pp=(-20, 60))) == {}
    assert _found(_changed(5, 0)) == {}
    place = "versus_reference.flipped_pairs"
    assert _found(_changed(12, 8, half, few, flipped_pairs=21)) == {place: "21 of 20 pairs, 12 of them lost"}
    assert _found(_changed(12, 8, half, few, flipped_pairs=21, lost_pairs=None)) == {
        place: "21 of 20 pairs, None of them lost"
    }
    assert _found(_result(lost_pairs=6)) == {place: "5 of 1,000 pairs, 6 of them lost"}


def test_changed_decisions_say_which_drop_would_be_seen() -> None:
    def found(drop_pp: float | None) -> dict[str, str]:
        return _found(_result(detectable_drop_pp=drop_pp))

    seen = detectable_drop(5, 1000)
    assert found(None) == found(seen + 0.9 * NEAR_PP) == {}
    assert found(seen + 1.1 * NEAR_PP) == {
        "versus_reference.detectable_drop_pp": f"so many changed decisions make it {seen:g}"
    }


def test_changed_decisions_bound_the_drop() -> None:
    def found(drop_pp: float) -> dict[str, str]:
        return _found(_result(lost_pairs=None, drop_pp=drop_pp, ci95_pp=(drop_pp - 0.5, drop_pp + 0.5)))

    assert found(0.5 + NEAR_PP) == found(-0.5 - NEAR_PP) == {}
    for beyond in (0.51, -0.51):
        says = f"{beyond}, but the changed decisions make it -0.5 to 0.5"
        assert found(beyond) == {"versus_reference.drop_pp": says}


def test_a_changed_decision_counts_more_in_a_small_fold() -> None:
    uneven = _accuracy(*[96 / 101] * 3, *[0.96] * 7)
    says = "0.31, but the changed decisions make it 0.29604 to 0.30099"
    found = _found(_changed(4, 1, uneven, _of_pairs(count=1003), drop_pp=0.31))
    assert found == {"versus_reference.drop_pp": says}
    only_lost = _found(_changed(5, 0, uneven, _of_pairs(count=1003), drop_pp=0.6))
    assert only_lost == {"versus_reference.drop_pp": "0.6, but the changed decisions make it 0.49505 to 0.5"}


def test_chance_is_computed_again_while_that_is_quick() -> None:
    assert _found(_result(p_value=0.375 + 0.9e-6)) == {}
    assert _found(_result(p_value=0.38)) == {
        "versus_reference.p_value": "0.38, but so many lost and gained pairs give 0.375"
    }
    many = _of_pairs(count=100_000, same=50_000)
    for gained, refused in ((4_900, True), (4_901, False)):
        wide = {"ci95_pp": (-1, 1), "p_value": 0.5}
        assert ("versus_reference.p_value" in _found(_changed(5_100, gained, ACCURACY, many, **wide))) is refused


def test_the_reference_has_an_accuracy_between_none_and_all() -> None:
    def found(right: float, drop_pp: float, flipped: int) -> dict[str, str]:
        accuracy = _accuracy(*[right] * 10)
        changed = {"flipped_pairs": flipped, "lost_pairs": None, "detectable_drop_pp": None}
        return _found(_result(accuracy, drop_pp=drop_pp, ci95_pp=(-0.6, 0.6), **changed))

    assert found(1.0, NEAR_PP, 0) == found(0.0, -NEAR_PP, 0) == {}
    for right, sign in ((1.0, 1), (0.0, -1)):
        for drop_pp in (1.005 * NEAR_PP, 0.1):
            says = f"{sign * drop_pp:g} points more than the variant's accuracy is no accuracy"
            assert found(right, sign * drop_pp, 1) == {"versus_reference.drop_pp": says}


def test_an_interval_is_about_as_wide_as_the_changed_decisions_tell() -> None:
    usual = Z95 * 100 * math.sqrt(8 / 1002 / 1000)

    def found(below: float, above: float) -> dict[str, str]:
        return _found(_changed(3, 3, ci95_pp=(-below, above)))

    assert found(usual / 8, usual / 8) == found(usual * 8, usual * 8) == {}
    place, says = "versus_reference.ci95_pp", "it reaches {:g} below and {:g} above the drop, where so many changed"
    for below, above in ((usual / 9, usual), (usual, usual / 9), (usual * 9, usual), (usual, usual * 9)):
        whole = f"{says.format(below, above)} decisions leave about {usual:g} open"
        assert found(below, above) == {place: whole}
    assert _found(_changed(4, 1, ci95_pp=(0.25, 0.8))) == {
        place: f"{says.format(0.05, 0.5)} decisions leave about {Z95 * 100 * math.sqrt(7 / 1002 / 1000):g} open"
    }


def test_a_large_drop_may_reach_what_an_accuracy_can_be() -> None:
    quarter = _accuracy(*[0.25] * 10)
    assert _found(_changed(500, 0, quarter, ci95_pp=(50, 50))) == {}
    assert _found(_changed(0, 500, _accuracy(*[0.75] * 10), ci95_pp=(-50, -50))) == {}
    assert _found(_changed(499, 0, quarter, ci95_pp=(49.9, 49.9))).keys() == {"versus_reference.ci95_pp"}


def test_the_lowest_cosine_is_not_above_the_first_percentile() -> None:
    assert _found(_result(cosine_min=0.95 + NEAR)) == {}
    assert _found(_result(cosine_min=0.96)) == {
        "versus_reference.cosine_min": "0.96 is above the first percentile, 0.95"
    }


@pytest.mark.parametrize(
    ("images", "least", "most"),
    [(1500, 0.9495, 0.9995), (100, 0.9495, 0.9995), (101, 0.94901, 0.99901), (20, 0.9475, 0.9975)],
)
def test_lowest_and_percentile_bound_the_mean(images: int, least: float, most: float) -> None:
    says = f"but the lowest and the first percentile make it {least:g} to {most:g}"
    for mean in (0.94, 0.9999):
        found = _found(_result(ACCURACY, _of_pairs(images=images), cosine_mean=mean))
        assert found == {"versus_reference.cosine_mean": f"{mean}, {says}"}


def test_a_mean_may_lie_on_its_bounds() -> None:
    least, most = 0.01 * 0.9 + (1 - 0.01) * 0.95, 0.01 * 0.95 + (1 - 0.01)
    for mean in (least - NEAR, most + NEAR):
        assert _found(_result(cosine_mean=mean)) == {}
    for mean in (least - 2 * NEAR, most + 2 * NEAR):
        assert _found(_result(cosine_mean=mean)).keys() == {"versus_reference.cosine_mean"}


def test_twenty_images_are_taken_where_their_number_is_not_said() -> None:
    says = "0.94, but the lowest and the first percentile make it 0.9475 to 0.9975"
    found = _found(_result(ACCURACY, _of_pairs(images=None), cosine_mean=0.94))
    assert found == {"versus_reference.cosine_mean": says}
