"""C on its way to a device under Linux: compiled here for what that is, once for all that a run asks of it."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.targets.c.for_device import DeviceCompiler
from ghostface_edge.targets.places.place import LOCAL

if TYPE_CHECKING:
    from ghostface_edge.targets.devices.facts import DeviceFacts

_COMPILED: Final = "c"
_KEPT: Final = 8
_LIBRARY: Final = "model.so"


@contextmanager
def sent_files(runtime: str, files: Sequence[Path], facts: "Callable[[], DeviceFacts]") -> Iterator[Sequence[Path]]:
    """What a device is sent of an artifact, until the context ends: its files, but of C a library if it has a system.

    Args:
        runtime: of the artifact.
        files: all that make it up, the one to load first.
        facts: of the device.

    Raises:
        InputError: C that is not what this version generates.
        RuntimeMissingError: no compiler for that machine.
        ToolError: the compiler failed.
    """
    told = facts() if runtime == _COMPILED else None
    if told is None or told.python is None:
        yield files
        return
    content = _built(files[0], file_sha256(*files), told.machine, told.features)
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / _LIBRARY
        library.write_bytes(content)
        yield (library,)


@lru_cache(maxsize=_KEPT)
def _built(artifact: Path, sha256: str, machine: str, features: str) -> bytes:  # noqa: ARG001 - of all files, for the key
    with tempfile.TemporaryDirectory() as folder:
        library, log = Path(folder) / _LIBRARY, Path(folder) / "compiler.log"
        with LOCAL.open(DeviceCompiler, log=log) as compiler:
            compiler.build(artifact, machine, features, library)
        return library.read_bytes()
