"""A loaded `.xml`: uint8 faces in, float32 embeddings out. Boards run this file as it is: Python 3.9.

Inference runs in float32 where a model is not quantized: on CPUs with bfloat16 the plugin would otherwise choose that
by itself. Models are compiled with a static batch, because quantized ones were seen to crash with a dynamic one
(openvino#37577).

On ARM an INT8 model computes in float, on the same grids: OpenVINO 2026.4's integer path does not compile on CPUs
without half precision (Cortex-A53, A72), or gives an empty output there, and takes 26 times as many instructions on
Cortex-A76 (docs/decisions/0030-devices.md).
"""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize, require_shape
from ghostface_edge.reports.errors import InputError

if TYPE_CHECKING:
    from ghostface_edge.targets.protocol import Embeddings, Faces


_ARM: Final = ("aarch64", "armv7l", "arm64")
ARM_OPTIONS = {"LP_TRANSFORMS_MODE": "NO"}
"""To compile with there: whoever deploys an INT8 model on ARM needs them, too."""


class OpenvinoEmbedder:
    """A compiled model and one request.

    Args:
        artifact: an `.xml`, or an `.onnx`, with one input (N, 3, S, S) and one output (N, E).
        threads: of one inference.
        batch: N.
    """

    def __init__(self, artifact: Path, threads: int, batch: int) -> None:
        model = compiled(artifact, threads, batch)
        self._request = model.create_infer_request()
        self._taken = [-1 if size.is_dynamic else size.get_length() for size in model.input(0).partial_shape]

    def prepare(self, faces: "Faces") -> NDArray[np.generic]:
        """NCHW float32, normalised."""
        inputs = nchw(faces)
        require_shape(inputs.shape, self._taken)
        return inputs

    def run(self, inputs: NDArray[np.generic]) -> "Embeddings":
        """Infer once."""
        embeddings: Embeddings = self._request.infer([inputs], share_inputs=True)[0]
        return embeddings

    def infer(self, inputs: NDArray[np.generic]) -> NDArray[np.generic]:
        """Infer once; the output as it is."""
        return self.run(inputs)


def nchw(faces: "Faces") -> NDArray[np.float32]:
    """uint8 RGB (N, S, S, 3) to what the network takes, (N, 3, S, S)."""
    return np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))


def compiled(artifact: Path, threads: int, batch: int, *, count: bool = False) -> Any:
    """A model compiled for one batch size; with counters of each operator's time where they are asked for."""
    import openvino

    core = openvino.Core()
    model = read_model(core, artifact)
    shape = model.input().partial_shape
    shape[0] = batch
    model.reshape(shape)
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERF_COUNT": count,
    }
    if platform.machine() in _ARM:
        options.update(ARM_OPTIONS)
    return core.compile_model(model, "CPU", options)


def read_model(core: Any, artifact: Path) -> Any:
    """Read a model.

    Raises:
        InputError: it is none.
    """
    try:
        return core.read_model(artifact)
    except RuntimeError as error:
        raise InputError(f"{artifact}: not a readable OpenVINO model", fix="give an .xml with its .bin") from error
