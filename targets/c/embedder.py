"""A network that was compiled to a library: uint8 faces in, float32 embeddings out.

Boards run this file as it is: Python 3.9. Native code: use it in a child process only.
"""

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import require_shape
from ghostface_edge.reports.errors import InputError, ToolError

if TYPE_CHECKING:
    from ghostface_edge.targets.protocol import Embeddings, Faces

_ALIGNMENT: Final = 16


class CEmbedder:
    """A loaded library, one face at a time on one thread.

    Args:
        library: of `model.c`, for this machine.
        threads: as other runtimes are asked for them; it takes one.
        batch: likewise.
        output: shape of what comes out for one face; a row where it is not known.

    Raises:
        InputError: it is no such library.
    """

    def __init__(self, library: Path, threads: int = 1, batch: int = 1, *, output: tuple[int, ...] = (-1,)) -> None:  # noqa: ARG002
        try:
            self._library = ctypes.CDLL(str(Path(library).resolve()))
            arena_bytes = ctypes.c_uint32.in_dll(self._library, "model_arena_bytes").value
            self._size = ctypes.c_uint32.in_dll(self._library, "model_size").value
            self._length = ctypes.c_uint32.in_dll(self._library, "model_embedding_size").value
            self._scale = ctypes.c_float.in_dll(self._library, "model_embedding_scale").value
            self._zero_point = ctypes.c_int32.in_dll(self._library, "model_embedding_zero_point").value
        except (OSError, ValueError) as problem:
            raise InputError(
                f"{library} is no compiled network: {problem}", fix="compile its model.c again"
            ) from problem
        self._output = output
        self._memory = np.zeros(arena_bytes + _ALIGNMENT, np.uint8)
        self._arena = self._memory.ctypes.data + -self._memory.ctypes.data % _ALIGNMENT

    def prepare(self, faces: "Faces") -> "NDArray[np.generic]":
        """The camera's bytes as they are."""
        require_shape(faces.shape, (None, self._size, self._size, 3))
        return np.ascontiguousarray(faces, np.uint8)

    def run(self, inputs: "NDArray[np.generic]") -> "Embeddings":
        """Infer once for each face."""
        embeddings: Embeddings = (self.infer(inputs).astype(np.float32) - np.float32(self._zero_point)) * np.float32(
            self._scale
        )
        return embeddings

    def infer(self, inputs: "NDArray[np.generic]") -> "NDArray[np.generic]":
        """Infer once for each face; int8, as the network gives it."""
        embeddings = np.empty((len(inputs), self._length), np.int8)
        arena = ctypes.c_void_p(self._arena)
        for face, embedding in zip(inputs, embeddings):  # noqa: B905 - Python 3.9 knows no `strict`
            rgb, out = ctypes.c_void_p(face.ctypes.data), ctypes.c_void_p(embedding.ctypes.data)
            if self._library.model_embed(rgb, arena, out):
                raise ToolError("the compiled network refuses its arena", fix="compile its model.c again")
        return embeddings.reshape(len(inputs), *self._output)
