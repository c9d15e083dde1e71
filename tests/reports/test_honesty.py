"""Every field of a good report, set to wrong values: none passes unless the report still says the same."""

import copy
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.groups import judge_groups
from ghostface_edge.reports.all_pairs.other_sets import OtherSet, keep_thresholds
from ghostface_edge.reports.all_pairs.review import review
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.assess import PairSet, assess, assess_galleries
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.groups import PeopleFile
from ghostface_edge.reports.latency import summarize
from ghostface_edge.reports.policy import AT_A_FAR, Metric, Policy
from ghostface_edge.reports.report import Latency, Report, Verdict
from ghostface_edge.reports.variant import SetResult

from .conftest import Faces, latency_samples, make_faces, make_report, on_device

Path = tuple[str | int, ...]
EVERY = int(os.environ.get("EVERY_NTH_WRONG_VALUE", "10"))
"""`nox -s honesty` tries all of them."""
ALONE = re.compile(
    r"variants\.1\.(?:sets\.few\.)?(?:artifact\.bytes|accuracy\.(?:auc|eer)|latency\.(?:p99_ms|load_ms|peak_rss_mb)"
    r"|latency\.versus_fp32_ci95\.[01]|versus_reference\.(?:ci95_pp\.[01]|cosine_p01|cosine_min)"
    r"|versus_reference\.tar_drop_pp\.0\.01\.ci95_pp\.[01]|int8_mac_share|thresholds\.0\.01\.frozen\.(?:far|frr))"
)
"""Figures that a report states once: others bound them, and within those bounds nothing says that they are wrong."""


@pytest.fixture(scope="module")
def good(faces: Faces, deployed: Report) -> dict[str, Any]:
    """A report with all that a run states, as JSON."""
    few = make_faces(600, seed=5)
    gallery = Gallery.of([f"p{image // 2:04d}" for image in range(1200)], [("p0000", "p0001")])
    before = compare_all(faces.embeddings[:1200], gallery)
    told = {"sex": {name: "fm"[place % 2] for place, name in enumerate(gallery.names[:590])}}
    told["team"] = {name: "few" if place < 8 else "many" for place, name in enumerate(gallery.names)}
    file = PeopleFile(path="people.csv", sha256="a" * 64, people=600, not_in_gallery=0, not_said={"sex": 10, "team": 0})
    looked_at = review(before)
    pairs, further = (PairSet(some.index, some.same) for some in (faces, few))
    extras = {variant.precision: variant for variant in deployed.variants[:2]}
    other = OtherSet(few.index, few.same, Gallery.of([f"f{image // 2:04d}" for image in range(1200)]))
    fp32, embeddings, variants = latency_samples(1.0), {}, []
    for precision, noise, milliseconds in (("fp32", 1e-6, 1.0), ("int8", 0.05, 0.8)):
        name = f"onnxruntime-{precision}"
        embeddings[name] = faces.noisy(noise)
        found = assess(pairs, embeddings[name], faces.embeddings, "checkpoint", seed=0)
        on_few = assess(further, few.noisy(noise), few.embeddings, "checkpoint", seed=0)
        summary = summarize(latency_samples(milliseconds), fp32)
        size = {"bytes": 3_200_000 if precision == "fp32" else 1_000_000, "fp32_bytes": 3_200_000}
        scores = compare_all(embeddings[name][:1200], gallery)
        all_pairs = judge_all_pairs(scores, before)
        update = {
            "all_pairs": all_pairs.model_copy(update={"det": all_pairs.det[::40]}),
            "groups": judge_groups(scores, before, told),
            "artifact": extras[precision].artifact.model_copy(update=size),
            "accuracy": found.accuracy,
            "versus_reference": found.versus_reference,
            "thresholds": found.thresholds,
            "flips": found.flips,
            "fold_drops_pp": found.fold_drops_pp,
            "latency": Latency.of(summary, threads=1, load_ms=20.0, peak_rss_mb=90.0),
            "sets": {"few": SetResult(accuracy=on_few.accuracy, versus_reference=on_few.versus_reference)},
            "one_threshold": keep_thresholds(all_pairs, found.thresholds, {"few": (other, few.noisy(noise))}),
            "int8_mac_share": 0.0 if precision == "fp32" else 0.97,
        }
        variants.append(extras[precision].model_copy(update=update))
    report = make_report(faces, variants)
    main = report.data.pairs.model_copy(update={"same": int(faces.same.sum()), "images": len(faces.embeddings)})
    other = main.model_copy(update={"name": "few", "count": len(few.same), "same": int(few.same.sum()), "images": 1200})
    whole = report.model_copy(
        update={
            "tool": report.tool.model_copy(update={"started": "2026-01-01T00:00:00+00:00"}),
            "data": report.data.model_copy(update={"pairs": main, "further_pairs": (other,), "groups": file}),
            "cross_precision": assess_galleries(pairs, embeddings),
            "review": looked_at.model_copy(
                update={"impostor": looked_at.impostor[:3], "genuine": looked_at.genuine[:3]}
            ),
        }
    )
    there = embeddings["onnxruntime-int8"]
    on_a_board = on_device(whole, "onnxruntime-int8", "pi4", faces, there, _with_a_face_changed(there))
    return json.loads(judge_report(on_a_board, _POLICY).to_json())


def _with_a_face_changed(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """What kernels that round otherwise do to one face of them."""
    changed = embeddings.copy()
    changed[0] += 0.05
    return changed


def _policy() -> Policy:
    """Every metric with a limit that the good report keeps far from, on top of the default policy."""
    wide = {
        Metric.ACCURACY: {"min": 0.5},
        Metric.AUC: {"min": 0.5},
        Metric.EER: {"max": 0.5},
        Metric.FLIPPED_PAIRS: {"max": 1000},
        Metric.INT8_MAC_SHARE: {"min": 0.5},
        Metric.COSINE_P01: {"min": 0.5},
        Metric.COSINE_MIN: {"min": 0.5},
        Metric.TAR: {"min": 0.1},
        Metric.FROZEN_FAR: {"max": 0.5},
        Metric.FROZEN_FRR: {"max": 0.9},
        Metric.BYTES: {"max": 2_000_000},
        Metric.P50_MS: {"max": 100},
        Metric.P99_MS: {"max": 1000},
        Metric.LOAD_MS: {"max": 1000},
        Metric.PEAK_RSS_MB: {"max": 1000},
    }
    more = [
        {"metric": metric, "variants": "*-int8", **limits, **({"far": "0.01"} if metric in AT_A_FAR else {})}
        for metric, limits in wide.items()
    ]
    more.append({"metric": Metric.DROP, "variants": "*-int8", "max": 5, "set": "few"})
    there = {"variants": "*-int8", "devices": "pi4"}
    more += [{"metric": Metric.P50_MS, "max": 100, **there}, {"metric": Metric.DROP, "max": 5, **there}]
    default = json.loads(Policy.read().model_dump_json())
    return Policy.model_validate({**default, "rules": [*default["rules"], *more]})


_POLICY = _policy()


def _leaves(content: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(content, dict | list) and content:
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _leaves(value, (*path, key))
    else:
        yield path


def _wrong(value: Any) -> list[Any]:
    """Twenty values that a field does not have."""
    wrong = ["NaN", float("nan"), float("inf"), -1, 0, 1e9, 2**70, "", None, True, [], {}, "2026-11-27", "nosuch-int8"]
    if isinstance(value, bool):
        return [*wrong, not value, str(value), 1, 0.5, -0.5, "yes"]
    if isinstance(value, int | float):
        return [*wrong, -value, 2 * value, value / 2, value + 1, value * (1 + 1e-3), str(value)]
    text = str(value)
    return [*wrong, text.upper(), text.title(), text + "x", text[::-1], f" {text}", 1]


def _evidence(report: Report) -> list[tuple[object, ...]]:
    checks = report.gate.checks
    return [(check.name, check.variant, check.measured, check.ci95, check.limit, check.verdict) for check in checks]


def _judged(content: dict[str, Any]) -> Report | None:
    """What `gate` makes of a report; None where it refuses it."""
    try:
        report = Report.from_json(json.dumps(content), "report.json")
    except InputError:
        return None
    return judge_report(report, _POLICY)


def _mutants(good: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field with each wrong value, changed in place and set back after."""
    for number, path in enumerate(_leaves(good)):
        place = good
        for step in path[:-1]:
            place = place[step]
        value = place[path[-1]]
        for wrong in _wrong(value)[number % EVERY :: EVERY]:
            if type(wrong) is not type(value) or wrong != value:
                place[path[-1]] = wrong
                yield ".".join(map(str, path)), good
        place[path[-1]] = value


def test_no_wrong_value_passes(good: dict[str, Any]) -> None:
    unchanged = _judged(good)
    assert unchanged is not None
    assert unchanged.gate.verdict is Verdict.PASS
    passed, refused, tried = set(), 0, 0
    for field, content in _mutants(good):
        tried += 1
        after = _judged(content)
        refused += after is None
        if after is not None and after.gate.verdict is Verdict.PASS and _evidence(after) != _evidence(unchanged):
            passed.add(field)
    assert {field for field in passed if not ALONE.fullmatch(field)} == set()
    assert tried > 10_000 / EVERY
    assert refused > 0.75 * tried


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("versus_reference.drop_pp", 40, "versus_reference.drop_pp: 40 is not within its own interval"),
        ("versus_reference.ci95_pp", [0.3, -0.3], "the wrong way round"),
        ("versus_reference.ci95_pp", [0.1499, 0.1501], "where so many changed decisions leave about"),
        ("versus_reference.flipped_pairs", 0, "versus_reference"),
        ("versus_reference.lost_pairs", 0, "versus_reference"),
        ("versus_reference.pairs", 1999, "the set has 2,000 pairs"),
        ("versus_reference.p_value", 0.01, "so many lost and gained pairs give"),
        ("versus_reference.cosine_p01", 0.9999, "leave no room|make it|above the first percentile"),
        ("versus_reference.cosine_mean", 0.9999999, "cosine"),
        ("versus_reference.reference", "another", "that of onnxruntime-fp32 is another"),
        ("accuracy.standard_error", 0.5, "that of the folds is"),
        ("accuracy.tar_at_far.0.001", 1.0, "tar_at_far"),
        ("accuracy.auc", 0.5, "has no equal error rate of"),
        ("fold_drops_pp.0", 7.5, "fold"),
        ("latency.p90_ms", 0.1, "percentiles"),
        ("latency.runs", 0, "latency.runs"),
        ("latency.versus_fp32", 0.5, "versus_fp32"),
        ("artifact.fp32_bytes", 64_000_000, "makes it 3,200,000"),
        ("artifact.bytes", 3, "3 bytes cannot hold 722,364 parameters"),
        ("int8_mac_share", 1.5, "int8_mac_share"),
        ("id", "onnxruntime-INT8", "in small letters"),
        ("id", "openvino-int8", "is not `onnxruntime-int8`"),
        ("id", "onnxruntime-int8stock", "is not `onnxruntime-int8`"),
        ("precision", "int4", "is not `onnxruntime-int4`"),
        ("status", "failed", "error does not say why"),
        ("error", "it died", "a variant with status ok has none"),
        ("all_pairs.images", 1201, "but 1,201 images have 720,600"),
        ("all_pairs.people", 1201, "1,201 people on 1,200 images"),
        ("all_pairs.people", 599, "but onnxruntime-fp32 has 600"),
        ("all_pairs.ambiguous", 5, "comparisons in all"),
        ("all_pairs.eer", None, "with them there is one"),
        ("all_pairs.not_answerable", {}, "either a figure or not answerable"),
        ("all_pairs.fnmr_at_fmr.0.001.support", "bound", "so many comparisons make it figure"),
        ("all_pairs.fnmr_at_fmr.0.001.fmr", 0.0011, "more than the rate asked for"),
        ("all_pairs.fnmr_at_fmr.0.001.fnmr", 0.5001, "is no number of 600 genuine"),
        ("all_pairs.fnmr_at_fmr.0.001.ci95", [0.9, 1.0], "is not within its own interval"),
        ("all_pairs.fnmr_at_fmr.0.001.ci95.1", 1.5, "an FNMR lies between 0 and 1"),
        ("all_pairs.fnmr_at_fmr.0.001.rise_pp", 90, "is not within its own interval"),
        ("all_pairs.fnmr_at_fmr.0.001.rise_pp", None, "are stated together"),
        ("all_pairs.fnmr_at_fmr.0.001.rise_ci95_pp", [2, -2], "the wrong way round"),
        ("all_pairs.fnmr_at_fmr.0.001.rise_ci95_pp.0", -3, "rise_ci95_pp: the rise of .* is not in the middle"),
        ("all_pairs.fnmr_at_fmr.0.001.frozen.rise_ci95_pp.1", 3, "frozen.rise_ci95_pp: the rise of .* middle"),
        ("all_pairs.fnmr_at_fmr.0.001.threshold", 0.999, "at 0.999"),
        ("all_pairs.fnmr_at_fmr.0.001.frozen.rise_pp", 90, "is not within its own interval"),
        (
            "all_pairs.fnmr_at_fmr.0.001.frozen.ci95",
            [0.9, 1.0],
            "frozen.fnmr: .* is not within its own interval",
        ),
        ("all_pairs.fnmr_at_fmr.0.001.frozen.ci95.0", -0.5, "frozen.ci95: an FNMR lies between 0 and 1"),
        ("all_pairs.fnmr_at_fmr.0.001.frozen.fnmr", 0.9, "frozen.fnmr: .* is not within its own interval"),
        ("all_pairs.fnmr_at_fmr.0.001.frozen.fnmr", 0.1201, "it makes the reference's FNMR"),
        ("all_pairs.fnmr_at_fmr.0.001.frozen.threshold", 0.999, "0.001.frozen: FMR"),
        ("all_pairs.det.1.fnmr", 1.0, "all_pairs.det: FMR"),
        ("groups.fmr", "0.01", "groups.fmr: 0.01, but the images tell 0.0001"),
        ("groups.confidence", 0.9, "differences make it"),
        ("groups.rows.0.value", "m", "sex m stands there twice"),
        ("groups.rows.0.people", 600, "people of sex: 895|but onnxruntime-fp32 has"),
        ("groups.rows.0.people", 294, "294, but onnxruntime-fp32 has 295|295 of 294 people"),
        ("groups.rows.0.genuine", 900, "no number of 900 comparisons|the rates make it"),
        ("groups.rows.2.genuine", 900, "no number of 900|genuine of team"),
        ("groups.rows.0.with_genuine", 299, "299 of 295 people"),
        ("groups.rows.0.impostor", 10, "does not go with 10 comparisons of two people"),
        ("groups.rows.0.impostor", 10**8, "impostor of sex"),
        ("groups.rows.0.finding", "harmed", "but the intervals make it no harm shown"),
        ("groups.rows.0.fnmr", None, "comparisons of a person with itself have one"),
        ("groups.rows.0.fnmr.variant", 0.501, "is not within its own interval|is no number of 295"),
        ("groups.rows.0.fnmr.variant_ci.1", 1.5, "a rate lies between 0 and 1"),
        ("groups.rows.0.fnmr.reference_ci", [1, 0], "the wrong way round"),
        ("groups.rows.0.fnmr.added", None, "it is told where the group and the rest have comparisons enough"),
        ("groups.rows.0.fnmr.added.ci_pp", [40, 41], "is not within its own interval"),
        ("groups.rows.0.fnmr.added.added_pp", 0.5, "but the rates make it"),
        ("groups.rows.2.fnmr.added", {"added_pp": 0, "ci_pp": [-1, 1]}, "comparisons enough, and only there"),
        ("groups.rows", [], "0 groups, but onnxruntime-fp32 has 4|differences make it"),
        ("all_pairs", None, "groups are of all images against all"),
        ("one_threshold", {"many": {}}, "not every set, or one that the report has not"),
        ("one_threshold.few", {}, "the first set gives thresholds for 0.01"),
        ("one_threshold.few.0.001.threshold", 0.9, "but that of the first set is"),
        ("one_threshold.few.0.001.genuine", 200, "not as many comparisons at every rate"),
        ("one_threshold.few.0.001.impostor", 720_000, "neither of the pairs nor of 1,200 images"),
        ("one_threshold.few.0.001.fnmr", 0.5001, "is no number of 600 comparisons"),
        ("one_threshold.few.0.001.fmr", 1.0, "one_threshold.few: FMR"),
        ("thresholds.0.01.retuned.frr", 0.5, "but the TAR is"),
        ("thresholds.0.01.frozen.threshold", 0.9, "a frozen threshold is the reference's"),
    ],
)
def test_contradictions_are_named(good: dict[str, Any], place: str, value: object, says: str) -> None:
    changed = copy.deepcopy(good)
    *path, last = re.findall(r"0\.0*1|[^.]+", place)
    part: Any = changed["variants"][1]
    for step in path:
        part = part[int(step) if isinstance(part, list) else step]
    part[int(last) if isinstance(part, list) else last] = value
    with pytest.raises(InputError, match=says):
        Report.from_json(json.dumps(changed), "report.json")


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        ("impostor.0.names", ["p0003", "p0003"], "'p0003' and 'p0003' in a comparison that is impostor"),
        ("genuine.0.names.0", "p0599", "in a comparison that is genuine"),
        ("impostor.1.images.0", 4000, "of 4000 images"),
        ("impostor.1.images", [7, 7], "7 and 7 of"),
        ("impostor.2.cosine", 1.0, "impostor.2.cosine: 1 comes after"),
        ("genuine.0.cosine", 1.0, "genuine.1.cosine"),
        ("thresholds.0.001", 0.9, "thresholds.0.001: 0.9, but onnxruntime-fp32 has"),
        ("thresholds", {}, "but onnxruntime-fp32 has"),
    ],
)
def test_what_is_to_be_looked_at_is_what_the_scores_say(
    good: dict[str, Any], place: str, value: object, says: str
) -> None:
    changed = copy.deepcopy(good)
    *path, last = re.findall(r"0\.0*1|[^.]+", place)
    part: Any = changed["review"]
    for step in path:
        part = part[int(step) if isinstance(part, list) else step]
    part[int(last) if isinstance(part, list) else last] = value
    with pytest.raises(InputError, match=says):
        Report.from_json(json.dumps(changed), "report.json")


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"gate": {"verdict": "fail"}}, "gate.verdict: fail, but the checks make it pass"),
        ({"gate": {"checks": []}}, "gate.verdict: pass, but the checks make it inconclusive"),
        ({"tool": {"started": "yesterday"}}, "tool.started"),
        ({"tool": {"started": "2026-01-01T00:00:00"}}, "without its offset"),
        ({"model": {"sha256": "a" * 63}}, "model.sha256"),
        ({"data": {"further_pairs": []}}, "has no such set"),
        ({"data": {"groups": None}}, "by a file that data.groups names"),
        ({"cross_precision": {"variants": ["onnxruntime-fp32"]}}, "cross_precision"),
    ],
)
def test_what_the_parts_say_of_each_other(good: dict[str, Any], part: dict[str, Any], says: str) -> None:
    ((name, fields),) = part.items()
    with pytest.raises(InputError, match=says):
        Report.from_json(json.dumps({**good, name: {**good[name], **fields}}), "report.json")


def test_a_rise_is_not_known_better_than_the_comparisons_tell(good: dict[str, Any]) -> None:
    changed = copy.deepcopy(good)
    row = changed["variants"][1]["all_pairs"]["fnmr_at_fmr"]["0.001"]
    half = 0.9 * 1.96 * 2**0.5 / 6
    row["rise_ci95_pp"] = [row["rise_pp"] - half, row["rise_pp"] + half]
    with pytest.raises(InputError, match=r"rise_ci95_pp: .* which 600 genuine comparisons cannot tell"):
        Report.from_json(json.dumps(changed), "report.json")


def test_frozen_thresholds_are_those_of_one_reference(good: dict[str, Any]) -> None:
    changed = copy.deepcopy(good)
    row = changed["variants"][1]["all_pairs"]["fnmr_at_fmr"]["0.001"]
    away = 1 if row["frozen"]["threshold"] >= row["threshold"] else -1
    row["frozen"]["threshold"] += away * 1e-4
    with pytest.raises(InputError, match=r"frozen\.threshold: .* but onnxruntime-fp32 has"):
        Report.from_json(json.dumps(changed), "report.json")


def test_more_people_than_faces_are_shared(good: dict[str, Any]) -> None:
    changed = copy.deepcopy(good)
    changed["data"]["calibration"]["identities_shared_with_pairs"] = 291
    with pytest.raises(InputError, match=r"data\.calibration: 300 images of 290 people, 291 of them"):
        Report.from_json(json.dumps(changed), "report.json")
