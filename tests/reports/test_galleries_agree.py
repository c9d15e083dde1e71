"""Galleries of one variant with probes of another: what goes with the variants' own figures."""

from typing import Any

import pytest

from ghostface_edge.reports.evidence import CrossPrecision
from ghostface_edge.reports.figures_agree import NEAR, NEAR_PP, Result
from ghostface_edge.reports.galleries_agree import galleries_disagree
from ghostface_edge.reports.provenance import Pairs
from ghostface_edge.reports.variant import Accuracy, VersusReference

from .conftest import altered


def _result(accuracy: float, tar: float | None, cosine: float) -> Result:
    """Only what is compared says something."""
    shown = {"mean": accuracy, "tar_at_far": {"0.01": tar, "0.001": None}}
    rest = {"standard_error": 0, "folds": (), "auc": 1, "eer": 0, "threshold": 0}
    versus = {"cosine_mean": cosine, "cosine_p01": 0, "cosine_min": 0, "p_value": 1, "flipped_pairs": 0}
    return Result(
        Accuracy.model_validate(shown | rest),
        VersusReference.model_validate(versus | {"reference": "checkpoint", "drop_pp": 0, "ci95_pp": (0, 0)}),
        Pairs(path="lfw.bin", sha256="c" * 64, count=1000),
    )


MEASURED = {"tflite-fp32": _result(0.99, 0.9, 1.0), "tflite-int8": _result(0.97, 0.8, 0.98)}
MORE = MEASURED | {"openvino-int8": _result(0.98, 0.8, 0.98)}
GOOD: dict[str, Any] = {
    "variants": ["tflite-fp32", "tflite-int8"],
    "far": "0.01",
    "accuracy": [[0.99, 0.98], [0.985, 0.97]],
    "tar": [[0.9, 0.85], [0.86, 0.8]],
    "cosine": [[1.0, 0.98], [0.98, 1.0]],
    "loss_pp": [[0.0, -1.0], [0.5, 0.0]],
    "reenroll": [[False, False], [True, False]],
}


def _found(changes: dict[str, Any], measured: dict[str, Result] = MEASURED) -> dict[str, str]:
    return dict(galleries_disagree(CrossPrecision.model_validate(altered(GOOD, changes)), measured))


def test_good_galleries_agree() -> None:
    assert _found({}) == _found({}, MORE) == {}


@pytest.mark.parametrize("names", [["tflite-fp32", "nosuch-int8"], ["tflite-fp32", "tflite-fp32"]])
def test_galleries_are_of_measured_variants(names: list[str]) -> None:
    assert _found({"variants": names}) == {"variants": "they are not the measured variants, each once"}


@pytest.mark.parametrize("field", ["accuracy", "tar", "cosine", "loss_pp", "reenroll"])
def test_there_is_a_row_and_a_column_for_every_variant(field: str) -> None:
    for rows in (GOOD[field][:1], [*GOOD[field], GOOD[field][0]], [GOOD[field][0], GOOD[field][1][:1]]):
        assert _found({field: rows}) == {field: "not 2 rows of 2"}


def test_own_gallery_and_own_probes_give_the_accuracy() -> None:
    assert _found({"accuracy.1.1": 0.97 * (1 + 0.9 * NEAR)}) == {}
    assert _found({"accuracy.1.1": 0.96, "loss_pp.0.1": -2.0}) == {"accuracy.1.1": "0.96, but tflite-int8 has another"}


def test_own_gallery_and_own_probes_give_the_rate() -> None:
    for other in (0.81, None):
        says = f"{other}, but tflite-int8 has another at FAR 0.01"
        assert _found({"tar.1.1": other}) == {"tar.1.1": says}
    unknown = {"far": None, "tar": [[None, None], [None, None]]}
    assert _found(unknown) == {}
    assert _found(unknown | {"tar.0.0": 0.9}) == {"tar.0.0": "0.9, but tflite-fp32 has another at FAR None"}
    assert _found({"far": "0.001", "tar": [[None, 0.1], [0.1, None]]}) == {}


def test_a_loss_is_against_a_gallery_of_the_probes_own() -> None:
    assert _found({"loss_pp.1.0": 0.5 + 0.9 * NEAR_PP}) == {}
    assert _found({"loss_pp.1.0": -0.5}) == {"loss_pp.1.0": "the accuracies make it 0.5"}
    assert _found({"loss_pp.0.1": 1.0}) == {"loss_pp.0.1": "the accuracies make it -1"}


def test_two_embeddings_near_a_third_are_near_each_other() -> None:
    apart = {"tflite-fp32": MEASURED["tflite-fp32"], "tflite-int8": _result(0.97, 0.8, 0.0)}
    assert _found({"cosine": [[1.0, NEAR_PP], [-NEAR_PP, 0.0]]}, apart) == {}
    says = "0.0002, but their cosines to the reference, 1 and 0, leave no room for it"
    assert _found({"cosine": [[1.0, 2 * NEAR_PP], [0.0, 0.0]]}, apart) == {"cosine.0.1": says}
    says = "0.0002, but their cosines to the reference, 0 and 1, leave no room for it"
    assert _found({"cosine": [[1.0, 0.0], [2 * NEAR_PP, 0.0]]}, apart) == {"cosine.1.0": says}


@pytest.mark.parametrize(("cosine", "fits"), [(0.77, False), (0.79, True), (1.0, True)])
def test_how_near_the_cosine_to_the_third_says(cosine: float, fits: bool) -> None:
    """Of 0.98 each, so the two differ from the reference by 0.2."""
    alike = {"tflite-fp32": _result(0.99, 0.9, 0.98), "tflite-int8": MEASURED["tflite-int8"]}
    assert (_found({"cosine": [[1.0, cosine], [1.0, 1.0]]}, alike) == {}) is fits


def test_a_cosine_may_be_rounded_above_one() -> None:
    same = {
        name: _result(found.accuracy.mean, found.accuracy.tar_at_far["0.01"], 1.0000001)
        for name, found in MEASURED.items()
    }
    assert _found({"cosine": [[1.0, 1.0], [1.0, 1.0]]}, same) == {}
