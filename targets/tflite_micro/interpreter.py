"""A `.tflite` in TensorFlow Lite for Microcontrollers' own interpreter, on the host.

The PyPI package tflite-micro holds the interpreter with its reference kernels, which are LiteRT's reference kernels to
the byte; what runs here is what a microcontroller without vector kernels computes. Native code: run it in a child
process.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.protocol import Embeddings, Faces
from ghostface_edge.targets.requirements import require_modules
from ghostface_edge.targets.tflite.encoding import decode, encode

_ROOMY_BYTES: Final = 64 << 20
_ARENA_STEP_BYTES: Final = 1024


class MicroEmbedder:
    """TFLM's interpreter, one face at a time.

    Args:
        artifact: a `.tflite` with batch 1, float32 or full integer (`Kernels.PORTABLE`).
        arena_bytes: tensor arena to give it.

    Raises:
        InputError: the file is missing.
        RuntimeMissingError: tflite-micro is not installed.
        ToolError: the model does not fit the arena, or has an operator that TFLM lacks.
    """

    def __init__(self, artifact: Path, arena_bytes: int = _ROOMY_BYTES) -> None:
        require_modules("micro", "tflite_micro")
        from tflite_micro import runtime

        if not artifact.is_file():
            raise InputError(f"{artifact} does not exist", fix="give a .tflite file")
        try:
            self._interpreter = runtime.Interpreter.from_file(str(artifact), arena_size=arena_bytes)
        except (RuntimeError, ValueError) as problem:
            raise ToolError(
                f"{artifact} does not start in TensorFlow Lite Micro with an arena of {arena_bytes} bytes: {problem}",
                fix="give a larger arena, or lower the model again with the portable kernels",
            ) from problem
        entry = self._interpreter.get_input_details(0)
        self._output = self._interpreter.get_output_details(0)
        self._entry_dtype = np.dtype(entry["dtype"])
        self._entry_quantization = _parameters(entry)

    def prepare(self, faces: Faces) -> NDArray[np.generic]:
        """NHWC in the artifact's type, as `TfliteEmbedder.prepare`."""
        return encode(faces, self._entry_dtype, *self._entry_quantization)

    def run(self, inputs: NDArray[np.generic]) -> Embeddings:
        """Infer once for each face."""
        return decode(self.infer(inputs), *_parameters(self._output))

    def infer(self, inputs: NDArray[np.generic]) -> NDArray[np.generic]:
        """Infer once for each face; the output as it is."""
        return np.concatenate([self._one(face[None]) for face in inputs])

    def _one(self, face: NDArray[np.generic]) -> NDArray[np.generic]:
        self._interpreter.set_input(face, 0)
        self._interpreter.invoke()
        output: NDArray[np.generic] = self._interpreter.get_output(0)
        return output


def smallest_arena_bytes(artifact: Path) -> int:
    """The smallest tensor arena, to the KiB, with which TFLM starts the model on this host (64-bit pointers).

    Raises:
        ToolError: it starts with none.
    """
    MicroEmbedder(artifact)
    too_small, enough = 0, _ROOMY_BYTES
    while enough - too_small > _ARENA_STEP_BYTES:
        middle = (too_small + enough) // 2
        try:
            MicroEmbedder(artifact, middle)
        except ToolError:
            too_small = middle
        else:
            enough = middle
    return enough


def _parameters(details: dict[str, Any]) -> tuple[float, int]:
    quantization = details["quantization_parameters"]
    if not len(quantization["scales"]):
        return 0.0, 0
    return float(quantization["scales"][0]), int(quantization["zero_points"][0])
