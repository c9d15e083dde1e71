"""A loaded `.tflite`: uint8 faces in, float32 embeddings out, whatever the model's own input and output are."""

from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.protocol import Embeddings, Faces
from ghostface_edge.targets.tflite.encoding import decode, encode

_INTERPRETERS: Final = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


class TfliteEmbedder:
    """An interpreter for one batch size.

    Args:
        artifact: a `.tflite` with one input (N, S, S, 3) and one output (N, E).
        threads: of the CPU kernels.
        batch: N; the artifact needs a dynamic batch unless it is its own.

    Raises:
        InputError: the file is no TFLite model, or its batch cannot be changed.
    """

    def __init__(self, artifact: Path, threads: int, batch: int) -> None:
        if not artifact.is_file():
            raise InputError(f"{artifact} does not exist", fix="give a .tflite file")
        try:
            self._interpreter = interpreter_class()(model_path=str(artifact), num_threads=threads)
            entry = self._interpreter.get_input_details()[0]
            if int(entry["shape"][0]) != batch:
                self._interpreter.resize_tensor_input(entry["index"], (batch, *entry["shape"][1:]))
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as problem:
            raise InputError(
                f"{artifact} does not load as a TFLite model for batches of {batch}: {problem}",
                fix="convert the model again, or ask for the batch it was converted with",
            ) from problem
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]

    def prepare(self, faces: Faces) -> NDArray[np.generic]:
        """NHWC in the artifact's type: float32 and int8 normalised, uint8 the camera's bytes as they are."""
        return encode(faces, np.dtype(self._input["dtype"]), *self._input["quantization"])

    def run(self, inputs: NDArray[np.generic]) -> Embeddings:
        """Infer once."""
        self._interpreter.set_tensor(self._input["index"], inputs)
        self._interpreter.invoke()
        return decode(self._interpreter.get_tensor(self._output["index"]), *self._output["quantization"])


def interpreter_class() -> Any:
    """LiteRT's interpreter class, or tflite-runtime's.

    Raises:
        RuntimeMissingError: neither is installed.
    """
    for module in _INTERPRETERS:
        try:
            return import_module(module).Interpreter
        except ModuleNotFoundError:
            continue
    raise RuntimeMissingError(
        "LiteRT, the runtime of .tflite models, is not installed", fix="pip install 'ghostface-edge[tflite]'"
    )
