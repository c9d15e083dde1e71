"""The oldest operator version that knows each (operator, data type), so that old boards run our files.

Source: TensorFlow Lite's `tools/versioning/op_version.cc`, read for the operators that the lowering writes; int8
versions are those of the int8 kernels, convolutions per channel.
"""

from typing import Final

import numpy as np

from ghostface_edge.reports.errors import ToolError

_FLOAT = np.dtype(np.float32)
_HALF = np.dtype(np.float16)
_INT8 = np.dtype(np.int8)
_UINT8 = np.dtype(np.uint8)

_OLDEST: Final[dict[str, dict[np.dtype[np.generic], int]]] = {
    "ADD": {_FLOAT: 1, _INT8: 2},
    "AVERAGE_POOL_2D": {_FLOAT: 1, _INT8: 2},
    "CONCATENATION": {_FLOAT: 1, _INT8: 2},
    "CONV_2D": {_FLOAT: 1, _INT8: 3},
    "DEPTHWISE_CONV_2D": {_FLOAT: 1, _INT8: 3},
    "DEQUANTIZE": {_HALF: 3, _INT8: 2},
    "LOGISTIC": {_FLOAT: 1, _INT8: 2},
    "MAXIMUM": {_FLOAT: 1, _INT8: 2},
    "MEAN": {_FLOAT: 1, _INT8: 2},
    "MINIMUM": {_FLOAT: 1, _INT8: 2},
    "MUL": {_FLOAT: 1, _INT8: 2},
    "PAD": {_FLOAT: 1, _INT8: 2},
    "PRELU": {_FLOAT: 1, _INT8: 1},
    "QUANTIZE": {_FLOAT: 1, _INT8: 2, _UINT8: 2},
    "RELU": {_FLOAT: 1, _INT8: 2},
    "RELU6": {_FLOAT: 1, _INT8: 2},
    "RESHAPE": {_FLOAT: 1, _INT8: 1},
    "RESIZE_BILINEAR": {_FLOAT: 3, _INT8: 3},
}


def oldest_version(kind: str, first_input: np.dtype[np.generic]) -> int:
    """Version number for an operator whose first input has this type."""
    version = _OLDEST.get(kind, {}).get(first_input)
    if version is None:
        raise ToolError(
            f"no TFLite operator version is known for {kind} on {first_input}",
            fix="report this graph; the lowering wrote an operator that its version table lacks",
        )
    return version
