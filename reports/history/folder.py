"""A history on disk: a folder with a JSON file for every run, so that two branches merge without a conflict.

A file's name begins with the moment in UTC, so that names sort, and ends with a digest of its content, so that two
runs never claim one name. Files come from whoever may write to the repository: each is read within a bound, and one
that is no run is left out and named, because years of figures should not hang on one file.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.history.kept_run import SCHEMA_VERSION, KeptRun
from ghostface_edge.reports.json_text import decode_json, parse_json
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.read import read_bytes
from ghostface_edge.reports.record import first_problem
from ghostface_edge.reports.write import write_text

MAX_RUN_BYTES: Final = 2**18
"""A run of 20 variants takes 15 KB."""
MAX_RUNS: Final = 2_000
_DIGEST: Final = 16
_FIX: Final = "restore it from version control, or remove it"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a folder holds."""

    runs: Sequence[KeptRun]
    """In the order in which they started."""
    left_out: Sequence[str] = ()
    """Why each file that is no run is none."""


def keep(run: KeptRun, folder: Path) -> Path:
    """Write a run into a history, whole or not at all.

    Raises:
        InputError: the folder cannot be made or written to.
        ToolError: the disk is full or fails.
    """
    text = run.to_json()
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    path = folder / f"{run.moment:%Y%m%dT%H%M%SZ}-{digest}.json"
    write_text(path, text)
    return path


def read_history(folder: Path) -> Kept:
    """Read every `.json` of a folder.

    Raises:
        InputError: no folder, too many files, or no run among them.
    """
    fix = "give the folder that runs were kept in with `ghostface-edge run --history`"
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", fix=fix)
    try:
        paths = sorted(_json_files(folder))
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}", fix=fix) from None
    found: list[tuple[KeptRun, str]] = []
    left_out: list[str] = []
    for path in paths:
        try:
            found.append((_read(path), path.name))
        except InputError as error:
            left_out.append(error.message)
    if not found:
        first = f": {left_out[0]}" if left_out else ""
        raise InputError(f"{folder} holds no run{first}", fix=fix)
    found.sort(key=lambda pair: (pair[0].moment, pair[1]))
    return Kept([run for run, _ in found], left_out)


def _json_files(folder: Path) -> Iterator[Path]:
    for number, path in enumerate(path for path in folder.iterdir() if path.suffix == ".json"):
        if number == MAX_RUNS:
            raise InputError(
                f"{folder} holds more than {MAX_RUNS:,} files", fix="move those of the first years to another folder"
            )
        yield path


def _read(path: Path) -> KeptRun:
    data = read_bytes(path, fix=_FIX, at_most=MAX_RUN_BYTES)
    text = decode_json(data, str(path), fix=_FIX)
    content = parse_json(text, str(path), fix=_FIX)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise InputError(
            f"{path} has schema_version {shortened(repr(version))}, this tool reads {SCHEMA_VERSION}", fix=_FIX
        )
    try:
        return KeptRun.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise InputError(f"{path} is no run: {first_problem(error)}", fix=_FIX) from None
