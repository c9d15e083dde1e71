"""Every field of a good report, set to wrong values: none passes unless the report still says the same."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.policy import AT_A_FAR, Metric, Policy
from ghostface_edge.reports.report import Report, Verdict

from .conftest import Faces, make_faces, make_whole_report, on_device

Path = tuple[str | int, ...]
EVERY = int(os.environ.get("EVERY_NTH_WRONG_VALUE", "10"))
"""`nox -s honesty` tries all of them."""
ALONE = re.compile(
    r"variants\.1\.(?:sets\.few\.)?(?:artifact\.bytes|accuracy\.(?:auc|eer)|latency\.(?:p99_ms|load_ms|peak_rss_mb)"
    r"|latency\.versus_fp32_ci95\.[01]|versus_reference\.(?:ci95_pp\.[01]|cosine_p01|cosine_min)"
    r"|versus_reference\.tar_drop_pp\.0\.01\.ci95_pp\.[01]|int8_mac_share|thresholds\.0\.01\.frozen\.(?:far|frr))"
    r"|variants\.2\.(?:latency\.p50_ms|versus_(?:local|reference)\.ci95_pp\.[01])"
)
"""Figures that a report states once: others bound them, and within those bounds nothing says that they are wrong."""


@pytest.fixture(scope="module")
def good(faces: Faces, deployed: Report) -> dict[str, Any]:
    """A report with all that a run states, as JSON."""
    whole = make_whole_report(faces, make_faces(600, seed=5), deployed.variants[:2], images=1200)
    there = faces.noisy(0.05)
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
