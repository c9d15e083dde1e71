"""The part of the corpus that costs little, inside this process; `nox -s hostile` runs the whole, each in its own."""

import re
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ghostface_edge.pipeline.cli.app import main

from .case import EXECUTED, Case
from .corpus import cases
from .outcome import _FAULT, _INJECTED

CASES = cases()
QUICK = [case for case in CASES if case.quick]
HANG_S, MORE_BYTES = 20, 2 << 30


def test_the_corpus_is_large_and_says_why_a_case_may_end_otherwise_than_refused() -> None:
    hostile = [case for case in CASES if not case.name.startswith("control/")]
    assert len(hostile) >= 300
    assert sum(case.runs_code for case in hostile) >= 30
    assert not [case.name for case in hostile if case.allowed != {2} and not case.why]
    assert not [case.name for case in hostile if 0 in case.allowed and case.runs_code and not case.is_job]


@pytest.mark.parametrize("case", QUICK, ids=[re.sub(r"[^\w/-]", "-", case.name) for case in QUICK])
def test_it_is_refused(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    case.lay_out(folder)
    before = {path.name for path in folder.iterdir()}
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "argv", ["ghostface-edge", *case.arguments])
    with _bounds(), pytest.raises(SystemExit) as ended:
        main()
    said = "".join(capfd.readouterr())
    assert (ended.value.code or 0) in case.allowed, said
    assert not _FAULT.search(said)
    assert not _INJECTED.search(said)
    assert not list(tmp_path.rglob(EXECUTED))
    if ended.value.code == 2:
        assert {path.name for path in folder.iterdir()} == before


class _HangError(BaseException):
    """No Exception, so that nobody takes it for an error of the input."""


@contextmanager
def _bounds() -> Iterator[None]:
    """Of time and of memory, for what may have to be mended."""
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA)  # the command bounds its own data
    before = [resource.getrlimit(kind) for kind in kinds]
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MORE_BYTES, before[0][1]))
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        for kind, limits in zip(kinds, before, strict=True):
            resource.setrlimit(kind, limits)


def _hangs(*_: object) -> None:
    raise _HangError(f"it takes more than {HANG_S} s")
