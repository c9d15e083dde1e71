"""Rows of devices in a report: what makes them impossible."""

import copy
import json
from typing import Any

import numpy as np
import pytest

from ghostface_edge.reports.assess import PairSet, assess_there
from ghostface_edge.reports.devices_agree import rows_disagree
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.report import Report

from .conftest import Faces, make_faces, on_device


@pytest.fixture(scope="module")
def good(faces: Faces, report: Report) -> dict[str, Any]:
    """INT8 on a board that is timed, with the same bytes."""
    return json.loads(on_device(report, "onnxruntime-int8", "pi4", faces, faces.noisy(0.02)).to_json())


def test_the_same_bytes_are_the_same_everything(faces: Faces) -> None:
    here = faces.noisy(0.02)
    versus = assess_there(PairSet(faces.index, faces.same), here.copy(), here, seed=0)
    assert (versus.faces, versus.equal_bytes, versus.max_abs, versus.drop_pp, versus.flipped_pairs) == (
        4000,
        4000,
        0,
        0,
        0,
    )
    assert versus.cosine_min == pytest.approx(1)
    assert versus.ci95_pp[0] < 0 < versus.ci95_pp[1]


def test_one_face_that_differs_is_one_face(faces: Faces) -> None:
    few = make_faces(100)
    here = few.noisy(0.02)
    there = here.copy()
    there[7, 3] += np.float32(0.25)
    versus = assess_there(PairSet(few.index, few.same), there, here, seed=0)
    assert (versus.faces, versus.equal_bytes) == (200, 199)
    assert versus.max_abs == pytest.approx(0.25, abs=1e-6)
    assert versus.cosine_min < versus.cosine_mean < 1


def test_a_report_with_devices_comes_back(good: dict[str, Any]) -> None:
    report = Report.from_json(json.dumps(good), "report.json")
    assert [variant.id for variant in report.variants if variant.device] == ["onnxruntime-int8@pi4"]
    assert report.variants[-1].local_id == "onnxruntime-int8"
    assert [variant.id for variant in report.local_variants] == [variant.id for variant in report.variants[:-1]]


def test_reports_without_devices_stay_readable(report: Report) -> None:
    content = json.loads(report.to_json())
    del content["devices"]
    for variant in content["variants"]:
        for field in ("device", "versus_local", "instructions_per_face"):
            del variant[field]
    assert Report.from_json(json.dumps(content), "report.json") == report


_ROW, _DEVICE = ("variants", -1), ("devices", 0)
_FOOTPRINT = {"flash_bytes": 800_000, "ram_bytes": 157_480, "stack_bytes": 788}


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ((*_ROW, "device"), None, "'onnxruntime-int8@pi4' names one|versus_local"),
        ((*_ROW, "device"), "pi5", "devices has no 'pi5'"),
        ((*_ROW, "id"), "onnxruntime-int8", "does not end with `@pi4`|more than once"),
        ((*_ROW, "id"), "onnxruntime-int8-none@pi4", "there is no variant 'onnxruntime-int8-none' of this host"),
        ((*_ROW, "method"), "another", "method: not that of onnxruntime-int8"),
        ((*_ROW, "artifact", "sha256"), "f" * 64, "artifact: not that of onnxruntime-int8, which ran there"),
        ((*_ROW, "versus_local"), None, "status is ok, but versus_local is missing"),
        ((*_ROW, "latency"), None, "pi4 is timed"),
        ((*_ROW, "instructions_per_face"), 1e7, "counted where nothing is emulated"),
        ((*_ROW, "versus_local", "faces"), 3999, "4,000 equal of 3,999, but 4,000 ran on pi4"),
        ((*_ROW, "versus_local", "equal_bytes"), 4001, "4,001 equal of 4,000"),
        ((*_ROW, "versus_local", "max_abs"), 0.1, "the same bytes, so nothing can differ"),
        ((*_ROW, "versus_local", "cosine_min"), 0.9, "the same bytes, so nothing can differ"),
        ((*_ROW, "versus_local", "flipped_pairs"), 3, "the same bytes, so nothing can differ"),
        (
            (*_ROW, "versus_local", "first_difference"),
            {"tensor": "t", "operator": "Conv", "cause": "c"},
            "the same bytes, so nothing can differ",
        ),
        ((*_ROW, "versus_local", "drop_pp"), 0.01, "the changed decisions make it 0 at most"),
        ((*_ROW, "versus_local", "ci95_pp"), [0.1, -0.1], "the wrong way round"),
        ((*_ROW, "versus_local", "ci95_pp"), [-0.0001, 0.0001], "leave about"),
        ((*_ROW, "accuracy", "mean"), 0.9, "the mean is not that of the folds"),
        ((*_DEVICE, "name"), "pi5", "devices has no 'pi4'"),
        ((*_DEVICE, "name"), "local", "is what this host is called"),
        ((*_DEVICE, "kind"), "local", "is what this host is called"),
        ((*_DEVICE, "kind"), "emulated", "an emulated CPU has no times"),
        ((*_DEVICE, "is_timed"), False, "pi4 has no times"),
        ((*_DEVICE, "pairs"), 1999, "4,000 distinct images of 1,999 pairs"),
        ((*_DEVICE, "pairs"), 2001, "but all are 2,000"),
        ((*_DEVICE, "pairs"), 3, "of 3 pairs|3 pairs"),
        ((*_DEVICE, "same"), 2001, "2,001 of one person of 2,000 pairs"),
        ((*_DEVICE, "faces"), 4001, "4,001 distinct images of 2,000 pairs"),
        ((*_DEVICE, "faces"), 3000, "but 3,000 ran on pi4"),
        ((*_DEVICE, "energy_mj_per_face"), {"tflite-int8": 3.0}, "there is no variant 'tflite-int8'"),
        ((*_ROW, "footprint"), _FOOTPRINT, "of a program without a system, but pi4 has one"),
        ((*_DEVICE, "sustained", 0, "variant"), "tflite-int8", "there is no variant 'tflite-int8'"),
        ((*_DEVICE, "sustained", 0, "p90_ms"), 0.1, "the medians are all above it"),
        ((*_DEVICE, "sustained", 0, "samples", 1, "seconds"), 30, "each ends after the one before"),
        ((*_DEVICE, "sustained", 0, "samples"), [], "samples"),
    ],
)
def test_contradictions_are_named(good: dict[str, Any], path: tuple[str | int, ...], value: object, says: str) -> None:
    changed = copy.deepcopy(good)
    part: Any = changed
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(InputError, match=says):
        Report.from_json(json.dumps(changed), "report.json")


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ((*_ROW, "id"), "onnxruntime-int8", ("id", "'onnxruntime-int8' does not end with `@pi4`")),
        ((*_DEVICE, "kind"), "local", ("device", "a row of this host names none")),
        ((*_DEVICE, "pairs"), 9, ("versus_local.faces", "9 pairs of them, but 10 folds")),
        ((*_ROW, "versus_local", "flipped_pairs"), 2001, ("versus_local.flipped_pairs", "2,001 of 2,000 pairs")),
    ],
)
def test_what_others_would_hide_is_found(
    good: dict[str, Any], path: tuple[str | int, ...], value: object, problem: tuple[str, str]
) -> None:
    changed = copy.deepcopy(good)
    part: Any = changed
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    place = f"variants.{len(changed['variants']) - 1}"
    report = Report.model_validate_json(json.dumps(changed))
    found = list(rows_disagree(report))
    assert (f"{place}.{problem[0]}", problem[1]) in found


def test_what_failed_there_has_no_figures(good: dict[str, Any]) -> None:
    changed = copy.deepcopy(good)
    changed["variants"][-1] |= {"status": "failed", "error": "an empty output"}
    with pytest.raises(InputError, match="failed, but there are figures"):
        Report.from_json(json.dumps(changed), "report.json")


def test_what_failed_here_cannot_be_ok_there(good: dict[str, Any]) -> None:
    changed = copy.deepcopy(good)
    none = {"accuracy": None, "versus_reference": None, "latency": None}
    changed["variants"][1] |= {"status": "failed", "error": "killed", **none}
    with pytest.raises(InputError, match="status: ok, but onnxruntime-int8 is failed"):
        Report.from_json(json.dumps(changed), "report.json")


def test_two_devices_have_two_names(good: dict[str, Any]) -> None:
    changed = copy.deepcopy(good)
    changed["devices"] *= 2
    with pytest.raises(InputError, match="two devices are called 'pi4'"):
        Report.from_json(json.dumps(changed), "report.json")


def test_faces_that_differ_bound_the_cosines(good: dict[str, Any]) -> None:
    changed = copy.deepcopy(good)
    versus = changed["variants"][-1]["versus_local"]
    versus |= {"equal_bytes": 3900, "cosine_min": 0.5, "cosine_mean": 0.9985, "max_abs": 0.2}
    Report.from_json(json.dumps(changed), "report.json")
    for mean in (0.98, 0.99995):
        versus["cosine_mean"] = mean
        with pytest.raises(InputError, match=r"the faces that differ make it 0\.9875 to 0\.999875"):
            Report.from_json(json.dumps(changed), "report.json")


def test_a_program_without_a_system_takes_no_more_than_its_board_has(good: dict[str, Any]) -> None:
    changed = copy.deepcopy(good)
    changed["variants"][-1]["footprint"] = _FOOTPRINT
    changed["devices"][0] |= {"python": None, "memory_mb": 4}
    report = Report.from_json(json.dumps(changed), "report.json")
    assert report.variants[-1].footprint is not None
    changed["variants"][-1]["footprint"] = _FOOTPRINT | {"ram_bytes": 4 * 2**20 - 787}
    with pytest.raises(InputError, match=r"footprint\.ram_bytes: 4,194,305 bytes with the stack, but pi4 has 4 MB"):
        Report.from_json(json.dumps(changed), "report.json")
