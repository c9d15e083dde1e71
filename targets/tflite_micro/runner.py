"""Sources that run a model in TensorFlow Lite Micro, for a firmware's own tree.

In: an INT8 `.tflite` and the name of its C array (`c_array`). Out: the files of `sources` with that name in them.
"""

from importlib.resources import files
from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.tflite.inspection import read_interface
from ghostface_edge.targets.tflite_micro.c_array import identifier_of


def takes_bytes(artifact: Path) -> bool:
    """Whether the runner can feed a model.

    Raises:
        InputError: no TFLite file.
    """
    entry, output = read_interface(artifact)
    return entry.dtype in ("int8", "uint8") and output.dtype == "int8"


def runner_sources(artifact: Path, name: str) -> dict[str, str]:
    """Texts by the names of their files.

    Args:
        artifact: what the C array holds; its input and output in 8 bits.
        name: of the C array's `.cc` and `.h`, without ending.

    Raises:
        InputError: no TFLite file, or one that takes or gives real values.
    """
    if not takes_bytes(artifact):
        raise InputError(
            f"{artifact} takes or gives real values, and the runner feeds bytes", fix="run with --input int8 or uint8"
        )
    words = {"@MODEL@": name, "@IDENTIFIER@": identifier_of(name)}
    texts = {
        source.name: source.read_text(encoding="utf-8") for source in files(__package__).joinpath("sources").iterdir()
    }
    for mark, word in words.items():
        texts = {file: text.replace(mark, word) for file, text in texts.items()}
    return texts
