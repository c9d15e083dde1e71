"""A line that breaks is taken up again; what died is left behind."""

import pytest

from ghostface_edge.pipeline.stages import device_session
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.device_session import session
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.targets.devices.refusals import LineBroken
from ghostface_edge.targets.places.connection import ChildDeath

from ..listener import Listener


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setattr(device_session, "_WAITS_S", (0, 0, 0))
    (tmp_path / "logs").mkdir()
    return StageContext(Store(tmp_path / "store"), tmp_path / "logs", Listener(), 1)


def dying(counter, *, times, code):
    """Methods that end the far side so many times, before it answers how it is doing."""
    return f"""
    def conditions(self):
        with open({str(counter)!r}, "a") as counted:
            counted.write("x")
        if os.path.getsize({str(counter)!r}) <= {times}:
            os._exit({code})
        return super().conditions()
    """


def test_a_broken_line_is_taken_up_again(make_device, context, tmp_path):
    with session(make_device(dying(tmp_path / "counter", times=3, code=255)), "onnxruntime", context) as there:
        there.facts()
        assert there.conditions().load >= 0
    assert context.progress.said == ["pi4: the process ended with exit code 255 during conditions; again in 0 s"] * 3


def test_patience_has_an_end(make_device, context, tmp_path):
    counter = tmp_path / "counter"
    with session(make_device(dying(counter, times=9, code=255)), "onnxruntime", context) as there:
        there.facts()
        with pytest.raises(LineBroken):
            there.conditions()
    assert counter.read_text() == "x" * 4


def test_what_nobody_reached_yet_gets_one_attempt(make_device, context, tmp_path):
    counter = tmp_path / "counter"
    device = make_device(dying(counter, times=9, code=255))
    with session(device, "onnxruntime", context) as there, pytest.raises(LineBroken):
        there.conditions()
    assert counter.read_text() == "x"


def test_what_died_answers_one_question_wrongly_only(make_device, context, tmp_path):
    with session(make_device(dying(tmp_path / "counter", times=1, code=3)), "onnxruntime", context) as there:
        there.facts()
        with pytest.raises(ChildDeath, match="exit code 3"):
            there.conditions()
        assert there.conditions().load >= 0
    assert context.progress.said == []


def test_facts_that_are_known_are_not_asked_for(make_device, context):
    with session(make_device(), "onnxruntime", context) as there:
        facts = there.facts()
    nobody = make_device(command=("false",))
    with session(nobody, "tflite", context, facts) as there:
        assert there.facts() == facts
