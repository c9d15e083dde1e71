"""The record of a matrix as a value: the fields of matrix.json, checked on the way in and on the way out.

A cell is a run of its own, whose report lies where the cell says; nothing of it is repeated here but its verdict. Tasks
are what made the cells, several of them for more than one; moments are seconds since 1970, UTC.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.json_text import decode_json, to_json
from ghostface_edge.reports.provenance import Tool
from ghostface_edge.reports.read import read_bytes
from ghostface_edge.reports.record import Count, NotNegative, Record, Sha256, Text, first_problem
from ghostface_edge.reports.verdicts import Verdict

FILE: Final = "matrix.json"
CELLS: Final = "cells"
"""Folder of the cells' own folders, beside that file."""
MAX_BYTES: Final = 128 * 2**20
"""Of 10,000 cells and their tasks: 27 MB."""
_WORST_FIRST: Final = (ExitCode.TOOL_FAILED, ExitCode.GATE_FAILED, ExitCode.INCONCLUSIVE, ExitCode.PASS)
_AGAIN: Final = "make it again with `ghostface-edge matrix`"


def report_of(cell: str) -> str:
    """Where the report of a cell with that id lies, relative to the record's folder."""
    return f"{CELLS}/{cell}/report.json"


class CellStatus(StrEnum):
    """Whether a cell has a report."""

    OK = "ok"
    FAILED = "failed"


class Axes(Record):
    """Which cell of the plan it is; every value as the plan writes it."""

    checkpoint: Text
    recipe: Text
    targets: tuple[Text, ...]
    """Names of one cell's variants."""
    devices: tuple[Text, ...] = ()
    """Where its variants ran beside the host."""
    pairs: tuple[Text, ...] = ()
    """Sets of one cell; none: rendered people."""
    seed: Count = 0


class Cell(Record):
    """One run."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
    """Name of its folder."""
    axes: Axes
    status: CellStatus
    error: Text | None = None
    """Why there is no report."""
    report: Text | None = None
    """As `report_of` says, if there is one."""
    verdict: Verdict | None = None
    exit_code: ExitCode
    """What a run of its own would have ended with."""
    seconds: NotNegative = 0.0
    """Of its own task; what it shares with others was made before."""
    where: Text | None = None
    """The worker that ran it."""
    timed_alone: bool = False
    """Whether nothing of this matrix ran on that machine while it was timed."""

    @model_validator(mode="after")
    def _has_a_report_or_says_why(self) -> Self:
        if self.status is CellStatus.OK and (self.report is None or self.verdict is None or self.error is not None):
            raise ValueError("a cell that is ok has a report and a verdict, and no error")
        if self.status is CellStatus.FAILED and (self.error is None or self.report or self.verdict):
            raise ValueError("a cell that failed has an error, and neither a report nor a verdict")
        if self.report not in {None, report_of(self.id)}:
            raise ValueError("a cell's report lies in its own folder")
        return self


class Task(Record):
    """One step that cells wait for, or a cell itself."""

    key: Text
    stage: Text
    start: NotNegative
    end: NotNegative
    worker: Text
    dependencies: tuple[Text, ...] = ()
    """Keys of the tasks that it waited for."""
    made: tuple[Text, ...] = ()
    """Artifacts that it put into the store; none where all were there."""
    bytes: Count = 0
    """Of these."""

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return self.end - self.start


class MatrixReport(Record):
    """matrix.json."""

    schema_version: Literal[1] = 1
    tool: Tool
    plan: Text
    """The plan's file."""
    plan_sha256: Sha256
    policy: Text
    """Name of the policy that every cell is judged by."""
    planned: Count
    """Cells of the plan; those that are not in `cells` have not ended yet."""
    cells: tuple[Cell, ...] = ()
    """In the order of the plan."""
    tasks: tuple[Task, ...] = ()
    """In the order in which they ended."""

    @model_validator(mode="after")
    def _names_each_cell_once(self) -> Self:
        if len({cell.id for cell in self.cells}) < len(self.cells) or len(self.cells) > self.planned:
            raise ValueError("cells stand twice, or are more than planned")
        return self

    @property
    def is_whole(self) -> bool:
        """Whether every cell of the plan has ended."""
        return len(self.cells) == self.planned

    @property
    def exit_code(self) -> ExitCode:
        """The worst of the cells': a tool that failed, a gate that failed, too little evidence, a pass."""
        codes = {ExitCode.TOOL_FAILED if cell.status is CellStatus.FAILED else cell.exit_code for cell in self.cells}
        if not self.is_whole or not codes:
            codes.add(ExitCode.INCONCLUSIVE)
        return next(code for code in _WORST_FIRST if code in codes)

    def to_json(self) -> str:
        """Write as indented JSON, keys in the order of the models."""
        return to_json(self.model_dump(mode="json")) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read matrix.json.

        Raises:
            InputError: the file is missing, unreadable, too large or no such record.
        """
        data = read_bytes(path, fix="give the matrix.json of a matrix", at_most=MAX_BYTES)
        try:
            return cls.model_validate_json(decode_json(data, str(path), fix=_AGAIN), strict=True)
        except ValidationError as error:
            raise InputError(f"{path} is no valid record of a matrix: {first_problem(error)}", fix=_AGAIN) from None


def json_schema() -> str:
    """JSON schema of matrix.json."""
    schema = MatrixReport.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ghostface-edge matrix"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
