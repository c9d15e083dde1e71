"""What an embedded engineer needs beside a model file: how to feed it, and at which threshold to decide.

In: what was read off the artifact and measured with it. Out: `<artifact>.json` next to it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from ghostface_edge.calibration.preprocessing import MEAN, SCALE
from ghostface_edge.reports.evidence import ThresholdTransfer
from ghostface_edge.reports.write import write_text
from ghostface_edge.targets.protocol import ArtifactInfo


def write_datasheet(
    artifact: Path, info: ArtifactInfo, embedding_size: int, thresholds: Mapping[str, ThresholdTransfer | None]
) -> Path:
    """Write the datasheet of an artifact; returns its path."""
    quantized = info.input_scale is not None and info.input_dtype in {"int8", "uint8"}
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
            "quantization": f"q = round(x / {info.input_scale!r}) + {info.input_zero_point}" if quantized else None,
        },
        "output": {"embedding_size": embedding_size, "compare": "cosine; normalise before a dot product"},
        "thresholds": {
            far: {"fp32": transfer.reference.threshold, "this_model": transfer.retuned.threshold}
            for far, transfer in thresholds.items()
            if transfer is not None
        },
    }
    path = artifact.with_name(artifact.name + ".json")
    write_text(path, json.dumps(sheet, indent=2) + "\n")
    return path
