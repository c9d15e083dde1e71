"""A loaded `.param`: uint8 faces in, float32 embeddings out. Boards run this file as it is: Python 3.9.

Float layers compute in float32, also on ARM, where ncnn would take half precision by itself.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize, require_shape
from ghostface_edge.reports.errors import InputError, ToolError

if TYPE_CHECKING:
    from ghostface_edge.targets.protocol import Embeddings, Faces

_HALVES = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage", "use_bf16_packed")


class NcnnEmbedder:
    """A net, which takes one face at a time.

    Args:
        artifact: `.param` with its `.bin`, one input and one output.
        threads: of one inference.
        batch: N, one after the other.

    Raises:
        InputError: ncnn does not load it.
    """

    def __init__(self, artifact: Path, threads: int, batch: int) -> None:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read at import; spinning threads starve beside other work
        import ncnn

        self._mat, self._batch = ncnn.Mat, batch
        self._net = ncnn.Net()
        self._net.opt.num_threads = threads
        for option in _HALVES:
            setattr(self._net.opt, option, False)
        if self._net.load_param(str(artifact)) or self._net.load_model(str(Path(artifact).with_suffix(".bin"))):
            raise InputError(f"{artifact}: ncnn does not load it", fix="give a .param with its .bin")
        (self._input,), (self._output,) = self._net.input_names(), self._net.output_names()
        settings = Path(artifact).read_text().split("\n")[2].split()
        self._taken = [batch] + [int(part.partition("=")[2]) for part in reversed(settings[-3:])]

    def prepare(self, faces: "Faces") -> "NDArray[np.generic]":
        """NCHW float32, normalised."""
        inputs = np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))
        require_shape(inputs.shape, self._taken)
        return inputs

    def run(self, inputs: "NDArray[np.generic]") -> "Embeddings":
        """Infer once for each face."""
        embeddings: Embeddings = np.stack([self._extract(face, [self._output])[self._output] for face in inputs])
        return embeddings

    def infer(self, inputs: "NDArray[np.generic]") -> "NDArray[np.generic]":
        """Infer once for each face; the output as it is."""
        return self.run(inputs)

    def blobs(self, inputs: "NDArray[np.generic]", names: "list[str]") -> "dict[str, NDArray[np.float32]]":
        """What some blobs hold for the first face."""
        return self._extract(inputs[0], names)

    def _extract(self, face: Any, names: "list[str]") -> "dict[str, NDArray[np.float32]]":
        extractor = self._net.create_extractor()
        extractor.set_light_mode(len(names) == 1)  # which keeps no blob that was read
        extractor.input(self._input, self._mat(face).clone())
        found = {}
        for name in names:
            failed, output = extractor.extract(name)
            if failed:
                raise ToolError(f"ncnn ends with {failed} at {name}", fix="see the log; convert the model again")
            found[name] = np.array(output)
        return found
