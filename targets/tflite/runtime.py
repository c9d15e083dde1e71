"""A loaded `.tflite`: uint8 faces in, float32 embeddings out, whatever the model's own input and output are.

Boards run this file as it is: Python 3.9.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import require_shape
from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.tflite.encoding import decode, encode

if TYPE_CHECKING:
    from ghostface_edge.targets.protocol import Embeddings, Faces

_INTERPRETERS: Final = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


class TfliteEmbedder:
    """An interpreter for one batch size.

    Args:
        artifact: a `.tflite` with one input (N, S, S, 3) and one output (N, E).
        threads: of the CPU kernels.
        batch: N; the artifact needs a dynamic batch unless it is its own.
        reference_kernels: whether the interpreter's plain C++ kernels run, which round alike on every CPU.

    Raises:
        InputError: the file is no TFLite model, or its batch cannot be changed.
    """

    def __init__(self, artifact: Path, threads: int, batch: int, *, reference_kernels: bool = False) -> None:
        if not Path(artifact).is_file():
            raise InputError(f"{artifact} does not exist", fix="give a .tflite file")
        try:
            self._interpreter = _interpreter(artifact, threads, reference_kernels=reference_kernels)
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

    def prepare(self, faces: "Faces") -> NDArray[np.generic]:
        """NHWC in the artifact's type: float32 and int8 normalised, uint8 the camera's bytes as they are."""
        require_shape(faces.shape, self._input["shape"].tolist())
        return encode(faces, np.dtype(self._input["dtype"]), *self._input["quantization"])

    def run(self, inputs: NDArray[np.generic]) -> "Embeddings":
        """Infer once."""
        return decode(self.infer(inputs), *self._output["quantization"])

    def infer(self, inputs: NDArray[np.generic]) -> NDArray[np.generic]:
        """Infer once; the output as it is."""
        self._interpreter.set_tensor(self._input["index"], inputs)
        self._interpreter.invoke()
        output: NDArray[np.generic] = self._interpreter.get_tensor(self._output["index"])
        return output


def interpreter_module() -> Any:
    """LiteRT's interpreter module, or tflite-runtime's.

    Raises:
        RuntimeMissingError: neither is installed.
    """
    for module in _INTERPRETERS:
        try:
            return import_module(module)
        except ModuleNotFoundError:
            continue
    raise RuntimeMissingError(
        "LiteRT, the runtime of .tflite models, is not installed", fix="pip install 'ghostface-edge[tflite]'"
    )


def _interpreter(artifact: Path, threads: int, *, reference_kernels: bool) -> Any:
    module = interpreter_module()
    options: dict[str, Any] = {"num_threads": threads}
    if reference_kernels:
        options["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_REF
    return module.Interpreter(model_path=str(artifact), **options)
