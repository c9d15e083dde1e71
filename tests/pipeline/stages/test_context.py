"""A stage is built once for what it is made of, and its outcome read back."""

import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from ghostface_edge.pipeline.quantize.options import Limit
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.targets.places.connection import ChildDeath


@dataclass(frozen=True)
class Square:
    name: ClassVar[str] = "square"
    number: int
    built: list[int] = field(default_factory=list)

    def inputs(self):
        return {"number": self.number}

    def build(self, folder, _context):
        self.built.append(self.number)
        write_value(folder / "square.json", self.number**2)

    def read(self, folder):
        return read_value(folder / "square.json", int)


class Hoarder:
    def hoard(self, mb: int) -> None:
        np.ones((mb, 2**17), np.float64)

    def wait(self) -> None:
        time.sleep(600)


@pytest.fixture
def context(tmp_path):
    return StageContext(Store(tmp_path / "store"), tmp_path / "logs", Progress(), 1)


def test_a_stage_is_built_once_per_inputs(context):
    assert [context.run(stage := Square(3)), context.run(again := Square(3)), context.run(Square(4))] == [9, 9, 16]
    assert (stage.built, again.built) == ([3], [])


@pytest.mark.parametrize(
    ("limit", "call", "says"),
    [
        (Limit(minutes=0.02), lambda hoarder: hoarder.wait(), "wait did not finish within 1 s"),
        (Limit(memory_mb=300), lambda hoarder: hoarder.hoard(1024), "hoard needed more than 300 MB"),
    ],
)
def test_a_process_is_held_to_the_limit_of_its_stage(context, monkeypatch, limit, call, says):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[3])
    with context.open(Hoarder, label="hoarder", limit=limit) as hoarder, pytest.raises(ChildDeath, match=says):
        call(hoarder)


def test_a_log_is_named_after_a_label_that_no_file_could_be(tmp_path):
    class Opened:
        def open(self, _kind, *_arguments, log, **_bounds):
            return nullcontext(log)

    context = StageContext(Store(tmp_path / "store"), tmp_path, Progress(), 1, Opened())
    with context.open(Square, label="a\n::error::b\x1b[31m" + 300 * "x") as log:
        assert log.parent == tmp_path
        assert log.name.startswith(r"a\n::error::b\x1b[31mx")
        log.touch()
