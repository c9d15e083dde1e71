"""What a model takes of a device: of one without a system, measured once; of others nothing is said."""

import pytest

from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.stages.artifacts import artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.device_footprint import MeasureFootprint
from ghostface_edge.pipeline.stages.device_session import session
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.devices import Footprint
from ghostface_edge.reports.errors import ToolError

from ..listener import Listener

BARE = """
def footprint(self):
    with open({asked!r}, "a") as file:
        file.write("asked ")
    self.sha256()
    return {told}
"""


@pytest.fixture
def measure(make_checkpoint, random_faces, make_device, tmp_path):
    (tmp_path / "logs").mkdir()
    export_onnx(make_checkpoint(Architecture(0.2, 2)), tmp_path / "tiny.onnx", faces=random_faces)
    artifact = artifact_of("onnxruntime", tmp_path / "tiny.onnx")
    context = StageContext(Store(tmp_path / "store"), tmp_path / "logs", Listener(), 1)

    def run(methods=""):
        with session(make_device(methods), "onnxruntime", context) as there:
            return context.run(MeasureFootprint(artifact, there))

    return run


def test_it_is_asked_of_the_loaded_model_once(measure, tmp_path):
    asked = tmp_path / "asked"
    told = {"flash_bytes": 805_760, "ram_bytes": 157_480, "stack_bytes": 788}
    bare = BARE.format(asked=str(asked), told=told)
    assert measure(bare) == measure(bare) == Footprint(**told)
    assert asked.read_text() == "asked "


def test_under_a_system_there_is_none(measure):
    assert measure() is None


def test_nonsense_is_refused(measure, tmp_path):
    told = {"flash_bytes": -1, "ram_bytes": 157_480, "stack_bytes": 788}
    with pytest.raises(ToolError, match="describes itself as nothing that is known"):
        measure(BARE.format(asked=str(tmp_path / "asked"), told=told))
