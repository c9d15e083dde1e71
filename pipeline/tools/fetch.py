"""Public files into the cache: downloaded, resumed and verified, or taken from a local mirror.

A file is whole when it has the published digest. Where none is published, it must have the length that the server
announced; its digest is said, and sealed beside it, so that only what came this way is used again.
"""

import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from ghostface_edge.pipeline.support.seal import Seal
from ghostface_edge.pipeline.tools.sources import Source
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.reports.read import open_file, read_text
from ghostface_edge.reports.write import is_machine_fault, machine_fault, replacing, write_text

DOWNLOADS = "downloads"
"""Folder of the cache that takes them."""
_CHUNK = 1 << 20
_MAX_BYTES = 2**31
"""Of a file whose size is not published."""
_TIMEOUT_SECONDS = 30
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206
_PURPOSE = "download"


def fetch(
    source: Source, *, cache: Path, seal: Seal, mirror: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> Path:
    """Put a source's file into the cache, unless it lies there whole already.

    Args:
        source: what to fetch.
        cache: a folder; made if it is not there.
        seal: of the user whose cache it is.
        mirror: a folder that holds the file; nothing is downloaded then.
        say: gets a line about what happens.

    Returns:
        The file's path in the cache.

    Raises:
        InputError: the mirror does not hold the file, the cache cannot be written, or there is no connection; the
            message says what to put where.
        ToolError: what came is not what was published, or not all of it, or the disk is full.
    """
    if (there := fetched(source, cache=cache, seal=seal, say=say)) is not None:
        say(f"{there} is there already")
        return there
    final = cache / source.file
    if mirror is not None:
        given, limit = mirror / source.file, source.size_bytes or _MAX_BYTES
        if not given.exists():
            raise InputError(f"{mirror} holds no {source.file}", fix=f"put {source.address or source.what} there")
        with (
            open_file(given, fix=f"put {source.address or source.what} there", at_most=limit) as file,
            replacing(final) as copy,
        ):
            with copy.open("wb") as written:
                shutil.copyfileobj(file, written, _CHUNK)
            _refuse(source, copy)
    else:
        partial = _download(source, final, say)
        try:
            _refuse(source, partial)
        except ToolError:
            partial.unlink()
            raise
        partial.replace(final)
    sha256 = file_sha256(final)
    if source.sha256 is None:
        write_text(_signature(final), seal.sign(_PURPOSE, source.file, sha256))
    say(f"{final}: SHA-256 {sha256}{'' if source.sha256 else ', nothing known to compare it with'}")
    return final


def fetched(source: Source, *, cache: Path, seal: Seal, say: Callable[[str], None] = lambda _: None) -> Path | None:
    """A source's file in the cache, if it lies there whole; says why one that lies there is not used."""
    final = cache / source.file
    if not final.is_file():
        return None
    fault = _fault(source, final) or _unsealed(source, final, seal)
    if fault is None:
        return final
    say(f"{final} is not used: {fault}")
    return None


def _download(source: Source, final: Path, say: Callable[[str], None]) -> Path:
    """All of the file under a name of its own; what an earlier attempt brought is kept and gone on from."""
    if source.address is None:
        raise InputError(f"{source.file} has no public address: {source.what}", fix="name its folder with --from")
    by_hand = f"download {source.address} elsewhere as {source.file} and name its folder with --from"
    partial = final.with_name(f"{final.name}.partial")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        if source.sha256 is None:  # nothing would tell whether its beginning is of the same file
            partial.unlink(missing_ok=True)
        announced = _append(source.address, partial, source.size_bytes or _MAX_BYTES, say)
    except urllib.error.HTTPError as error:
        raise InputError(f"{source.address}: the server answers {error.code} {error.reason}", fix=by_hand) from error
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OSError) and is_machine_fault(error):
            raise machine_fault(partial, error) from error
        raise InputError(f"{source.address} cannot be fetched to {partial} ({error})", fix=by_hand) from error
    size = partial.stat().st_size
    if announced is None and source.sha256 is None:
        raise ToolError(f"{source.address}: nothing tells whether the {size:,} bytes are all of it", fix=by_hand)
    if announced is not None and size < announced:
        raise ToolError(
            f"{source.address}: the server sent {size:,} of {announced:,} bytes",
            fix="fetch again" if source.sha256 is None else "fetch again, it goes on from there",
        )
    return partial


def _append(address: str, partial: Path, at_most: int, say: Callable[[str], None]) -> int | None:
    """Add what is missing; returns how many bytes there should be then, None if the server does not say."""
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - listed
    say(f"{address}{f', from byte {have}' if have else ''}")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            resumed = answer.status == _PARTIAL_CONTENT
            length = answer.headers.get("Content-Length")
            with partial.open("ab" if resumed else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    if file.tell() > at_most:
                        partial.unlink()
                        raise ToolError(f"{address}: the server sends more than {at_most:,} bytes", fix="fetch again")
    except urllib.error.HTTPError as error:
        if error.code != _RANGE_NOT_SATISFIABLE:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":  # all of it is here
            return have
        partial.unlink()
        return _append(address, partial, at_most, say)
    return None if length is None else int(length) + (have if resumed else 0)


def _refuse(source: Source, path: Path) -> None:
    fault = _fault(source, path)
    if fault is not None:
        raise ToolError(
            f"{source.file} is not the published file: {fault}",
            fix="fetch it again; if that does not help, the source has changed and must not be trusted",
        )


def _signature(final: Path) -> Path:
    return final.with_name(f".{final.name}.seal")


def _unsealed(source: Source, final: Path, seal: Seal) -> str | None:
    """What is wrong with a file of unknown digest that lies in the cache."""
    if source.sha256 is not None:
        return None
    try:
        signature = read_text(_signature(final), fix="fetch it again")
    except InputError:
        signature = ""
    if seal.holds(signature, _PURPOSE, source.file, file_sha256(final)):
        return None
    return "its digest is not known, and no fetch of this user brought it"


def _fault(source: Source, path: Path) -> str | None:
    size = path.stat().st_size
    if source.size_bytes is not None and size != source.size_bytes:
        return f"it has {size:,} bytes, not {source.size_bytes:,}"
    if source.sha256 is not None and file_sha256(path) != source.sha256:
        return f"its SHA-256 is not {source.sha256}"
    return None
