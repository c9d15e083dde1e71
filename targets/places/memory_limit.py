"""A bound on the memory of another process, set by the kernel, and the words in which it says that it met it."""

import os
import re
import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

_RESERVED_MB: Final = 256
_RESERVED_MB_PER_CORE: Final = 16
"""What runtimes reserve without using it, most of it two stacks of 8 MB per core: measured 230 and 11."""
_FIRST_TO_END: Final = "500"
_REFUSED: Final = re.compile(
    r"MemoryError|bad_alloc|bad allocation|(out of|insufficient) memory|"
    r"(can ?not|can't|failed to|could not|unable to) allocate",
    re.IGNORECASE,
)
"""How Python, C++, ONNX Runtime, OpenVINO, PyTorch, OpenCV and HDF5 put it."""


def bound_own_memory(limit_mb: int) -> None:
    """Let the kernel refuse this process more memory; what it starts can be given another bound."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_within(hard, limit_mb), hard))


def bound_memory(pid: int, limit_mb: int) -> None:
    """Let the kernel refuse a process more memory, end it first where all is used up, and write none of it to disk.

    Bounded is what it can write to (RLIMIT_DATA): of address space (RLIMIT_AS) runtimes reserve many times what they
    use. What it starts inherits the bound, each for itself.
    """
    with suppress(OSError):  # it may have ended already
        _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
        bound = _within(hard, limit_mb)
        resource.prlimit(pid, resource.RLIMIT_DATA, (bound, bound))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST_TO_END)


def ran_out_of_memory(text: str) -> bool:
    """Whether an error's text says that memory was refused."""
    return _REFUSED.search(text) is not None


def _within(hard: int, limit_mb: int) -> int:
    limit = (limit_mb + _RESERVED_MB + _RESERVED_MB_PER_CORE * (os.cpu_count() or 1)) * 2**20
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)
