"""Sources that run a model in TensorFlow Lite Micro, for a firmware's own tree.

In: an INT8 `.tflite` and the name of its C array (`c_array`). Out: the files of `sources` with that name in them.
"""

from importlib.resources import files
from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.tflite.inspection import read_interface
from ghostface_edge.targets.tflite_micro.c_array import identifier_of


def write_runner(folder: Path, artifact: Path, name: str) -> tuple[Path, ...]:
    """Fill a folder; returns its files.

    Args:
        folder: where to write; must exist.
        artifact: what the C array holds; its input and output in 8 bits.
        name: of the C array's `.cc` and `.h`, without ending.

    Raises:
        InputError: no TFLite file, or one that takes or gives real values.
    """
    entry, output = read_interface(artifact)
    if entry.dtype not in ("int8", "uint8") or output.dtype != "int8":
        raise InputError(
            f"{artifact} takes {entry.dtype} and gives {output.dtype}; the runner feeds bytes",
            fix="run with --input int8 or uint8",
        )
    written = []
    for source in files(__package__).joinpath("sources").iterdir():
        text = source.read_text(encoding="utf-8")
        written.append(folder / source.name)
        written[-1].write_text(text.replace("@MODEL@", name).replace("@IDENTIFIER@", identifier_of(name)))
    return tuple(sorted(written))
