"""One file that a board's Python can run: the far side and what it needs of this project, as a zip application."""

import io
import zipfile
from importlib.resources import files
from typing import Final

MODULES: Final = (
    "calibration.preprocessing",
    "reports.errors",
    "targets.c.embedder",
    "targets.onnxruntime.embedder",
    "targets.onnxruntime.exact",
    "targets.openvino.embedder",
    "targets.places.board",
    "targets.places.board_facts",
    "targets.places.heartbeat",
    "targets.places.inference",
    "targets.places.memory",
    "targets.places.serving",
    "targets.places.wire",
    "targets.tflite.encoding",
    "targets.tflite.runtime",
)
"""Written for Python 3.9."""
_ROOT: Final = "ghostface_edge"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MAIN: Final = "from ghostface_edge.targets.places.board import main\n\nmain()\n"


def board_file() -> bytes:
    """The application; the same bytes every time. Run it with `python FILE` as a `Place`'s command."""
    content = {"__main__.py": _MAIN}
    for module in MODULES:
        package, *parts = module.split(".")
        for depth in range(len(parts) + 1):
            content["/".join([_ROOT, package, *parts[:-1]][: depth + 1]) + "/__init__.py"] = ""
        source = files(f"{_ROOT}.{package}").joinpath(*parts[:-1], f"{parts[-1]}.py")
        content["/".join([_ROOT, package, *parts]) + ".py"] = source.read_text()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(content.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return written.getvalue()
