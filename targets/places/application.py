"""One file that another Python can run: the far side and what it needs of this project, as a zip application."""

import functools
import io
import zipfile
from importlib.resources import files
from typing import Final

SEAM: Final = (
    "calibration.preprocessing",
    "reports.errors",
    "targets.places.heartbeat",
    "targets.places.inference",
    "targets.places.memory",
    "targets.places.plain_side",
    "targets.places.serving",
    "targets.places.wire",
)
"""What every far side needs; written for Python 3.9."""
BOARD: Final = (
    *SEAM,
    "targets.c.embedder",
    "targets.executorch.embedder",
    "targets.ncnn.embedder",
    "targets.onnxruntime.embedder",
    "targets.onnxruntime.exact",
    "targets.openvino.embedder",
    "targets.places.board",
    "targets.places.board_facts",
    "targets.tflite.encoding",
    "targets.tflite.runtime",
)
"""What a board needs, whatever runtime it has."""
BOOTSTRAP: Final = (
    "import os,runpy,sys\n"
    "sys.version_info>=(3,9) or sys.exit('this far side needs Python 3.9')\n"
    "f=os.memfd_create('far-side');n=int(sys.argv[1])\n"
    "while n:\n"
    " p=os.read(0,n)\n"
    " p or sys.exit('the line was cut')\n"
    " n-=os.write(f,p)\n"
    "runpy.run_path('/proc/self/fd/%d'%f,run_name='__main__')"
)
"""Reads an application, whose length is its argument, from standard input and runs it; nothing of it touches a disk."""
_ROOT: Final = "ghostface_edge"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MAIN: Final = "from ghostface_edge.targets.places.plain_side import main\n\nmain()\n"


@functools.cache
def application(modules: tuple[str, ...]) -> bytes:
    """The application; the same bytes every time. Run it with `python FILE` as a `Place`'s command.

    Args:
        modules: of ours, without the leading package; nothing else of ours can be imported there.
    """
    content = {"__main__.py": _MAIN}
    for module in modules:
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
