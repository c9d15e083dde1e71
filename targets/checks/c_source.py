"""A network's `.c`, judged by the `.tflite` beside it, which it has to be generated from.

In: a file that anybody made. Out: nothing, or why it is refused. The text itself is not judged: the target compiles
only what this version generates of the `.tflite`, and refuses a `.c` that differs from that.
"""

from pathlib import Path
from typing import Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file
from ghostface_edge.targets.checks import tflite_file

_FIX: Final = "give the .c with the .h and .tflite of its run beside it; C from elsewhere is not compiled"
_MAX_BYTES: Final = 512 * 2**20


def check(path: Path) -> None:
    """Refuse a source without the model that it was generated from, and where that model would be refused.

    Raises:
        InputError: what is wrong with it.
    """
    open_file(path, fix=_FIX, at_most=_MAX_BYTES).close()
    origin = path.with_suffix(".tflite")
    if not origin.is_file():
        raise InputError(
            f"{path}: the model that it was generated from, {origin.name}, is not beside it",
            fix=_FIX,
        )
    tflite_file.check(origin)
