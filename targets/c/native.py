"""What C that is compiled here may use of this machine's CPU."""

import subprocess
from types import MappingProxyType
from typing import Final

from ghostface_edge.targets.c.compiler import HOST

_WORDS: Final = MappingProxyType(
    {
        "__AVX512VNNI__": "AVX-512 VNNI",
        "__AVXVNNI__": "AVX-VNNI",
        "__AVX2__": "AVX2",
        "__ARM_FEATURE_DOTPROD": "dotprod",
        "__ARM_NEON": "NEON",
    }
)
"""Macros by which `kernels/` chooses, the fastest first."""
_TIMEOUT_S: Final = 60


def native_kernels(compiler: str) -> tuple[str, ...]:
    """The instructions that a compiler takes for this machine and our kernels are written for; none where it fails."""
    command = [compiler, *HOST, "-dM", "-E", "-x", "c", "/dev/null"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True).stdout
    except (subprocess.SubprocessError, OSError):
        return ()
    macros = {line.split()[1] for line in told.splitlines() if line.startswith("#define ")}
    return tuple(word for macro, word in _WORDS.items() if macro in macros)
