import os
from pathlib import Path

import pytest

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets import judge as judging
from ghostface_edge.targets.judge import ARTIFACT_CHECKS, judge


def test_a_refusal_says_what_the_check_said(tmp_path: Path) -> None:
    for ending, check in ARTIFACT_CHECKS.items():
        (tmp_path / f"m{ending}").write_bytes(b"noise")
        with pytest.raises(InputError, match=r"/m\.") as refused:
            judge(tmp_path / f"m{ending}", check)
        assert "give" in refused.value.fix


def test_names_that_are_no_utf8_travel(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.onnx"))
    path.write_bytes(b"noise")
    with pytest.raises(InputError, match="not a readable ONNX model"):
        judge(path, ARTIFACT_CHECKS[".onnx"])


def breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> str:
    """A check of the tests' own, which its process can import."""
    (tmp_path / "broken.py").write_text(f"import os, sys\ndef check(path):\n    {body}\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    return "broken:check"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("os.kill(os.getpid(), 11)", ToolError, "SIGSEGV"),
        ("os._exit(7)", ToolError, "exit code 7"),
        ("os._exit(0)", ToolError, "exit code 0"),
        ("raise KeyError('x')", ToolError, "KeyError"),
        ("bytearray(1 << 40)", InputError, "more memory"),
        ("while True: pass", ToolError, "did not end"),
    ],
)
def test_what_becomes_of_the_process_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, kind: type[Exception], message: str
) -> None:
    monkeypatch.setattr(judging, "_TIMEOUT_S", 3)
    with pytest.raises(kind, match=message):
        judge(tmp_path / "m.onnx", breaks(tmp_path, monkeypatch, body))


def test_what_is_printed_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(tmp_path / "m.onnx", breaks(tmp_path, monkeypatch, "print('{\"refused\": 1}'); os.write(1, b'noise')"))
