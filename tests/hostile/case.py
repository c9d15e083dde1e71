"""One hostile input: files in a folder of its own, the command line that meets them, and what may come of it."""

import hashlib
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

EXECUTED = "EXECUTED"
"""A file of this name appears in the case's folder where an input got its code run."""
MARK = "PWNED"
"""What an injected line says; see `outcome`."""
REFUSED = frozenset({2})

Content = bytes | Callable[[Path], object]
"""Bytes of a file, or what makes something at a path."""


@dataclass(frozen=True, slots=True)
class Case:
    """A command line and the files that it meets."""

    name: str
    """`bin/os-system`."""
    arguments: tuple[str, ...]
    """Of `ghostface-edge`; paths are relative to the case's folder."""
    files: Mapping[str, Content]
    """What lies in that folder before."""
    allowed: frozenset[int] = REFUSED
    why: str = ""
    """Why it may end otherwise than refused."""
    runs_code: bool = False
    """Whether it tries to."""
    output: str = "pipe"
    """Standard output: `pipe`, `closed` or `full`."""
    quick: bool = False
    """Whether the default test suite runs it too, inside its own process."""
    cached: bool = False
    """Whether it starts on a copy of the cache that a good job left; its figures must be that job's."""
    stored: bool = False
    """Whether it starts with an empty cache on a copy of the store that a good job left."""
    figures: bool = True
    """Whether a job's figures must be those of the good one."""

    @property
    def is_job(self) -> bool:
        """Whether it is the whole job over every stage."""
        return self.cached or self.stored

    def lay_out(self, folder: Path) -> None:
        """Make its files."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # a hostile file takes the place of a good one in a folder that came before
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                content(path)


@dataclass(frozen=True, slots=True)
class Door:
    """A place where the command line takes a stranger's file, with good files around it."""

    file: str
    """Name of the stranger's file."""
    arguments: tuple[str, ...]
    around: Mapping[str, Content]

    def case(self, name: str, content: Content, **fields: object) -> Case:
        """Something hostile at this door."""
        return Case(name, self.arguments, {**self.around, self.file: content}, **fields)

    def renamed(self, file: str) -> "Door":
        """The same door, for a file of another name."""
        arguments = tuple(file if part == self.file else part for part in self.arguments)
        return replace(self, file=file, arguments=arguments)


class Payload:
    """A pickle of this writes the canary."""

    def __init__(self, folder: Path) -> None:
        self._code = f"open({str(folder / EXECUTED)!r}, 'w').close()"

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return exec, (self._code,)


def case_folder(path: Path, arguments_folder: str = "case") -> Path:
    """The case's folder, from a path somewhere in it."""
    return next(parent for parent in path.parents if parent.name == arguments_folder)


def later(make: Callable[[], bytes]) -> Content:
    """Bytes that take long to make or come from a heavy library."""
    return lambda path: path.write_bytes(make())


def tree(files: Mapping[str, Content]) -> Content:
    """A folder of files."""

    def make(path: Path) -> None:
        path.mkdir(exist_ok=True)
        for name, content in files.items():
            inner = path / name
            inner.parent.mkdir(parents=True, exist_ok=True)
            inner.write_bytes(content) if isinstance(content, bytes) else content(inner)

    return make


def link(target: str) -> Content:
    """A symbolic link."""
    return lambda path: path.symlink_to(target)


def sparse(size: int, start: bytes = b"") -> Content:
    """A file that is large and takes no room."""

    def make(path: Path) -> None:
        path.write_bytes(start)
        os.truncate(path, size)

    return make


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path may have 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


PLACES: Mapping[str, Content] = {
    "pipe": os.mkfifo,
    "link-to-pipe": lambda path: (os.mkfifo(path.with_name("a-pipe")), path.symlink_to("a-pipe")),
    "endless-device": link("/dev/zero"),
    "silent-device": link("/dev/null"),
    "socket": _socket,
    "folder": lambda path: path.mkdir(),
    "dangling-link": link("nowhere"),
    "link-to-itself": lambda path: path.symlink_to(path.name),
    "empty": b"",
    "noise": bytes(range(256)) * 16,
    "8-gib": sparse(8 << 30),
}
"""What may lie where a file is expected."""


def cut(data: bytes, parts: Iterable[float] = (0.02, 0.5, 0.98)) -> dict[str, bytes]:
    """The file cut off at some places."""
    return {f"cut-at-{round(100 * part)}-percent": data[: round(len(data) * part)] for part in parts}


def flipped(data: bytes, count: int = 3, within: int | None = None) -> dict[str, bytes]:
    """The file with a few bits of one byte turned, at places spread over its beginning."""
    changed = {}
    for number in range(count):
        at = (2 * number + 1) * min(within or len(data), len(data)) // (2 * count)
        changed[f"byte-{at}-turned"] = data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :]
    return changed


def file_sha256(path: Path) -> str:
    """Digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def noise(path: Path) -> bytes:
    """A file's content with bits turned over its second half."""
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data), 97):
        data[at] ^= 0x10
    return bytes(data)
