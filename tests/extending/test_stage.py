"""A stage is one frozen class with inputs, build and read; a job runs it in one line."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.digest import file_sha256


@dataclass(frozen=True, slots=True)
class Contrast:
    """The stage: standard deviation of each face's pixels."""

    name: ClassVar[str] = "contrast"
    faces: Path
    """`.npy`, uint8 (N, S, S, 3)."""

    def inputs(self):
        return {"faces": file_sha256(self.faces)}

    def build(self, folder, context):
        with context.open(Photometer, label="contrast") as photometer:
            write_value(folder / "contrast.json", photometer.contrast(self.faces))

    def read(self, folder):
        return read_value(folder / "contrast.json", list[float])


class Photometer:
    """Far side: runs in a process of its own."""

    def contrast(self, faces: Path) -> list[float]:
        return [float(face.std()) for face in np.load(faces)]


@pytest.fixture
def context(tmp_path):
    (tmp_path / "logs").mkdir()
    return StageContext(Store(tmp_path / "store"), tmp_path / "logs", Progress(), threads=1)


def test_a_stage_is_built_once_and_anew_for_other_inputs(context, tmp_path, monkeypatch):
    faces = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    np.save(tmp_path / "faces.npy", faces)
    stage = Contrast(tmp_path / "faces.npy")
    first = context.run(stage)
    assert first == [float(face.std()) for face in faces]
    with monkeypatch.context() as broken:
        broken.setattr(StageContext, "open", None)
        assert context.run(stage) == first
    np.save(tmp_path / "faces.npy", faces[:2])
    assert context.run(stage) == first[:2]
