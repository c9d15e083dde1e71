"""A shared store's objects in a bucket of S3, or of a server that speaks its protocol.

A put is whole or nothing there by itself, and refused where the key is taken (`If-None-Match: *`); a server that knows
no such condition overwrites an object by one that is as good. Where the server is, and who asks, is told as to every
other client of AWS: `AWS_ENDPOINT_URL`, `AWS_PROFILE`, `AWS_ACCESS_KEY_ID`.
"""

import mmap
from typing import BinaryIO, Final, cast

from ghostface_edge.pipeline.support.depot import PIECE_BYTES
from ghostface_edge.targets.requirements import require_modules

_ONE_PUT_BYTES: Final = 64 * 2**20
"""More goes up in parts of that size, two at once."""
_TAKEN: Final = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})


class DepotBucket:
    """See `Depot`.

    Args:
        url: `s3://BUCKET/PREFIX`.

    Raises:
        RuntimeMissingError: s3fs is not installed.
    """

    def __init__(self, url: str) -> None:
        require_modules("s3", "s3fs")
        from s3fs import S3FileSystem

        self._url = url.rstrip("/")
        self._files = S3FileSystem(use_listings_cache=False, config_kwargs={"retries": {"max_attempts": 1}})

    def open(self, key: str) -> BinaryIO:
        options = {"block_size": PIECE_BYTES, "cache_type": "none"}
        return cast("BinaryIO", self._files.open(f"{self._url}/{key}", "rb", **options))

    def size(self, key: str) -> int | None:
        try:
            found = self._files.info(f"{self._url}/{key}")
        except FileNotFoundError:
            return None
        return int(found["size"]) if found["type"] == "file" else None

    def put(self, key: str, source: BinaryIO, *, replace: bool) -> None:
        data: bytes | mmap.mmap = source.read(_ONE_PUT_BYTES)
        if len(data) == _ONE_PUT_BYTES:
            data = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self._files.pipe_file(
                f"{self._url}/{key}",
                data,
                chunksize=_ONE_PUT_BYTES // 2,
                max_concurrency=2,
                mode="overwrite" if replace else "create",
            )
        except OSError as error:
            if isinstance(error, FileExistsError) or _code(error) in _TAKEN:
                return  # another writer was first, whose object is as good
            raise


def _code(error: OSError) -> str | None:
    """What the server called it."""
    response: dict[str, dict[str, str]] = getattr(error.__cause__, "response", None) or {}
    return response.get("Error", {}).get("Code")
