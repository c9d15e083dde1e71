"""Embed faces with a `.tflite` as a board does; run as a file, by a Python that has an interpreter and numpy.

    python -P board_run.py MODEL.tflite FACES.npy OUT.npz [reference]

FACES: RGB uint8 (N, S, S, 3). OUT: `embeddings`, float32 (N, E), and `milliseconds` (N,). The interpreter is
tflite-runtime's or, where that is not installed, LiteRT's; `reference` asks for its reference kernels.

An old board's environment has numpy 1, so nothing of this project is imported here.
"""

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BYTE_SCALE: Final = 1 / 128
_INTERPRETERS: Final = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")


def prepare(face: NDArray[np.uint8], entry: dict[str, Any]) -> NDArray[np.generic]:
    """The network's input for RGB bytes (1, S, S, 3): bytes as they are, byte - 128, or (byte - 127.5) / 128.

    Raises:
        ValueError: an int8 input that is not byte - 128.
    """
    if entry["dtype"] == np.uint8:
        return face
    if entry["dtype"] == np.float32:
        return (face.astype(np.float32) - np.float32(127.5)) * np.float32(_BYTE_SCALE)
    if entry["quantization"] != (_BYTE_SCALE, 0):
        raise ValueError(f"int8 input with scale and zero point {entry['quantization']} is not byte - 128")
    return (face ^ np.uint8(128)).view(np.int8)


def main(model: Path, faces: Path, out: Path, *, reference: bool) -> None:
    """Embed all faces, one by one."""
    interpreter = _interpreter(model, reference=reference)
    interpreter.allocate_tensors()
    (entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
    embeddings, milliseconds = [], []
    for face in np.load(faces, mmap_mode="r"):
        interpreter.set_tensor(entry["index"], prepare(face[None], entry))
        started = time.perf_counter()
        interpreter.invoke()
        milliseconds.append((time.perf_counter() - started) * 1e3)
        embedding = interpreter.get_tensor(exit_["index"])[0].astype(np.float32)
        if exit_["dtype"] == np.int8:
            scale, zero_point = exit_["quantization"]
            embedding = (embedding - np.float32(zero_point)) * np.float32(scale)
        embeddings.append(embedding)
    np.savez(out, embeddings=np.stack(embeddings), milliseconds=milliseconds)


def _interpreter(model: Path, *, reference: bool) -> Any:
    for name in _INTERPRETERS:
        try:
            module = import_module(name)
        except ModuleNotFoundError:
            continue
        kernels = module.OpResolverType.BUILTIN_REF if reference else module.OpResolverType.AUTO
        return module.Interpreter(str(model), num_threads=1, experimental_op_resolver_type=kernels)
    raise ModuleNotFoundError("neither tflite-runtime nor LiteRT is installed")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), reference="reference" in sys.argv[4:])
