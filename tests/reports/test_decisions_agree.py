"""Decisions pair by pair and at fixed thresholds: what goes with a variant's figures, and what does not."""

from typing import Any

from ghostface_edge.reports.decisions_agree import flips_disagree, thresholds_disagree
from ghostface_edge.reports.evidence import TarDrop
from ghostface_edge.reports.figures_agree import NEAR, NEAR_PP, Result
from ghostface_edge.reports.provenance import Pairs
from ghostface_edge.reports.variant import Accuracy, Variant, VersusReference

from .conftest import altered

PAIRS = Pairs(path="lfw.bin", sha256="c" * 64, count=201, same=100)
ACCURACY = Accuracy(
    mean=(91 / 101 + 0.95) / 2,
    standard_error=0.0,
    folds=(91 / 101, 0.95),
    auc=0.99,
    eer=0.05,
    threshold=0.4,
    tar_at_far={"0.01": 0.9, "0.001": None},
)
FOLD_DROPS = (100 / 101, 2.0)
VERSUS = VersusReference(
    reference="checkpoint",
    drop_pp=(100 / 101 + 2) / 2,
    ci95_pp=(-1, 4),
    p_value=1.0,
    flipped_pairs=5,
    lost_pairs=4,
    cosine_mean=0.99,
    cosine_p01=0.95,
    cosine_min=0.9,
    tar_drop_pp={"0.01": TarDrop(drop_pp=2.0, ci95_pp=(0, 4)), "0.001": None},
)


def _flip(pair: int, fold: int, *, same: bool, lost: bool) -> dict[str, Any]:
    accepted, rejected = {"score": 0.7, "threshold": 0.4}, {"score": 0.2, "threshold": 0.4}
    reference, variant = (accepted, rejected) if same == lost else (rejected, accepted)
    scores = {
        f"{who}_{key}": part[key] for who, part in (("reference", reference), ("variant", variant)) for key in part
    }
    margin = abs(variant["score"] - variant["threshold"])
    return {"pair": pair, "fold": fold, "same": same, "lost": lost, "images": (0, 1), "margin": margin, **scores}


GOOD: dict[str, Any] = {
    "flips": [
        _flip(0, 0, same=True, lost=True),
        _flip(100, 0, same=False, lost=True),
        _flip(50, 0, same=False, lost=False),
        _flip(101, 1, same=True, lost=True),
        _flip(200, 1, same=False, lost=True),
    ],
    "fold_drops_pp": FOLD_DROPS,
    "thresholds": {
        "0.01": {
            "reference": {"threshold": 0.4, "far": 1 / 101, "frr": 0.08},
            "frozen": {"threshold": 0.4, "far": 2 / 101, "frr": 0.09},
            "retuned": {"threshold": 0.42, "far": 1 / 101, "frr": 0.1},
        },
        "0.001": None,
    },
}


def _variant(changes: dict[str, Any]) -> Variant:
    named = {"id": "tflite-int8", "runtime": "tflite", "precision": "int8", "method": "convert"}
    whole = {**named, "status": "skipped", "error": "nothing else of it is looked at", **altered(GOOD, changes)}
    return Variant.model_validate(whole)


def _result(accuracy: dict[str, Any], of: dict[str, Any], versus: dict[str, Any]) -> Result:
    return Result(ACCURACY.model_copy(update=accuracy), VERSUS.model_copy(update=versus), PAIRS.model_copy(update=of))


def _flipped(changes: dict[str, Any], accuracy: dict[str, Any] | None = None, **versus: Any) -> dict[str, str]:
    return dict(flips_disagree(_variant(changes), _result(accuracy or {}, {}, versus)))


def _thresholds(changes: dict[str, Any], accuracy: dict[str, Any] | None = None, **of: Any) -> dict[str, str]:
    return dict(thresholds_disagree(_variant(changes), _result(accuracy or {}, of, {})))


def _frozen(far: float, frr: float) -> dict[str, str]:
    """Where nothing says how many pairs are of one person."""
    changes = {"thresholds.0.01.frozen.far": far, "thresholds.0.01.frozen.frr": frr}
    return _thresholds(changes, same=None)


def test_good_decisions_agree() -> None:
    assert _flipped({}) == _thresholds({}) == {}


def test_decisions_need_not_be_listed() -> None:
    assert (
        _flipped({"flips": []}) == _flipped({"fold_drops_pp": []}) == _flipped({"flips": [], "fold_drops_pp": []}) == {}
    )
    assert _thresholds({"thresholds": {}}) == {}


def test_drops_are_of_the_accuracys_folds() -> None:
    found = _flipped({"fold_drops_pp": (0.99, 2.0, 1.5)})
    assert found == {"fold_drops_pp": "3 folds, but the accuracy has 2"}


def test_the_drop_is_the_mean_of_the_folds() -> None:
    drop_pp = VERSUS.drop_pp
    assert _flipped({}, drop_pp=drop_pp + 0.9 * NEAR_PP) == {}
    place = "versus_reference.drop_pp"
    assert _flipped({}, drop_pp=1.6) == {place: "1.6, but the folds make it 1.49505"}
    assert _flipped({}, drop_pp=drop_pp + 2 * NEAR_PP).keys() == {place}


def test_a_folds_drop_leaves_the_reference_a_number_of_pairs() -> None:
    found = _flipped({"flips": [], "fold_drops_pp": (100 / 101, 2.5)}, drop_pp=(100 / 101 + 2.5) / 2)
    assert found == {"fold_drops_pp.1": "2.5 points more than the variant's 0.95 is no accuracy"}


def test_a_folds_drop_leaves_the_reference_an_accuracy() -> None:
    def found(right: float, drop_pp: float) -> dict[str, str]:
        drops = {"flips": [], "fold_drops_pp": (100 / 101, drop_pp)}
        return _flipped(drops, {"folds": (91 / 101, right)}, drop_pp=(100 / 101 + drop_pp) / 2)

    assert found(0.0, -100 * NEAR) == found(1.0, 100 * NEAR) == found(1.0, 0.0) == {}
    assert found(1.0, 1.0) == {"fold_drops_pp.1": "1 points more than the variant's 1 is no accuracy"}
    assert found(0.0, -1.0) == {"fold_drops_pp.1": "-1 points more than the variant's 0 is no accuracy"}


def test_a_folds_drop_is_that_of_its_listed_pairs() -> None:
    found = _flipped({"fold_drops_pp": (200 / 101, 2.0)}, drop_pp=(200 / 101 + 2) / 2)
    assert found == {"fold_drops_pp.0": "1.9802, but the pairs listed make it 0.990099"}


def test_as_many_pairs_are_listed_as_changed() -> None:
    place = "versus_reference.flipped_pairs"
    assert _flipped({}, lost_pairs=None) == {}
    assert _flipped({}, flipped_pairs=6) == {place: "6, 4 of them lost, but 5 and 4 are listed"}
    assert _flipped({}, lost_pairs=3) == {place: "5, 3 of them lost, but 5 and 4 are listed"}


def test_a_pair_is_listed_once() -> None:
    assert _flipped({"flips.1.pair": 0}) == {"flips": "a pair is listed twice"}


def test_a_pair_lies_in_its_fold() -> None:
    assert _flipped({"flips.1.pair": 101, "flips.3.pair": 150}) == {"flips.1.fold": "pair 101 is not in fold 0"}
    assert _flipped({"flips.3.pair": 99}) == {"flips.3.fold": "pair 99 is not in fold 1"}
    assert _flipped({"flips.4.pair": 201}) == {"flips.4.fold": "pair 201 is not in fold 1"}
    found = _flipped({"flips.4.pair": 201, "flips.4.fold": 2})
    assert found["flips.4.fold"] == "pair 201 is not in fold 2"


def test_scores_decide_as_is_said() -> None:
    says = "0.3 at the threshold 0.4 decides the other way"
    assert _flipped({"flips.0.reference_score": 0.3}) == {"flips.0.reference_score": says}
    assert _flipped({"flips.2.variant_score": 0.3, "flips.2.margin": 0.1}) == {}
    says = "0.5 at the threshold 0.4 decides the other way"
    assert _flipped({"flips.2.variant_score": 0.5, "flips.2.margin": 0.1}) == {"flips.2.variant_score": says}
    assert _flipped({"flips.2.lost": True, "flips.0.lost": False}).keys() == {
        f"flips.{number}.{who}_score" for number in (0, 2) for who in ("reference", "variant")
    }


def test_scores_are_rounded() -> None:
    def found(score: float, margin: float) -> dict[str, str]:
        changes = {"variant_score": score, "variant_threshold": 0.0, "margin": margin}
        return _flipped({f"flips.0.{field}": value for field, value in changes.items()})

    assert found(2e-6, 2e-6) == found(0.0, 2e-6) == {}
    assert found(3e-6, 3e-6).keys() == {"flips.0.variant_score"}
    assert found(0.0, 3e-6) == {"flips.0.margin": "3e-06, but score and threshold make it 0"}
    assert _flipped({"flips.0.margin": 0.3}) == {"flips.0.margin": "0.3, but score and threshold make it 0.2"}


def test_a_threshold_is_there_where_a_rate_is() -> None:
    says = "there is no TAR at this FAR, or no threshold for it"
    rates = GOOD["thresholds"]["0.01"]
    for far, transfer in (("0.01", None), ("0.001", rates), ("0.1", None), ("0.1", rates)):
        assert _thresholds({"thresholds": {far: transfer}}) == {f"thresholds.{far}": says}


def test_rejections_are_what_the_rates_leave() -> None:
    place = "thresholds.0.01"
    assert _thresholds({f"{place}.retuned.frr": 0.11}) == {f"{place}.retuned.frr": "0.11, but the TAR is 0.9"}
    says = "0.07, but TAR and drop make it 0.08"
    assert _thresholds({f"{place}.reference.frr": 0.07}) == {f"{place}.reference.frr": says}
    unknown = _result({}, {}, {"tar_drop_pp": {}})
    assert list(thresholds_disagree(_variant({f"{place}.reference.frr": 0.07}), unknown)) == []


def test_a_frozen_threshold_is_the_references() -> None:
    place = "thresholds.0.01.frozen.threshold"
    assert _thresholds({place: 0.41}) == {place: "a frozen threshold is the reference's"}


def test_an_own_threshold_keeps_the_rate_asked_for() -> None:
    for name in ("reference", "retuned"):
        place = f"thresholds.0.01.{name}.far"
        assert _thresholds({place: 0.01 + NEAR_PP * 0.01}, same=None) == {}
        assert _thresholds({place: 2 / 101}) == {place: "0.019802 is above the FAR asked for, 0.01"}


def test_a_higher_threshold_accepts_fewer() -> None:
    place, says = "thresholds.0.01.frozen", "a lower threshold accepts less than a higher one"
    assert _frozen(1 / 101, 0.1) == {}
    assert _frozen(0.0, 0.09) == {place: says}
    assert _frozen(2 / 101, 0.11) == {place: says}


def test_one_threshold_has_one_pair_of_rates() -> None:
    own = {"thresholds.0.01.retuned.threshold": 0.4}
    assert _thresholds(own) == {"thresholds.0.01.frozen": "one threshold has two rates"}
    frozen = {"thresholds.0.01.frozen.far": 1 / 101, "thresholds.0.01.frozen.frr": 0.1}
    assert _thresholds(own | frozen) == {}


def test_rates_lie_on_two_sides_of_the_equal_error_rate() -> None:
    assert _frozen(0.05 + NEAR_PP, 0.05 + NEAR_PP) == _frozen(0.05 - NEAR_PP, 0.05 - NEAR_PP) == {}
    for far, frr in ((0.06, 0.06), (0.04, 0.04)):
        says = f"rates of {far} and {frr} are on the same side of the equal error rate, 0.05"
        assert _frozen(far, frr) == {"thresholds.0.01.frozen": says}


def test_rates_are_numbers_of_pairs() -> None:
    place = "thresholds.0.01.frozen"
    assert _thresholds({f"{place}.far": 0.015}) == {f"{place}.far": "0.015 is no number of 101 pairs of two people"}
    assert _thresholds({f"{place}.frr": 0.095}) == {f"{place}.frr": "0.095 is no number of 100 genuine pairs"}
    assert _thresholds({f"{place}.frr": 0.095}, same=None) == {}
    assert f"{place}.far" in _thresholds({f"{place}.far": 0.015}, same=0)
