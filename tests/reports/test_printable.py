"""One nasty name at every edge."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.difference import compare
from ghostface_edge.reports.explain import explain
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.github import annotations
from ghostface_edge.reports.json_text import to_json
from ghostface_edge.reports.printable import printable, shortened
from ghostface_edge.reports.renderings import html, junit, markdown
from ghostface_edge.reports.renderings.console import print_difference, print_report
from ghostface_edge.reports.report import Report, Status

NASTY = "::a\n::error::b\r\x1b[31m\x07\u202e\u200b\u2028\x85\udc80 ##[error]c |`<img src=x>](http://x) &#64;team"
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028\u202e\ud800-\udfff]")
COMMAND = re.compile(r"^\s*::|##", re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Jürgen 李 😀", "Jürgen 李 😀"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u202eexe.\u200b", r"\u202eexe.\u200b"),
        ("caf\udce9", r"caf\udce9"),
        ("::error::x", r"\x3a:error::x"),
        ("  ::error::x", r"  \x3a:error::x"),
        ("a ::b", "a ::b"),
        ("x ##vso[task]", r"x \x23#vso[task]"),
        (Path("a\nb"), r"a\nb"),
    ],
)
def test_what_is_not_to_be_seen_is_written_out(text: object, written: str) -> None:
    assert printable(text) == written
    assert printable(text).isprintable()


def test_long_texts_are_cut() -> None:
    assert shortened("x" * 40) == "x" * 40
    assert shortened("x" * 41) == "x" * 40 + "…"


@pytest.fixture(scope="module")
def nasty(report: Report) -> Report:
    """Every text that comes from outside is the nasty name."""
    failed = {
        "id": f"tflite-int8{NASTY}",
        "runtime": NASTY,
        "status": Status.FAILED,
        "error": NASTY,
        "method": NASTY,
    }
    variants = (*report.variants, report.variants[1].model_copy(update=failed))
    guard = {"checked": (NASTY,), "found": (NASTY,), "excluded": (NASTY,), "allowed": (NASTY,)}
    content = report.model_dump()
    content["tool"] |= {"command": NASTY, "packages": {NASTY: NASTY}}
    content["host"] |= {"cpu": NASTY}
    content["model"] |= {"name": NASTY, "architecture": NASTY, "preprocessing": NASTY}
    content["data"]["pairs"] |= {"name": NASTY, "path": NASTY}
    content["data"]["calibration"] |= {"path": NASTY, "leak_guard": guard}
    return judge_report(Report.model_validate(content).model_copy(update={"variants": variants}))


def test_nothing_of_it_reaches_a_reader(nasty: Report, report: Report, curves: ReportCurves) -> None:
    def printed(show, shown) -> str:
        console = Console(file=StringIO(), width=80, force_terminal=False)
        show(shown, console)
        return console.file.getvalue()

    compared = compare(report, nasty)
    readers = {
        "console": printed(print_report, nasty),
        "compare": printed(print_difference, compared),
        "explain": explain(nasty.gate),
        "markdown": markdown.render(nasty, report),
        "html": html.render(nasty, curves, report),
        "page of two": html.render_difference(compared),
        "junit": junit.render(nasty),
    }
    for reader, text in readers.items():
        assert r"\x1b[31m" in text.replace("\\\\", "\\").replace("\\[", "["), reader
        assert UNSEEN.search(text) is None, reader
        assert text.encode(), reader
        own = re.sub(r"^#+ ", "", text, flags=re.MULTILINE) if reader == "markdown" else text
        assert "html" in reader or "page" in reader or COMMAND.search(own) is None, reader
    for line in annotations(nasty.gate):
        assert re.fullmatch(r"::(?:error|warning) title=[^:,\n]*::[^\n]*", line)
        assert UNSEEN.search(line) is None
    ET.fromstring(readers["junit"])
    assert re.search(r"(?<!\\)\]\(http", readers["markdown"]) is None
    assert "&#64;team" not in readers["markdown"].replace("&amp;#64;team", "")


def test_a_report_with_such_names_is_written_and_read(nasty: Report) -> None:
    text = nasty.to_json()
    content = json.loads(text.encode())
    assert content["model"]["name"] == NASTY.replace("\udc80", "\\udc80")
    assert json.loads(to_json({"a": NASTY})) == {"a": NASTY.replace("\udc80", "\\udc80")}


def test_the_command_line_says_such_names_without_obeying_them(report: Report, tmp_path: Path) -> None:
    def call(*arguments: object) -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-m", "ghostface_edge.pipeline", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    undecodable = call("gate", "no\n::error::\x1b[31m\udc80")
    assert rb"'no\n::error::\x1b[31m\udc80' is not UTF-8" in undecodable.stderr
    refused = call("gate", "no\n::error::\x1b[31m")
    assert refused.returncode == 2
    assert refused.stderr.count(b"\n") == 3
    assert rb"no\n::error::\x1b[31m cannot be read" in refused.stderr
    model = report.model.model_copy(update={"name": NASTY})
    (tmp_path / "report.json").write_text(report.model_copy(update={"model": model}).to_json())
    for options in (("--github",), ("--json",)):
        done = call("gate", "report.json", "--markdown", "gate.md", "--junit", "gate.xml", *options)
        assert done.returncode in {0, 2}, done.stderr  # without a step of GitHub's there is no summary
        assert UNSEEN.search(done.stdout.decode()) is None
        assert not re.search(rb"^\s*::(?!warning title)", done.stdout, re.MULTILINE)
        if options == ("--json",):
            assert done.stdout.isascii()
            json.loads(done.stdout)
