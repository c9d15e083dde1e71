"""A report against itself: what its parts say of each other, and that every part is asked."""

import json
import statistics
from typing import Any

import pytest

from ghostface_edge.reports.consistency import contradictions
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.report import Report, Variant

from .conftest import altered, make_faces, make_whole_report

GALLERY = {"path": "people", "sha256": "e" * 64, "name": "people", "images": 200, "people": 100}
NOT_THERE = {"id": "openvino-int8", "runtime": "openvino", "status": "skipped", "error": "OpenVINO is not installed"}
WITH_GALLERY = {"data.gallery": GALLERY, "variants.0.one_threshold": {}, "variants.1.one_threshold": {}}
WITHOUT_NAMES = {"cross_precision": None, "gate.checks": [], "gate.verdict": "inconclusive"}
"""Of variants, so that one may be called otherwise."""
FIGURES = ("accuracy", "versus_reference", "latency", "all_pairs", "groups")


@pytest.fixture(scope="module")
def good(few_variants: list[Variant]) -> dict[str, Any]:
    """A report with all that a run states, as JSON."""
    return json.loads(make_whole_report(make_faces(200), make_faces(60, seed=5), few_variants, images=200).to_json())


def _found(content: dict[str, Any], changes: dict[str, Any]) -> dict[str, str]:
    return dict(contradictions(Report.model_validate_json(json.dumps(altered(content, changes)))))


def _and(content: dict[str, Any], *variants: dict[str, Any]) -> dict[str, Any]:
    """Further variants, each with what an INT8 one of ONNX Runtime has unless it says otherwise, come first."""
    bare = {"precision": "int8", "method": "convert"}
    return {**content, "variants": [*({**bare, **variant} for variant in variants), *content["variants"]]}


def test_a_good_report_does_not_contradict_itself(good: dict[str, Any]) -> None:
    assert _found(good, {}) == {}
    assert _found(_and(good, NOT_THERE), {}) == {}
    assert _found({**good, "variants": []}, WITHOUT_NAMES) == {}


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("variants.1.versus_reference.drop_pp", 40, "variants.1.versus_reference.drop_pp: 40 is not within its own"),
        ("variants.1.sets.few.accuracy.standard_error", 0.9, "variants.1.sets.few.accuracy.standard_error: 0.9, but"),
        ("variants.1.fold_drops_pp", [1.0], "variants.1.fold_drops_pp: 1 folds, but the accuracy has 10"),
        ("variants.1.thresholds.0.01", None, "variants.1.thresholds.0.01: there is no TAR"),
        ("variants.1.all_pairs.eer", None, "variants.1.all_pairs.eer: it needs comparisons of both kinds"),
        ("variants.1.groups.confidence", 0.9, "variants.1.groups.confidence: 0.9, but"),
        ("variants.1.one_threshold.few.0.01.threshold", 0.9, "variants.1.one_threshold.few.0.01.threshold: 0.9, but"),
        ("review.impostor.0.images", [7, 7], "review.impostor.0.images: 7 and 7 of 400 images"),
        ("review.thresholds.0.01", 0.9, "review.thresholds.0.01: 0.9, but onnxruntime-fp32 has"),
        ("cross_precision.variants.1", "nosuch-int8", "cross_precision.variants: they are not the measured"),
        ("tool.started", "yesterday", "tool.started"),
        ("tool.started", "2026-01-01T00:00:00", "without its offset"),
        ("model.sha256", "a" * 63, "model.sha256"),
        ("variants.1.status", "failed", "error does not say why"),
        ("variants.1.latency", None, "latency is missing"),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(
    good: dict[str, Any], place: str, value: object, says: str
) -> None:
    with pytest.raises(InputError, match=says) as refused:
        Report.from_json(json.dumps(altered(good, {place: value})), "report.json")
    assert refused.value.message.startswith("report.json ")


@pytest.mark.parametrize(
    "name", ["onnxruntime-INT8", "openvino-int8", "onnxruntime-int8stock", "onnxruntime-int8-", "onnxruntime", "int8"]
)
def test_a_variant_is_named_after_what_it_is(good: dict[str, Any], name: str) -> None:
    says = f"{name!r} is not `onnxruntime-int8`, with a suffix or a device, in small letters"
    assert _found(good, {"variants.1.id": name})["variants.1.id"] == says


def test_a_variant_may_have_a_suffix(good: dict[str, Any]) -> None:
    assert _found(good, {"variants.1.id": "onnxruntime-int8-stock"} | WITHOUT_NAMES) == {}


def test_variants_are_listed_once(good: dict[str, Any]) -> None:
    twice = {**good, "variants": [*good["variants"], good["variants"][1]]}
    says = "variants occur more than once: onnxruntime-int8"
    assert _found(twice, {}) == {"variants.1.id": says, "variants.2.id": says}


def test_the_first_thing_that_is_wrong_is_said_alone(good: dict[str, Any]) -> None:
    changes = {"variants.1.id": "INT8", "variants.1.error": "it died"}
    assert _found(good, changes).keys() == {"variants.1.id"}


def test_a_measured_variant_has_no_error(good: dict[str, Any]) -> None:
    assert _found(good, {"variants.1.error": "it died"}) == {"variants.1.error": "a variant with status ok has none"}


@pytest.mark.parametrize("field", [*FIGURES, "sets"])
def test_a_variant_that_was_not_measured_has_no_figures(good: dict[str, Any], field: str) -> None:
    figures = {field: good["variants"][1][field]}
    found = _found(_and(good, {**NOT_THERE, **figures}), {})
    assert found == {"variants.0.status": "skipped, but there are figures"}


def test_sets_have_names_of_their_own(good: dict[str, Any]) -> None:
    says = "two sets of pairs are called 'lfw'"
    found = _found(good, {"data.further_pairs.0.name": "lfw"})
    assert found == {"data.pairs.name": says, "data.further_pairs.0.name": says}
    found = _found(good, {"data.gallery": {**GALLERY, "name": "few"}})
    assert found == {"data.further_pairs.0.name": "two sets of pairs are called 'few'"}


def test_no_more_pairs_are_of_one_person_than_there_are(good: dict[str, Any]) -> None:
    place = "data.further_pairs.0.same"
    assert place not in _found(good, {place: 60})
    assert place not in _found(good, {place: None})
    assert _found(good, {place: 61}) == {place: "61 of 60 pairs"}


@pytest.mark.parametrize(
    ("count", "images", "fits"),
    [(60, 120, True), (60, 121, False), (60, 2, True), (60, 1, False), (60, None, True), (0, 0, True), (0, 2, False)],
)
def test_pairs_are_of_two_images_and_of_no_more_than_two_each(
    good: dict[str, Any], count: int, images: int | None, fits: bool
) -> None:
    found = _found(
        good,
        {
            f"data.further_pairs.0.{key}": value
            for key, value in {"count": count, "images": images, "same": None}.items()
        },
    )
    says = None if fits else f"{count} pairs cannot be of {images} images"
    assert found.get("data.further_pairs.0.images") == says


@pytest.mark.parametrize(
    ("images", "people", "shared", "fits"), [(9, 9, 9, True), (9, 8, 7, True), (9, 10, 0, False), (9, 8, 9, False)]
)
def test_calibration_faces_are_of_no_more_people(
    good: dict[str, Any], images: int, people: int, shared: int, fits: bool
) -> None:
    counts = {"images": images, "identities": people, "identities_shared_with_pairs": shared}
    says = f"{images} images of {people} people, {shared} of them in the pairs"
    found = _found(good, {f"data.calibration.{field}": value for field, value in counts.items()})
    assert found == ({} if fits else {"data.calibration": says})


def test_results_are_of_sets_that_are_there(good: dict[str, Any]) -> None:
    says = "data.further_pairs has no such set"
    assert _found(good, {"data.further_pairs": []}) == {f"variants.{row}.sets.few": says for row in (0, 1)}


def test_all_are_compared_with_one_reference(good: dict[str, Any]) -> None:
    place = "variants.1.versus_reference.reference"
    found = _found(good, {place: "another"})
    assert found == {place: "'another', but that of onnxruntime-fp32 is another"}
    place = "variants.1.sets.few.versus_reference.reference"
    assert _found(good, {place: "another"}).keys() == {place}


def test_all_make_the_same_of_the_references_accuracy(good: dict[str, Any]) -> None:
    """One more decision of the 200 is lost by the mean; folds, drop and counts of the variant itself agree."""
    variant = good["variants"][1]
    accuracy, versus = variant["accuracy"], variant["versus_reference"]
    seen = accuracy["mean"] + versus["drop_pp"] / 100
    lost = [round(20 * fold) for fold in accuracy["folds"]]
    lost[0] -= 1
    folds = [right / 20 for right in lost]
    changes = {
        "variants.1.accuracy.folds": folds,
        "variants.1.accuracy.mean": statistics.fmean(folds),
        "variants.1.accuracy.standard_error": statistics.stdev(folds) / 10**0.5,
        "variants.1.fold_drops_pp": [],
        "variants.1.flips": [],
        "cross_precision": None,
    }
    says = f"drop and accuracy make {seen - 0.005:g} of the reference's accuracy, those of onnxruntime-fp32 {seen:g}"
    assert _found(good, changes) == {"variants.1.versus_reference.drop_pp": says}


def test_all_make_the_same_of_the_references_rate(good: dict[str, Any]) -> None:
    place = "variants.1.versus_reference.tar_drop_pp.0.01"
    drop_pp = good["variants"][1]["versus_reference"]["tar_drop_pp"]["0.01"]["drop_pp"]
    seen = good["variants"][1]["accuracy"]["tar_at_far"]["0.01"] + drop_pp / 100
    changes = {f"{place}.drop_pp": drop_pp - 1, f"{place}.ci95_pp": [-9, 9], "variants.1.thresholds": {}}
    says = f"drop and TAR make {seen - 0.01:g} of the reference's TAR, those of onnxruntime-fp32 {seen:g}"
    assert _found(good, changes) == {f"{place}.drop_pp": says}
    assert _found(good, {"variants.1.versus_reference.tar_drop_pp": {}, "variants.1.thresholds": {}}) == {}
    assert _found(good, {"variants.0.versus_reference.tar_drop_pp": {}, "variants.0.thresholds": {}}) == {}


def test_all_variants_have_one_gallery(good: dict[str, Any]) -> None:
    place = "variants.1.all_pairs.people"
    assert _found(good, {place: 99}) == {place: "99, but onnxruntime-fp32 has 100"}


def test_a_gallery_is_the_one_that_was_compared(good: dict[str, Any]) -> None:
    assert _found(good, WITH_GALLERY) == {}
    for field in ("images", "people"):
        found = _found(good, WITH_GALLERY | {f"data.gallery.{field}": 201})
        says = {"images": "not those of the gallery, 201 of 100", "people": "not those of the gallery, 200 of 201"}
        assert found == {f"variants.{row}.all_pairs.people": says[field] for row in (0, 1)}
    found = _found(good, WITH_GALLERY | {"data.gallery.images": 199})
    assert found["variants.0.all_pairs.images"] == "200, but there are 199"


def test_groups_need_somebody_who_told_them(good: dict[str, Any]) -> None:
    says = "groups are of all images against all, by a file that data.groups names"
    assert _found(good, {"data.groups": None}) == {"variants.0.groups": says}
    changes = {"variants.1.all_pairs": None, "variants.1.one_threshold": {}}
    assert _found(good, changes) == {"variants.1.groups": says}


def test_all_variants_have_one_file_of_groups(good: dict[str, Any]) -> None:
    place = "variants.1.groups.rows.0.value"
    was = good["variants"][1]["groups"]["rows"][0]["value"]
    assert _found(good, {place: "other"}) == {place: f"other, but onnxruntime-fp32 has {was}"}


def test_one_threshold_is_compared_alike_for_all(good: dict[str, Any]) -> None:
    rates, fewer = good["variants"][1]["one_threshold"]["few"], (("genuine", 40), ("fnmr", 0.05))
    changes = {f"variants.1.one_threshold.few.{rate}.{field}": value for rate in rates for field, value in fewer}
    says = "not as many comparisons at every rate as onnxruntime-fp32 has"
    assert _found(good, changes) == {"variants.1.one_threshold.few.genuine": says}
    none_kept = {"variants.0.one_threshold": {}}
    assert _found(good, none_kept) == {}


def test_the_list_to_look_at_is_of_the_images_compared(good: dict[str, Any]) -> None:
    place = "review.genuine.0.images"
    assert _found(good, {place: [398, 399]}) == {}
    assert _found(good, {place: [399, 400]}) == {place: "399 and 400 of 400 images"}
    assert _found(good, WITH_GALLERY | {place: [199, 200]}) == {place: "199 and 200 of 200 images"}
    assert _found(good, {"review": None}) == {}


def test_the_list_to_look_at_has_the_thresholds_of_all(good: dict[str, Any]) -> None:
    bare = {"variants.0.all_pairs": None, "variants.0.groups": None, "variants.0.one_threshold": {}}
    assert _found(good, bare) == {}
    found = _found(good, bare | {"review.thresholds": {}})
    rates = sorted(good["review"]["thresholds"])
    assert found == {"review.thresholds": f"of [], but onnxruntime-int8 has {rates}"}


def test_percentiles_rise(good: dict[str, Any]) -> None:
    here = "variants.1.latency"
    p50_ms = good["variants"][1]["latency"]["p50_ms"]
    assert _found(good, {f"{here}.p90_ms": p50_ms, f"{here}.p99_ms": p50_ms}) == {}
    for field, value in (("p90_ms", p50_ms / 2), ("p99_ms", p50_ms / 2)):
        found = _found(good, {f"{here}.{field}": value})
        shown = {**good["variants"][1]["latency"], field: value}
        says = f"percentiles {shown['p50_ms']:g}, {shown['p90_ms']:g}, {shown['p99_ms']:g} ms"
        assert found == {f"{here}.p50_ms": says}


def test_a_ratio_is_within_its_interval(good: dict[str, Any]) -> None:
    here = "variants.1.latency"
    ratio = good["variants"][1]["latency"]["versus_fp32"]
    says = f"{ratio:g} is not within its own interval [2, 3]"
    assert _found(good, {f"{here}.versus_fp32_ci95": [2, 3]}) == {f"{here}.versus_fp32": says}
    assert _found(good, {f"{here}.versus_fp32_ci95": None}) == {}


def test_a_ratio_is_that_of_the_medians(good: dict[str, Any]) -> None:
    here = "variants.1.latency"
    ratio = good["variants"][1]["latency"]["versus_fp32"]
    changes = {f"{here}.versus_fp32": ratio * 1.1, f"{here}.versus_fp32_ci95": None}
    says = f"{ratio * 1.1:g}, but the medians make it {ratio:g}"
    assert _found(_and(good, NOT_THERE), {key.replace("s.1", "s.2"): value for key, value in changes.items()}) == {
        f"{here.replace('1', '2')}.versus_fp32": says
    }


@pytest.mark.parametrize(
    ("parameters", "size", "fits"), [(722_364, 361_182, True), (722_365, 361_182, True), (722_364, 361_181, False)]
)
def test_a_file_holds_its_parameters(good: dict[str, Any], parameters: int, size: int, fits: bool) -> None:
    place = "variants.2.artifact.bytes"
    found = _found(_and(good, NOT_THERE), {"model.parameters": parameters, place: size})
    assert found == ({} if fits else {place: f"{size:,} bytes cannot hold {parameters:,} parameters"})


def test_of_other_precisions_no_size_is_known(good: dict[str, Any]) -> None:
    changes = {"variants.1.precision": "int4", "variants.1.id": "onnxruntime-int4", "variants.1.artifact.bytes": 1}
    assert _found(good, changes | WITHOUT_NAMES) == {}


def test_all_of_a_runtime_have_one_fp32_file(good: dict[str, Any]) -> None:
    place = "variants.1.artifact.fp32_bytes"
    says = "3,200,001, but the report of onnxruntime-fp32 makes it 3,200,000"
    assert _found(good, {place: 3_200_001}) == {place: says}
    assert _found(good, {place: None}) == {}
    assert _found(good, {"variants.0.artifact.bytes": 3_200_001}) == {
        f"variants.{row}.artifact.fp32_bytes": "3,200,000, but the report of onnxruntime-fp32 makes it 3,200,001"
        for row in (0, 1)
    }
    other = {"variants.0.runtime": "tflite", "variants.0.id": "tflite-fp32"}
    assert _found(good, {place: 3_200_001} | other | WITHOUT_NAMES) == {}


def test_checks_are_about_variants_that_are_there(good: dict[str, Any]) -> None:
    place = "gate.checks.0.variant"
    assert _found(good, {place: "nosuch-int8"}) == {place: "there is no variant 'nosuch-int8'"}
    assert _found(good, {place: "*"}) == {}


def test_the_verdict_is_the_sum_of_the_checks_that_decide(good: dict[str, Any]) -> None:
    verdict = good["gate"]["verdict"]
    assert _found(good, {"gate.verdict": "fail"}) == {"gate.verdict": f"fail, but the checks make it {verdict}"}
    failed = {**good["gate"]["checks"][0], "verdict": "fail"}
    for role, says in (("candidate", {"gate.verdict": f"{verdict}, but the checks make it fail"}), ("comparison", {})):
        checks = [*good["gate"]["checks"], {**failed, "role": role}]
        assert _found(good, {"gate.checks": checks}) == says
