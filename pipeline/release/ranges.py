"""Scales of a bundle's quantization, as the run wrote them down."""

from typing import Any, Final

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
