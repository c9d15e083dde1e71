"""A loaded `.pte`: uint8 faces in, float32 embeddings out. Boards run this file as it is: Python 3.9."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize, require_shape
from ghostface_edge.reports.errors import InputError

if TYPE_CHECKING:
    from ghostface_edge.targets.protocol import Embeddings, Faces


class ExecutorchEmbedder:
    """A program, which takes one face at a time.

    Args:
        artifact: `.pte` with one method, `forward`.
        threads: of one inference.
        batch: N, one after the other.

    Raises:
        InputError: ExecuTorch does not load it.
    """

    def __init__(self, artifact: Path, threads: int, batch: int) -> None:
        import torch
        from executorch.extension.pybindings import portable_lib
        from executorch.runtime import Runtime

        portable_lib._unsafe_reset_threadpool(threads)
        self._tensor, self._batch = torch.from_numpy, batch
        try:
            self._program = Runtime.get().load_program(Path(artifact))
            self._method = self._program.load_method("forward")
        except RuntimeError as problem:
            raise InputError(
                f"{artifact}: ExecuTorch does not load it ({problem})", fix="convert it again"
            ) from problem
        self._taken = [batch, *self._method.metadata.input_tensor_meta(0).sizes()[1:]]

    def prepare(self, faces: "Faces") -> "NDArray[np.generic]":
        """NCHW float32, normalised."""
        inputs = np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))
        require_shape(inputs.shape, self._taken)
        return inputs

    def run(self, inputs: "NDArray[np.generic]") -> "Embeddings":
        """Infer once for each face."""
        return np.concatenate([self._one(inputs[place : place + 1]) for place in range(self._batch)])

    def infer(self, inputs: "NDArray[np.generic]") -> "NDArray[np.generic]":
        """Infer once for each face; the output as it is."""
        return self.run(inputs)

    def _one(self, face: "NDArray[np.generic]") -> "Embeddings":
        (output,) = self._method.execute([self._tensor(face)])
        return output.numpy()  # type: ignore[no-any-return]
