"""ONNX files, read one way everywhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import onnx
from onnx import AttributeProto, ModelProto, TensorProto

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_bytes

MAX_FILE_BYTES: Final = 512 * 2**20
"""The widest GhostFaceNet takes 250 MB."""
_WHOLE: Final = "give a whole .onnx file"


def read_onnx(path: Path) -> ModelProto:
    """Read a model that is one file, so that its digest says all of it.

    Raises:
        InputError: missing, not ONNX, or with weights in another file.
    """
    content = read_bytes(path, fix=_WHOLE, at_most=MAX_FILE_BYTES)
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # the parser raises whatever the bytes provoke
        raise InputError(f"{path}: not a readable ONNX model ({error})", fix=_WHOLE) from error
    if not model.HasField("graph"):
        raise InputError(f"{path}: not a readable ONNX model (no graph)", fix=_WHOLE)
    outside = next((tensor for tensor in stored_tensors(model) if is_outside(tensor)), None)
    if outside is not None:
        raise InputError(
            f"{path}: keeps '{outside.name}' in another file", fix="save the model with its weights inside one .onnx"
        )
    return model


def stored_tensors(model: ModelProto) -> Iterator[TensorProto]:
    """The constants of the graph: initializers, and what nodes carry."""
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR or attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def is_outside(tensor: TensorProto) -> bool:
    """Whether a tensor's values lie in another file."""
    return tensor.data_location == TensorProto.EXTERNAL or len(tensor.external_data) > 0
