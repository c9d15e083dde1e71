"""C on its way to a device under Linux: compiled here for what that is, once for all that a run asks of it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.targets.c.for_device import DeviceCompiler
from ghostface_edge.targets.places.place import LOCAL

_KEPT: Final = 8
_LIBRARY: Final = "model.so"


@contextmanager
def library_for(artifact: Path, files: tuple[Path, ...], machine: str, features: str) -> Iterator[Path]:
    """A library of `artifact` for a machine, until the context ends.

    Args:
        artifact: the `.c`.
        files: all that make it up.
        machine: as the device names it.
        features: words of its `/proc/cpuinfo`.

    Raises:
        InputError: it is not what this version generates.
        RuntimeMissingError: no compiler for that machine.
        ToolError: the compiler failed.
    """
    content = _built(artifact, file_sha256(*files), machine, features)
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / _LIBRARY
        library.write_bytes(content)
        yield library


@lru_cache(maxsize=_KEPT)
def _built(artifact: Path, sha256: str, machine: str, features: str) -> bytes:  # noqa: ARG001 - of all files, for the key
    with tempfile.TemporaryDirectory() as folder:
        library, log = Path(folder) / _LIBRARY, Path(folder) / "compiler.log"
        with LOCAL.open(DeviceCompiler, log=log) as compiler:
            compiler.build(artifact, machine, features, library)
        return library.read_bytes()
