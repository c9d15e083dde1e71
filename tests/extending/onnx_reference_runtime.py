"""A runtime as a package of its own: ONNX's reference evaluator, FP32 only."""

import shutil

import numpy as np

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets import onnx_graph
from ghostface_edge.targets.onnxruntime import cut
from ghostface_edge.targets.protocol import InputType, Layout, Precision
from ghostface_edge.targets.requirements import require_modules


class OnnxReferenceTarget:
    """`.onnx` in, `.onnx` out."""

    name = "onnx-reference"
    layout = Layout.NCHW
    extension = ".onnx"
    packages = ("onnx",)
    input_types = (InputType.FLOAT32,)
    methods = ((Precision.FP32, ""),)
    reads_onnx = True
    is_timed = False
    uses_threads = False
    is_firmware = False
    float_fallback = None

    def require(self):
        require_modules("onnx-reference", "onnx")

    def files(self, artifact):
        return (artifact,)

    def convert(self, model, precision, artifact):
        shutil.copy(model, artifact)

    def quantize_stock(self, model, faces, artifact):
        raise InputError("onnx-reference has no quantizer", fix="leave it out")

    def lower_quantized(self, qdq_model, artifact, input_type=None):
        raise InputError("onnx-reference has no integers", fix="leave it out")

    def load(self, artifact, threads, batch):
        return OnnxReferenceEmbedder(artifact)

    def profile(self, artifact, threads):
        return ()

    def inspect(self, artifact):
        return onnx_graph.inspect(artifact)

    def tensors(self, artifact):
        return cut.tensors(artifact)

    def cut(self, artifact, tensor, out):
        cut.cut(artifact, tensor, out)


class OnnxReferenceEmbedder:
    def __init__(self, artifact):
        from onnx.reference import ReferenceEvaluator

        self.evaluator = ReferenceEvaluator(str(artifact))

    def prepare(self, faces):
        return np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))

    def run(self, inputs):
        return self.evaluator.run(None, {"faces": inputs})[0]

    def infer(self, inputs):
        return self.run(inputs)
