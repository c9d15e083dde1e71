"""A stage is built once for what it is made of, and its outcome read back."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store


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


@pytest.fixture
def context(tmp_path):
    return StageContext(Store(tmp_path / "store"), tmp_path / "logs", Progress(), 1)


def test_a_stage_is_built_once_per_inputs(context):
    assert [context.run(stage := Square(3)), context.run(again := Square(3)), context.run(Square(4))] == [9, 9, 16]
    assert (stage.built, again.built) == ([3], [])


def test_a_log_is_named_after_a_label_that_no_file_could_be(tmp_path):
    class Opened:
        def open(self, _kind, *_arguments, log, timeout_s, on_told):
            return nullcontext(log)

    context = StageContext(Store(tmp_path / "store"), tmp_path, Progress(), 1, Opened())
    with context.open(Square, label="a\n::error::b\x1b[31m" + 300 * "x") as log:
        assert log.parent == tmp_path
        assert log.name.startswith(r"a\n::error::b\x1b[31mx")
        log.touch()
