"""ONNX files, read one way everywhere."""

from pathlib import Path

import onnx
from onnx import ModelProto, TensorProto

from ghostface_edge.reports.errors import InputError


def read_onnx(path: Path) -> ModelProto:
    """Read a model that is one file, so that its digest says all of it.

    Raises:
        InputError: missing, not ONNX, or with weights in another file.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # the parser raises whatever the bytes provoke
        raise InputError(f"{path}: not a readable ONNX model ({error})", fix="give a whole .onnx file") from error
    outside = [tensor.name for tensor in model.graph.initializer if tensor.data_location == TensorProto.EXTERNAL]
    if outside:
        raise InputError(
            f"{path}: keeps '{outside[0]}' in another file", fix="save the model with its weights inside one .onnx"
        )
    return model
