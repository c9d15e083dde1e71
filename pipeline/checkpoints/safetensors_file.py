"""The header of a `.safetensors`, judged before the library sees the file.

The format: 8 bytes of the header's length, little endian; the header as JSON, which gives each tensor's type, shape and
place; the data, without gaps. Source: github.com/huggingface/safetensors.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

MAX_FILE_BYTES: Final = 2 * 2**30
_MAX_HEADER_BYTES: Final = 4 * 2**20
"""That of a GhostFaceNetV2 takes 0.1 MB."""
_MAX_AXES: Final = 8
_MAX_NUMBER: Final = 2**48
_ITEM_BYTES: Final[Mapping[str, int]] = MappingProxyType(
    {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
)
_METADATA: Final = "__metadata__"
_FIX: Final = "give a whole file, as the safetensors library writes it"


def check(path: Path) -> None:
    """Refuse a file whose header is damaged or says something else than the file holds.

    Raises:
        InputError: what is wrong with it.
    """
    with open_file(path, fix=_FIX, at_most=MAX_FILE_BYTES) as file:
        size = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(_MAX_HEADER_BYTES, size - 8):
            raise InputError(f"{path}: not a readable safetensors file (a header of {length:,} bytes)", fix=_FIX)
        text = file.read(length)
    try:
        _check_header(read_json_object(text.decode()), size - 8 - length)
    except ValueError as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})", fix=_FIX) from None


def read_json_object(text: str) -> dict[str, Any]:
    """A JSON object that says nothing twice.

    Raises:
        ValueError: something else.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("brackets nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - callers catch what JSON raises
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _check_header(header: dict[str, Any], size: int) -> None:
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata is not text")
    spans = sorted(_span(name, entry) for name, entry in header.items())
    ends = [0, *(end for _, end in spans)]
    if [begin for begin, _ in spans] != ends[:-1] or ends[-1] != size:
        raise ValueError("its tensors overlap, leave gaps or do not fill the file")


def _span(name: str, entry: Any) -> tuple[int, int]:
    """First byte and the one behind the last."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"'{name}' lacks its type, shape or place")
    kind, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _ITEM_BYTES:
        raise ValueError(f"'{name}' is of type {kind}, weights are {', '.join(_ITEM_BYTES)}")
    if not _are_sizes(shape) or len(shape) > _MAX_AXES or not _are_sizes(place) or len(place) != 2:
        raise ValueError(f"'{name}' has the shape {shape} at {place}")
    begin, end = place
    if end - begin != math.prod(shape) * _ITEM_BYTES[kind]:
        raise ValueError(f"'{name}' of shape {shape} takes {end - begin:,} bytes")
    return begin, end


def _are_sizes(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_NUMBER for value in values
    )
