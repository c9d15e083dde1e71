"""Judging a stranger's file: what it declares is looked at in a process of its own, before any runtime sees the file.

A check is a function from a path that raises `InputError` for a file which is damaged, or larger, deeper or other than
it may be. It reads what a file says of itself, without PyTorch, and most often without a runtime.

The process is no `Place`, whose messages take NumPy and pydantic on both sides: a refusal would mostly be imports. It
is given a check's name and a path, answers with one line of JSON, and limits its own memory and time, so that a file
which makes a parser crash, hang or grow ends only that process.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Final, cast

from ghostface_edge.reports.errors import InputError, ToolError

ARTIFACT_CHECKS: Final = MappingProxyType(
    {
        ".bmodel": "ghostface_edge.targets.sophgo.program:read_program",
        ".c": "ghostface_edge.targets.checks.c_source:check",
        ".cvimodel": "ghostface_edge.targets.sophgo.program:read_program",
        ".onnx": "ghostface_edge.targets.checks.onnx_form:check",
        ".xml": "ghostface_edge.targets.checks.openvino_ir:check",
        ".param": "ghostface_edge.targets.ncnn.model:read_model",
        ".pte": "ghostface_edge.targets.executorch.program:read_program",
        ".rknn": "ghostface_edge.targets.rknn.model:check",
        ".tflite": "ghostface_edge.targets.checks.tflite_file:check",
    }
)
"""Of runtimes' files, by their ending."""
_TIMEOUT_S: Final = 60
_MEMORY_LIMIT_BYTES: Final = 6 * 2**30
"""Of addresses; what a check holds of them is a fraction."""
_COMMAND: Final = (sys.executable, "-P", "-m", "ghostface_edge.reports.child", "ghostface_edge.targets.judge")
_ONE_THREAD: Final = MappingProxyType({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
_REFUSED: Final = "refused"


def judge(path: Path, check: str) -> None:
    """Apply a check in a process of its own.

    Args:
        path: whatever a user named.
        check: `module:function`.

    Raises:
        InputError: the file is refused.
        ToolError: the process died or hung over it.
    """
    try:
        ended = subprocess.run(
            (*_COMMAND, check, path),
            env={**os.environ, **_ONE_THREAD},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{path}: checking it did not end within {_TIMEOUT_S} s", fix="give another file") from None
    answer = ended.stdout.rpartition(b"\n")[2]
    if ended.returncode == 0 and answer.startswith(b"{"):
        refusal = json.loads(answer).get(_REFUSED)
        if refusal is not None:
            raise InputError(**refusal)
        return
    how = signal.Signals(-ended.returncode).name if ended.returncode < 0 else f"exit code {ended.returncode}"
    said = ended.stderr.decode(errors="replace").strip().splitlines()
    raise ToolError(
        f"{path}: the process that checked it died of {how} ({said[-1][:200] if said else 'no message'})",
        fix="give another file; this one breaks the library that reads its kind",
    )


def judge_artifact(path: Path) -> None:
    """Apply the check of a runtime's file, by its ending; where there is none, the runtime's own process has to do.

    Raises:
        InputError: the file is missing or refused.
        ToolError: the process died or hung over it.
    """
    check = ARTIFACT_CHECKS.get(path.suffix)
    if check is not None:
        judge(path, check)


def apply(path: Path, check: str) -> None:
    """Apply a check here, where a file is about to be read.

    Raises:
        InputError: the file is refused.
    """
    cast("Callable[[Path], None]", resolve_name(check))(path)


def main() -> None:
    """What runs in the process: `check path`."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY_LIMIT_BYTES if most == resource.RLIM_INFINITY else min(most, _MEMORY_LIMIT_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
    check, path = sys.argv[1:]
    answer: dict[str, object] = {}
    try:
        apply(Path(path), check)
    except InputError as error:
        answer[_REFUSED] = {"message": error.message, "fix": error.fix}
    except MemoryError:
        answer[_REFUSED] = {
            "message": f"{path}: asks for more memory than a file of its kind needs",
            "fix": "give a file of a face network",
        }
    sys.stdout.write(f"\n{json.dumps(answer)}")


if __name__ == "__main__":
    main()
