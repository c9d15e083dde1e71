"""One threshold on several sets: what goes with the first set and with the others' sizes."""

from typing import Any

import pytest

from ghostface_edge.reports.figures_agree import NEAR
from ghostface_edge.reports.one_threshold_agree import of_one_comparison, one_threshold_disagrees
from ghostface_edge.reports.provenance import Pairs
from ghostface_edge.reports.variant import Variant

from .conftest import altered

FEW = Pairs(path="few.bin", sha256="c" * 64, count=90, same=40, images=11, name="few")
MORE = Pairs(path="more.bin", sha256="d" * 64, count=600, same=300, images=1000, name="more")


def _on_a_set(threshold: float, genuine: int, impostor: int, fmr: float, fnmr: float) -> dict[str, Any]:
    return {"threshold": threshold, "genuine": genuine, "impostor": impostor, "fmr": fmr, "fnmr": fnmr}


def _point(threshold: float, far: float, frr: float) -> dict[str, float]:
    return {"threshold": threshold, "far": far, "frr": frr}


def _transfer(threshold: float) -> dict[str, Any]:
    return {name: _point(threshold, 0.01, 0.1) for name in ("reference", "frozen", "retuned")}


GOOD: dict[str, Any] = {
    "thresholds": {"0.01": _transfer(0.4), "0.001": _transfer(0.5)},
    "one_threshold": {
        "few": {"0.01": _on_a_set(0.4, 5, 50, 0.02, 0.2), "0.001": _on_a_set(0.5, 5, 50, 0.0, 0.4)},
        "more": {"0.01": _on_a_set(0.4, 300, 300, 0.01, 0.1), "0.001": _on_a_set(0.5, 300, 300, 0.0, 0.2)},
    },
}


def _variant(changes: dict[str, Any]) -> Variant:
    named = {"id": "tflite-int8", "runtime": "tflite", "precision": "int8", "method": "convert"}
    whole = {**named, "status": "skipped", "error": "nothing else of it is looked at", **altered(GOOD, changes)}
    return Variant.model_validate(whole)


def _found(changes: dict[str, Any], *others: Pairs) -> dict[str, str]:
    return dict(one_threshold_disagrees(_variant(changes), others or (FEW, MORE)))


def test_good_rates_agree() -> None:
    assert _found({}) == {}


def test_every_other_set_is_tried() -> None:
    says = "not every set, or one that the report has not"
    assert _found({}, FEW) == {"few": says, "more": says}
    assert _found({"one_threshold": {"few": GOOD["one_threshold"]["few"]}}) == {"few": says}


def test_every_threshold_of_the_first_set_is_tried() -> None:
    lacking = {f"one_threshold.{name}": {"0.01": GOOD["one_threshold"][name]["0.01"]} for name in ("few", "more")}
    says = "the first set gives thresholds for 0.01, 0.001"
    assert _found(lacking) == {"few": says, "more": says}


def test_the_threshold_is_that_of_the_first_set() -> None:
    place = "one_threshold.few.0.01.threshold"
    assert _found({place: 0.4 + 0.9 * NEAR}) == {}
    assert _found({place: 0.41}) == {"few.0.01.threshold": "0.41, but that of the first set is 0.4"}


@pytest.mark.parametrize(
    ("genuine", "impostor", "fits"), [(5, 50, True), (5, 51, False), (40, 50, True), (5, 85, False), (40, 20, False)]
)
def test_comparisons_are_the_pairs_or_no_more_than_images_have(genuine: int, impostor: int, fits: bool) -> None:
    """90 pairs, of which 40 are of one person, or 55 comparisons of 11 images."""
    counts = {"genuine": genuine, "impostor": impostor, "fmr": 0.0, "fnmr": 0.0}
    rates = {rate: {**GOOD["one_threshold"]["few"][rate], **counts} for rate in ("0.01", "0.001")}
    says = f"{genuine + impostor:,} comparisons, neither of the pairs nor of 11 images"
    refused = {} if fits else {f"few.{rate}.impostor": says for rate in ("0.01", "0.001")}
    assert _found({"one_threshold.few": rates}) == refused
    unknown = FEW.model_copy(update={"images": None})
    assert _found({"one_threshold.few": rates}, unknown, MORE) == {}


def test_twelve_images_have_sixty_six_comparisons() -> None:
    rates = {rate: {**GOOD["one_threshold"]["few"][rate], "impostor": 61, "fmr": 0.0} for rate in ("0.01", "0.001")}
    twelve = FEW.model_copy(update={"images": 12})
    assert _found({"one_threshold.few": rates}, twelve, MORE) == {}


def test_rates_are_numbers_of_comparisons() -> None:
    place = "one_threshold.few.0.01"
    assert _found({f"{place}.fmr": 0.03}) == {"few.0.01.fmr": "0.03 is no number of 50 comparisons"}
    assert _found({f"{place}.fnmr": 0.3}) == {"few.0.01.fnmr": "0.3 is no number of 5 comparisons"}


def test_a_higher_threshold_accepts_fewer() -> None:
    says = "FMR 0.02 and FNMR 0.2 at 0.4, but 0.04 and 0.4 at 0.5"
    assert _found({"one_threshold.few.0.001.fmr": 0.04}) == {"few": says}


def _beside(changes: dict[str, Any], others: dict[str, Any] | None = None) -> dict[str, str]:
    """A variant beside the first one."""
    return dict(of_one_comparison(_variant(changes), _variant(others or {})))


def test_all_rates_rest_on_the_same_comparisons() -> None:
    assert _beside({}) == {}
    says = "not as many comparisons at every rate as tflite-int8 has"
    for field in ("genuine", "impostor"):
        place = f"one_threshold.few.0.01.{field}"
        assert _beside({place: 7}) == _beside({}, {place: 7}) == {"few.genuine": says}


def test_a_set_that_the_other_lacks_is_not_compared() -> None:
    assert _beside({}, {"one_threshold": {}}) == {}
