"""What a page in a browser needs besides its sources: models, datasheets, ONNX Runtime Web, and faces to try it with.

In: models of a run, each with its datasheet beside it, and what Node computed for the golden faces. Out: files by name.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from ghostface_edge.targets.protocol import Embeddings, Faces
from ghostface_edge.targets.web.target import WEB

_DIST: Final = "node_modules/onnxruntime-web/dist"
_RUNTIME: Final = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
"""Of ONNX Runtime Web: JavaScript and WebAssembly without what graphics cards need."""


def page_files(models: Mapping[str, Path], embeddings: Mapping[str, Embeddings], faces: Faces) -> dict[str, bytes]:
    """The files, by name within the page's folder.

    Args:
        models: by variant's id.
        embeddings: of the faces, by variant's id.
        faces: golden ones, RGB uint8 (N, 112, 112, 3).

    Raises:
        RuntimeMissingError: the environment is not installed.
    """
    WEB.require()
    images = {f"face-{number}.png": _png(face) for number, face in enumerate(faces)}
    listed = []
    content = {name: (WEB.folder / _DIST / name).read_bytes() for name in _RUNTIME} | images
    for variant, model in models.items():
        sheet = model.with_name(f"{model.name}.json")
        content |= {file.name: file.read_bytes() for file in (model, sheet)}
        content[f"{variant}.f32"] = embeddings[variant].astype("<f4").tobytes()
        listed.append({"id": variant, "datasheet": sheet.name, "faces": list(images), "embeddings": f"{variant}.f32"})
    return content | {"variants.json": (json.dumps(listed, indent=2) + "\n").encode()}


def _png(face: Faces) -> bytes:
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(face[..., ::-1]))
    return encoded.tobytes()
