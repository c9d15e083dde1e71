"""Files that appear whole or not at all: written beside their place, then renamed into it."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from ghostface_edge.reports.errors import InputError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path`, to be written to; renamed when the block ends, removed when the block fails.

    Its name ends as `path` does, for writers that choose a format by it. Missing folders are made.

    Raises:
        InputError: the folder cannot be made or written to; any OSError of the block counts as that.
    """
    partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}", fix="choose a folder that you may write to"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, lines ended by a line feed alone.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    with replacing(path) as partial:
        partial.write_bytes(data)
