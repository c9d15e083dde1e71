"""ONNX models as files: reading, writing, what is read off them."""

from pathlib import Path

import onnx
import onnx_ir as ir

from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.onnx_file import read_onnx

OPSET = 18


def load(path: Path) -> ir.Model:
    """Read an ONNX file.

    Raises:
        InputError: missing, not an ONNX model, or one with weights in another file.
    """
    return ir.from_proto(read_onnx(path))


def save(model: ir.Model, path: Path) -> None:
    """Write what `checked` gives; the file appears whole or not at all."""
    proto = checked(model)
    with replacing(path) as partial:
        onnx.save(proto, partial)


def checked(model: ir.Model) -> onnx.ModelProto:
    """The model with shapes inferred, as ONNX's checker accepts it."""
    proto = onnx.shape_inference.infer_shapes(ir.to_proto(model), strict_mode=True)
    onnx.checker.check_model(proto, full_check=True)
    return proto
