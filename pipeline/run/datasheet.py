"""What an embedded engineer needs beside a model file: how to feed it, where to decide, and where it was proven.

In: what was read off the artifact and measured with it. Out: `<artifact>.json` next to it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from ghostface_edge.calibration.preprocessing import MEAN, SCALE
from ghostface_edge.reports.evidence import ThresholdTransfer
from ghostface_edge.reports.proven import Proven
from ghostface_edge.reports.write import write_text
from ghostface_edge.targets.protocol import ArtifactInfo

_EXACT: dict[tuple[str, float | None, int | None], str] = {
    ("int8", 1 / 128, 0): "q = pixel - 128",
    ("uint8", 1 / 128, 128): "q = pixel",
}


def write_datasheet(
    artifact: Path,
    info: ArtifactInfo,
    embedding_size: int,
    thresholds: Mapping[str, ThresholdTransfer | None],
    evidence: Proven,
    options_on_arm: Mapping[str, str],
) -> Path:
    """Write the datasheet of an artifact; returns its path.

    Args:
        artifact: the file.
        info: read off it.
        embedding_size: of the network.
        thresholds: by false-accept rate.
        evidence: where it was proven.
        options_on_arm: that its runtime needs there to compute it rightly.
    """
    sheet = {
        "model": artifact.name,
        "input": {
            "name": info.input_name,
            "shape": info.input_shape,
            "dtype": info.input_dtype,
            "layout": info.layout,
            "colour": "RGB",
            "face": "aligned to the ArcFace template, 112x112",
            "normalization": f"x = (pixel - {MEAN}) / {SCALE:g}",
            "quantization": _quantization(info),
        },
        "output": {"embedding_size": embedding_size, "compare": "cosine; normalise before a dot product"},
        "thresholds": {
            far: {"fp32": transfer.reference.threshold, "this_model": transfer.retuned.threshold}
            for far, transfer in thresholds.items()
            if transfer is not None
        },
        "proven": evidence.model_dump(mode="json"),
        **({"options_on_arm": dict(options_on_arm)} if options_on_arm else {}),
    }
    path = artifact.with_name(artifact.name + ".json")
    write_text(path, json.dumps(sheet, indent=2) + "\n")
    return path


def _quantization(info: ArtifactInfo) -> str | None:
    """From pixels to what an integer input holds; where its step is a pixel's, nothing is rounded."""
    if info.input_dtype not in {"int8", "uint8"}:
        return None
    exact = _EXACT.get((info.input_dtype, info.input_scale, info.input_zero_point))
    return exact or f"q = round(x / {info.input_scale!r}) + {info.input_zero_point}"
