"""Comparisons to look at: what goes with their kind, their order and the thresholds."""

from typing import Any

from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.figures_agree import NEAR
from ghostface_edge.reports.review import Review
from ghostface_edge.reports.review_agrees import of_one_reference, review_disagrees

from .conftest import altered

GOOD: dict[str, Any] = {
    "thresholds": {"0.01": 0.4, "0.001": 0.5},
    "impostor": [
        {"names": ["ann", "bea"], "images": [0, 9], "cosine": 0.6},
        {"names": ["ann", "cleo"], "images": [1, 5], "cosine": 0.5},
        {"names": ["bea", "cleo"], "images": [4, 5], "cosine": 0.5},
    ],
    "genuine": [
        {"names": ["ann", "ann"], "images": [0, 1], "cosine": 0.1},
        {"names": ["bea", "bea"], "images": [3, 2], "cosine": 0.2},
    ],
}


def _found(changes: dict[str, Any], images: int | None = 10) -> dict[str, str]:
    return dict(review_disagrees(Review.model_validate(altered(GOOD, changes)), images))


def test_a_good_list_agrees() -> None:
    assert _found({}) == _found({}, None) == {}


def test_names_are_of_the_kind() -> None:
    says = "'bea' and 'bea' in a comparison that is impostor"
    assert _found({"impostor.0.names": ["bea", "bea"]}) == {"impostor.0.names": says}
    says = "'ann' and 'cleo' in a comparison that is genuine"
    assert _found({"genuine.0.names": ["ann", "cleo"]}) == {"genuine.0.names": says}


def test_images_are_two_of_those_compared() -> None:
    assert _found({}, 9) == {"impostor.0.images": "0 and 9 of 9 images"}
    for images in (10, None):
        found = _found({"genuine.0.images": [1_234, 1_234]}, images)
        assert found == {"genuine.0.images": f"1,234 and 1,234 of {images} images"}
    assert _found({"genuine.1.images": [10, 2]}) == {"genuine.1.images": "10 and 2 of 10 images"}


def test_the_highest_of_two_people_come_first() -> None:
    assert _found({"impostor.2.cosine": 0.5 + NEAR}) == {}
    assert _found({"impostor.2.cosine": 0.5 + 1.1 * NEAR}).keys() == {"impostor.2.cosine"}
    assert _found({"impostor.1.cosine": 0.7}) == {"impostor.1.cosine": "0.7 comes after 0.6"}


def test_the_lowest_of_one_person_come_first() -> None:
    same = {f"genuine.{number}.cosine": 0.0 for number in (0, 1)}
    assert _found(same | {"genuine.1.cosine": -NEAR}) == {}
    assert _found(same | {"genuine.1.cosine": -1.1 * NEAR}).keys() == {"genuine.1.cosine"}
    assert _found({"genuine.0.cosine": 0.3}) == {"genuine.1.cosine": "0.2 comes after 0.3"}


def _row(threshold: float, frozen: float | None) -> dict[str, Any]:
    rates = {"fmr": 0.0, "fnmr": 0.5, "rise_pp": 0.0, "rise_ci95_pp": [-1, 1]}
    return {
        **rates,
        "support": "figure",
        "threshold": threshold,
        "ci95": [0, 1],
        "frozen": None if frozen is None else {**rates, "threshold": frozen},
    }


def _beside(rows: dict[str, Any]) -> dict[str, str]:
    counts = {"images": 10, "people": 5, "genuine": 5, "impostor": 40, "eer": 0.1}
    gallery = AllPairs.model_validate({**counts, "fnmr_at_fmr": rows})
    return dict(of_one_reference(Review.model_validate(GOOD), gallery, "tflite-int8"))


def test_thresholds_are_those_that_the_variants_are_held_against() -> None:
    assert _beside({"0.01": _row(0.3, 0.4 + 0.9e-7), "0.001": _row(0.3, None)}) == {}
    found = _beside({"0.01": _row(0.4, 0.41), "0.001": _row(0.5, 0.5)})
    assert found == {"thresholds.0.01": "0.4, but tflite-int8 has 0.41"}


def test_thresholds_are_for_the_rates_that_the_variants_state() -> None:
    found = _beside({"0.01": _row(0.4, 0.4)})
    assert found == {"thresholds": "of ['0.001', '0.01'], but tflite-int8 has ['0.01']"}
