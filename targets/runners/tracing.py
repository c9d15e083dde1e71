"""What a network in C tells of itself: every layer's tensor, of every face. Runs in a process of its own."""

import ctypes
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.c.compiler import LIBRARY, compile_c, find_compiler
from ghostface_edge.targets.c.embedder import CEmbedder
from ghostface_edge.targets.c.target import origin_of
from ghostface_edge.targets.protocol import Embeddings, Faces

_PLAIN = ("-O1", "-DMODEL_PORTABLE", "-DMODEL_TRACE=record_layer")
_RECORDER = ctypes.CFUNCTYPE(
    None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int
)


@dataclass(frozen=True, slots=True)
class Trace:
    """Of some faces."""

    layers: dict[str, NDArray[np.int8]]
    """By number and name, in the order of computation: (faces, pixels, channels)."""
    embeddings: Embeddings
    """Real values."""
    scale: float
    """The step that they are multiples of."""


def trace(artifact: Path, faces: Faces) -> Trace:
    """Compile a network with the hook for self-tests, with portable kernels: all kernels give the same bytes.

    Raises:
        InputError: it is not what this version generates.
        RuntimeMissingError: no compiler.
        ToolError: the compiler failed, or the network tells of no layer.
    """
    from ghostface_edge.targets.c.generate import generate  # needs LiteRT's schema

    generate(origin_of(artifact)).require_same(artifact)
    with tempfile.TemporaryDirectory() as folder:
        hook, library = Path(folder) / "record.c", Path(folder) / "model.so"
        hook.write_text(files(__package__).joinpath("record.c").read_text())
        compile_c(find_compiler(), [artifact, hook], [*LIBRARY, *_PLAIN], library)
        embedder, network = CEmbedder(library), ctypes.CDLL(str(library))
    told: defaultdict[str, list[NDArray[np.int8]]] = defaultdict(list)

    def take(layer: int, name: bytes, data: int, pixels: int, channels: int, stride: int) -> None:
        memory = np.ctypeslib.as_array((ctypes.c_int8 * ((pixels - 1) * stride + channels)).from_address(data))
        rows = np.lib.stride_tricks.as_strided(memory, (pixels, channels), (stride, 1))
        told[f"{layer}: {name.decode()}"].append(rows.copy())

    recorder: Any = _RECORDER(take)
    network.record_with(recorder)
    embeddings = embedder.run(embedder.prepare(faces))
    if not told:
        raise ToolError(f"{artifact.name} tells of no layer", fix="generate it again")
    scale = ctypes.c_float.in_dll(network, "model_embedding_scale").value
    return Trace({name: np.stack(rows) for name, rows in told.items()}, embeddings, scale)
