"""Whether native libraries can be imported here, and what they say of themselves, asked in a process of its own.

Importing a runtime may crash it: for want of a CPU's instruction, or of a library beside it. The process is no `Place`,
which takes NumPy and psutil on this side: whether those can be imported is among the questions.
"""

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Final

_TIMEOUT_S: Final = 180
_MEMORY_LIMIT_BYTES: Final = 8 * 2**30
_COMMAND: Final = (sys.executable, "-P", "-m", "ghostface_edge.reports.child", "ghostface_edge.targets.probe")
_LONGEST: Final = 300
"""Characters of an error from elsewhere."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of importing."""

    fault: str | None
    """Which module cannot be imported and why; None if all can."""
    says: tuple[str, ...] = ()
    """Of itself, where it can be asked."""


def probe(*modules: str) -> Probed:
    """Import modules in this order, in a process of its own."""
    try:
        ended = subprocess.run(
            (*_COMMAND, *modules), stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Probed(f"importing {', '.join(modules)} did not end within {_TIMEOUT_S} s")
    lines = ended.stdout.decode(errors="replace").splitlines()
    if ended.returncode == 0 and lines and lines[-1].startswith("{"):
        told = json.loads(lines[-1])
        return Probed(told["fault"], tuple(told["says"]))
    how = signal.Signals(-ended.returncode).name if ended.returncode < 0 else f"exit code {ended.returncode}"
    last = next((line for line in reversed(lines) if line in modules), modules[0])
    return Probed(f"{last}: importing it ends the process with {how}")


def main() -> None:
    """What runs in the process: names each module before it is imported, then answers with a line of JSON."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _MEMORY_LIMIT_BYTES if most == resource.RLIM_INFINITY else min(most, _MEMORY_LIMIT_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    fault, says, module = None, list[str](), ""
    try:
        for module in sys.argv[1:]:
            sys.stdout.write(f"\n{module}")
            sys.stdout.flush()
            import_module(module)
            says += _QUESTIONS.get(module, list)()
    except Exception as error:
        fault = f"{module}: {type(error).__name__}: {error}"[:_LONGEST]
    sys.stdout.write(f"\n{json.dumps({'fault': fault, 'says': says})}")


def _openvino() -> list[str]:
    import openvino

    return [str(word) for word in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")]


def _onnxruntime() -> list[str]:
    import onnxruntime

    return [str(name) for name in onnxruntime.get_available_providers()]


_QUESTIONS: Final[MappingProxyType[str, Callable[[], list[str]]]] = MappingProxyType(
    {"onnxruntime": _onnxruntime, "openvino": _openvino}
)

if __name__ == "__main__":
    main()
