"""The files that a report names: each once, and none that could be another."""

import pytest

from ghostface_edge.pipeline.release.shipped import Model, shipped_files
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.report import Artifact, Variant

PAGE, ONE, OTHER = "report.json", "a" * 64, "b" * 64


def variant(runtime, path=None, files=None, **others):
    artifact = None if path is None else Artifact(path=path, bytes=9, sha256=ONE)
    return Variant(
        id=f"{runtime}-int8",
        runtime=runtime,
        precision="int8",
        method="convert",
        status="failed",
        error="it is only its files that count",
        artifact=artifact,
        files=files or {},
        **others,
    )


@pytest.fixture
def listed(small_report):
    def listed(*variants):
        def refuse(problem):
            raise InputError(problem, fix="none")

        return shipped_files(small_report.model_copy(update={"variants": variants}), [PAGE], refuse)

    return listed


def refusal(listed, *variants):
    with pytest.raises(InputError) as refused:
        listed(*variants)
    return refused.value.message


def test_models_and_what_ships_with_them_are_listed(listed):
    firmware = {"arena_bytes": 1, "operators": {}, "files": ["m.cc", "m.h"]}
    two = variant("openvino", "m.xml", {"m.xml": ONE, "sheet.json": OTHER})
    three = variant("tflite", "m.tflite", firmware=firmware)
    shipped = listed(variant("onnxruntime"), two, three)
    assert shipped.models == (
        Model("openvino-int8", ("m.xml", "m.bin"), 9, ONE),
        Model("tflite-int8", ("m.tflite",), 9, ONE),
    )
    stated = {"m.xml": ONE, "sheet.json": OTHER}
    assert shipped.files == {**dict.fromkeys(("m.bin", "m.tflite", "m.cc", "m.h")), **stated}


def test_one_name_is_one_file(listed):
    twice = [variant(runtime, files={"sheet.json": ONE}) for runtime in ("tflite", "openvino")]
    assert listed(*twice).files == {"sheet.json": ONE}
    other = variant("onnxruntime", files={"sheet.json": OTHER})
    assert refusal(listed, *twice, other) == "the report says of sheet.json that it is two different files"


@pytest.mark.parametrize("place", [{"path": "../m.onnx"}, {"files": {"../m.onnx": ONE}}])
def test_a_name_that_leads_elsewhere_is_refused(listed, place):
    said = refusal(listed, variant("onnxruntime", **place))
    assert said.startswith("the report names a file that it cannot have: '../m.onnx'")


def test_a_name_that_some_system_takes_for_another_is_refused(listed):
    said = refusal(listed, variant("onnxruntime", files={"Report.json": ONE}))
    assert said.startswith("the report names files that cannot be beside each other: ")


def test_a_runtime_that_is_not_known_is_refused(listed):
    assert refusal(listed, variant("nosuch", "m.x")) == "nosuch-int8 is for 'nosuch', a runtime that is not known here"
