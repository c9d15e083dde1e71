"""ONNX models as files: reading, writing, what is read off them."""

from pathlib import Path

import onnx
import onnx_ir as ir

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import replacing

OPSET = 18


def load(path: Path) -> ir.Model:
    """Read an ONNX file.

    Raises:
        InputError: missing or not an ONNX model.
    """
    try:
        return ir.load(path)
    except Exception as error:
        raise InputError(f"{path}: not a readable ONNX model ({error})", fix="give an .onnx file") from error


def save(model: ir.Model, path: Path) -> None:
    """Infer shapes, check and write; the file appears whole or not at all."""
    proto = onnx.shape_inference.infer_shapes(ir.to_proto(model), strict_mode=True)
    onnx.checker.check_model(proto, full_check=True)
    with replacing(path) as partial:
        onnx.save(proto, partial)
