"""Preprocessing that a network expects of its pixels: part of the model, recorded with every artifact.

The official nets take RGB, (x - 127.5) / 128. A net trained otherwise keeps its own declaration here; on export its
input convolution absorbs the difference, so that every artifact of this project takes RGB, (x - 127.5) / 128.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from ghostface_edge.calibration.preprocessing import MEAN, SCALE
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import Layout

METADATA_KEY = "ghostface_edge.preprocessing"
"""What a file takes."""
DECLARED_KEY = "ghostface_edge.checkpoint_preprocessing"
"""What the checkpoint behind an exported file took."""


class ColourOrder(StrEnum):
    """Order of the input's channels."""

    RGB = "RGB"
    BGR = "BGR"


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """input = (pixel - mean) / scale, channels in this order, axes in this layout."""

    colour: ColourOrder = ColourOrder.RGB
    mean: float = MEAN
    scale: float = SCALE
    layout: Layout = Layout.NCHW

    def __str__(self) -> str:
        return f"{self.colour}, (x - {self.mean:g}) / {self.scale:g}, {self.layout}"

    def to_json(self) -> str:
        """The form kept in a file's metadata under METADATA_KEY."""
        return json.dumps(asdict(self), sort_keys=True)


def from_metadata(metadata: Mapping[str, str]) -> Preprocessing:
    """Read what a file declares; without a declaration, what the official nets take.

    Raises:
        InputError: the declaration is damaged.
    """
    if METADATA_KEY not in metadata:
        return Preprocessing()
    try:
        raw = json.loads(metadata[METADATA_KEY])
        found = Preprocessing(
            colour=ColourOrder(raw["colour"]),
            mean=float(raw["mean"]),
            scale=float(raw["scale"]),
            layout=Layout(raw["layout"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(
            f"the metadata '{METADATA_KEY}' cannot be read ({error})", fix=f"write it like {Preprocessing().to_json()}"
        ) from error
    if not 0 < found.scale < float("inf") or not abs(found.mean) < float("inf"):
        raise InputError(
            f"the metadata '{METADATA_KEY}' declares mean {found.mean} and scale {found.scale}",
            fix="declare finite numbers and a scale above 0",
        )
    return found
