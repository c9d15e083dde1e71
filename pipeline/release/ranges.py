"""Scales of a bundle's quantization, as the run wrote them down, and those of another one."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ghostface_edge.pipeline.quantize.report import TensorRange
from ghostface_edge.pipeline.release.archive import Archive
from ghostface_edge.pipeline.release.contents import QUANTIZATION
from ghostface_edge.reports.json_text import parse_json

_MAX_BYTES: Final = 16 * 2**20


def scales_of(archive: Archive) -> dict[str, tuple[float, int]]:
    """Scale and zero point by tensor.

    Raises:
        InputError: the file is none that a run writes.
    """
    where = f"{archive.where}: {QUANTIZATION}"
    told: Any = parse_json(archive.read(QUANTIZATION, _MAX_BYTES), where, fix="get the bundle again")
    try:
        return {
            str(one["name"]): (float(one["scale"]), int(one["zero_point"])) for one in told["quantization"]["ranges"]
        }
    except (KeyError, TypeError, ValueError):
        archive.refuse(f"{QUANTIZATION} tells no ranges")


def other_range(before: Mapping[str, tuple[float, int]], after: Iterable[TensorRange]) -> str | None:
    """The first tensor whose scale or zero point is another; None where all are alike."""
    for one in after:
        was = before.get(one.name)
        if was != (one.scale, one.zero_point):
            return f"scale and zero point of {one.name}: {one.scale!r} and {one.zero_point}, were {was}"
    return None
