"""A device with one mistake in it: the far side of boards, changed. `python faulty_board.py FILE`, which names it.

The mistakes are written down here a second time, by other formulas than those that are to recognize them.
"""

import sys
from pathlib import Path

import numpy as np

from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.places import board, plain_side
from ghostface_edge.targets.tflite.runtime import TfliteEmbedder

ORDER = [2, 0, 3, 1]
OTHER_VERSION = "2.0.0"


def fed(prepared, real):
    """Real values (N, S, S, 3) as a device would feed them, by the type and layout of what it should feed."""
    if prepared.dtype == np.int8:
        return np.round(real * 128).clip(-128, 127).astype(np.int8)
    real = real.astype(np.float32)
    return np.ascontiguousarray(np.moveaxis(real, 3, 1)) if prepared.shape[1] == 3 else real


def reordered(prepared):
    """The bytes of the other layout in an array of this one."""
    other = np.moveaxis(prepared, 1, 3) if prepared.shape[1] == 3 else np.moveaxis(prepared, 3, 1)
    return np.ascontiguousarray(other).reshape(prepared.shape)


INPUTS = {
    "bgr": lambda prepared, faces: fed(prepared, (faces[..., ::-1] - 127.5) / 128),
    "unit range": lambda prepared, faces: fed(prepared, faces / 255),
    "normalised twice": lambda prepared, faces: fed(prepared, ((faces - 127.5) / 128 - 127.5) / 128),
    "not normalised": lambda prepared, faces: fed(prepared, faces.astype(np.float64)),
    "mean 128": lambda prepared, faces: fed(prepared, (faces - 128.0) / 128),
    "raw bytes": lambda _, faces: faces.astype(np.int16).astype(np.int8),
    "other layout": lambda prepared, _: reordered(prepared),
    "zero point": lambda prepared, _: np.minimum(prepared.astype(np.int16) + 1, 127).astype(np.int8),
    "mirrored": lambda prepared, faces: fed(prepared, (faces[:, :, ::-1] - 127.5) / 128),
    "batch mixed up": lambda prepared, _: prepared[ORDER],
    "stale batch": lambda prepared, _: prepared[[0] * len(prepared)],
    "zero input": lambda prepared, _: np.zeros_like(prepared),
}
INPUTS["bgr unseen"] = INPUTS["bgr"]
"""What is fed, from what should be and the faces."""


def without_norm(found):
    found = found.copy()
    found[1] = 0
    return found


EMBEDDINGS = {
    "channels shifted": lambda found: np.roll(found, 3, axis=1),
    "embeddings mixed up": lambda found: found[ORDER],
    "embeddings zero": np.zeros_like,
    "one without norm": without_norm,
    "embeddings constant": lambda found: np.full_like(found, 0.25),
    "embeddings NaN": lambda found: np.full_like(found, np.nan),
    "embeddings cut off": lambda found: found[:, :-1],
    "output zero point": lambda found: found + np.diff(np.unique(found)).min(),
    "output scale": lambda found: found * np.float32(1.5),
    "output undecoded": lambda found: found / np.diff(np.unique(found)).min() + np.float32(7),
}
"""What becomes of embeddings behind the network."""


def change_tflite(path, change):
    from ghostface_edge.targets.tflite.flatbuffer import pack
    from ghostface_edge.targets.tflite.inspection import main_graph

    model, kinds = main_graph(path)
    graph = model.subgraphs[0]
    convolutions = [
        operator
        for operator, kind in zip(graph.operators, kinds, strict=True)
        if kind in {"CONV_2D", "DEPTHWISE_CONV_2D"}
    ]
    for operator in convolutions:
        tensors = [graph.tensors[place] for place in (*operator.inputs, *operator.outputs)]
        change(tensors, [model.buffers[tensor.buffer] for tensor in tensors], operator.inputs[0] == graph.inputs[0])
    path.write_bytes(pack(model))


def operators_of(path):
    from ghostface_edge.targets.tflite.inspection import main_graph

    return main_graph(path)[1]


def truncate(tensors, buffers, _):
    """Half a step less on the accumulators: rounding to the nearest becomes rounding down."""
    source, weight, _, written = tensors
    half = written.quantization.scale[0] / 2 / (source.quantization.scale[0] * weight.quantization.scale)
    biases = buffers[2].data.view(np.int32)
    buffers[2].data = (biases - np.round(half).astype(np.int32)).view(np.uint8)


def weight_changed(tensors, buffers, _):
    if b"expand.primary" in tensors[3].name or tensors[3].name == b"primary":
        weights = buffers[1].data.copy()
        weights[5] ^= 0x60
        buffers[1].data = weights


def kernel_broken(tensors, buffers, _):
    if b"expand.cheap" in tensors[3].name or tensors[3].name == b"cheap":
        buffers[1].data = buffers[1].data[::-1].copy()


TFLITE = {"truncated": truncate, "a weight": weight_changed, "a kernel": kernel_broken}
"""What happens to every model when it is loaded, whole or cut."""


def onnx_initializers(path, change):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.ndim == 4:
            tensor.CopyFrom(numpy_helper.from_array(change(tensor.name, values.copy()), tensor.name))
    onnx.save(model, path)


def coarse(_, values):
    """bfloat16."""
    return (values.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32) if values.dtype == np.float32 else values


def not_a_number(name, values):
    if "primary" in name and values.dtype == np.float32:
        values.flat[0] = np.nan
    return values


ONNX = {"lower precision": coarse, "NaN inside": not_a_number}


class Faulty:
    """An embedder with a mistake around it."""

    def __init__(self, embedder, mistake, is_empty):
        self.embedder, self.mistake, self.is_empty = embedder, mistake, is_empty

    def prepare(self, faces):
        prepared = self.embedder.prepare(faces)
        return INPUTS[self.mistake](prepared, faces) if self.mistake in INPUTS else prepared

    def run(self, inputs):
        found = self.embedder.run(inputs)
        found = EMBEDDINGS[self.mistake](found) if self.mistake in EMBEDDINGS else found
        return found[:0] if self.is_empty else found

    def infer(self, inputs):
        found = self.embedder.infer(inputs)
        return found[:0] if self.is_empty else found


class FaultyBoard(board.Board):
    """Makes the mistake that a file names, from the next model on."""

    file: Path

    @property
    def mistake(self):
        return self.file.read_text()

    def facts(self):
        told = super().facts()
        if self.mistake == "other version":
            told["versions"]["ai-edge-litert"] = OTHER_VERSION
        return told

    def load(self, artifact, threads, batch):
        mistake, loaded = self.mistake, artifact
        is_last = b'"embed' in artifact.read_bytes()  # of OpenVINO's files, which name no more than they need
        if mistake in TFLITE or mistake in ONNX:  # in memory, as it were: the file that is asked for stays what it is
            loaded = artifact.with_name(f"changed{artifact.suffix}")
            loaded.write_bytes(artifact.read_bytes())
            if mistake in TFLITE:
                change_tflite(loaded, TFLITE[mistake])
            else:
                onnx_initializers(loaded, ONNX[mistake])
        elif mistake == "file damaged":
            content = bytearray(artifact.read_bytes())
            content[len(content) // 2] ^= 0x10
            artifact.write_bytes(content)
        elif (mistake == "fails" and is_last) or (mistake == "bgr unseen" and not operators_of(artifact)):
            raise RuntimeError("object is not initialized")
        elif mistake == "no runtime":
            raise RuntimeMissingError("it cannot be imported there", fix="install it there")
        spent = super().load(loaded, threads, batch)
        self._artifact = artifact
        if mistake in {"other kernels", "other version"}:
            self._embedder = TfliteEmbedder(loaded, threads, batch, reference_kernels=True)
        self._embedder = Faulty(self._embedder, mistake, mistake == "empty operator" and is_last)
        return spent


if __name__ == "__main__":
    FaultyBoard.file = Path(sys.argv[1])
    board.Board = FaultyBoard
    plain_side.main()
