"""A loaded `.onnx`: uint8 faces in, float32 embeddings out. Boards run this file as it is: Python 3.9."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize, require_shape
from ghostface_edge.targets.onnxruntime.exact import exact_weights

if TYPE_CHECKING:
    from ghostface_edge.targets.protocol import Embeddings, Faces


class OnnxruntimeEmbedder:
    """A session on the CPU.

    Args:
        artifact: an `.onnx` with one input (N, 3, S, S) and one output (N, E).
        threads: of one inference.
        batch: N; sessions take whatever comes.
        reference_kernels: whether INT8 kernels are exact on x86 without VNNI, too, where the fast ones saturate.
    """

    def __init__(
        self,
        artifact: Path,
        threads: int,
        batch: int,  # noqa: ARG002 - every loader is called alike
        *,
        reference_kernels: bool = False,
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        model = exact_weights(artifact) if reference_kernels else str(artifact)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0]

    def prepare(self, faces: "Faces") -> NDArray[np.generic]:
        """NCHW float32, normalised."""
        inputs = np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))
        require_shape(inputs.shape, self._input.shape)
        return inputs

    def run(self, inputs: NDArray[np.generic]) -> "Embeddings":
        """Infer once."""
        embeddings: Embeddings = self._session.run(None, {self._input.name: inputs})[0]
        return embeddings

    def infer(self, inputs: NDArray[np.generic]) -> NDArray[np.generic]:
        """Infer once; the output as it is."""
        return self.run(inputs)
