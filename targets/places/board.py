"""The far side on a board: `.tflite` files in the interpreter that is there, LiteRT's or tflite-runtime's.

Runs from the one file that `board_file.write_board_file` makes, on Python 3.9 and NumPy, without this project's other
dependencies.
"""

import functools
from typing import List

from ghostface_edge.targets.places.inference import Inference
from ghostface_edge.targets.places.serving import Answer, serve
from ghostface_edge.targets.places.wire import Array, Header, StandardStreams
from ghostface_edge.targets.tflite.runtime import TfliteEmbedder


class TfliteBoard(Inference):
    """An interpreter on a board.

    Args:
        reference_kernels: whether the interpreter's reference kernels run, which are the same on every CPU.
    """

    def __init__(self, reference_kernels: bool = False) -> None:
        super().__init__(functools.partial(TfliteEmbedder, reference_kernels=reference_kernels))


def main() -> None:
    """Serve a `TfliteBoard`, whatever class is named."""
    serve(StandardStreams(), lambda opening, arrays: TfliteBoard(**_plain(opening, arrays)), _call)


def _call(served: object, request: Header, arrays: List[Array]) -> Answer:
    result = getattr(served, request["call"])(**_plain(request, arrays))
    return ({"done": {"array": 0}}, [result]) if hasattr(result, "dtype") else ({"done": result}, [])


def _plain(request: Header, arrays: List[Array]) -> Header:
    return {
        name: arrays[value["array"]] if isinstance(value, dict) else value
        for name, value in request["arguments"].items()
    }
