"""Facts that a `.tflite` states about itself: interface, operators, and where its multiply-accumulates are done."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import ArtifactInfo, Layout, Precision

_IDENTIFIER: Final = b"TFL3"
_NAMES: Final = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int) and name.isupper()
}
DTYPE_NAMES: Final = {
    code: name.lower() for name, code in vars(schema.TensorType).items() if isinstance(code, int) and name.isupper()
}
_CONVOLUTIONS: Final = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output tensor; `scale` and `zero_point` only where it is quantized."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    zero_point: int | None


def inspect_artifact(artifact: Path) -> ArtifactInfo:
    """Read a `.tflite` without running it.

    Raises:
        InputError: missing, cut off, or no TFLite file.
    """
    model, names = main_graph(artifact)
    graph = model.subgraphs[0]
    entry = _port(graph.tensors[int(graph.inputs[0])])
    return ArtifactInfo(
        layout=Layout.NHWC,
        input_name=entry.name,
        input_shape=entry.shape,
        input_dtype=entry.dtype,
        input_scale=entry.scale,
        input_zero_point=entry.zero_point,
        operators=dict(sorted(Counter(names).items())),
        macs_by_precision=_macs(graph, names),
    )


def read_interface(artifact: Path) -> tuple[Port, Port]:
    """The input and the output of a `.tflite`.

    Raises:
        InputError: missing, cut off, or no TFLite file.
    """
    graph = main_graph(artifact)[0].subgraphs[0]
    return _port(graph.tensors[int(graph.inputs[0])]), _port(graph.tensors[int(graph.outputs[0])])


def _port(tensor: Any) -> Port:
    quantization = tensor.quantization
    is_quantized = quantization is not None and quantization.scale is not None and len(quantization.scale) > 0
    return Port(
        name=tensor.name.decode(),
        shape=tuple(map(int, tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature)),
        dtype=DTYPE_NAMES[tensor.type],
        scale=float(quantization.scale[0]) if is_quantized else None,
        zero_point=int(quantization.zeroPoint[0]) if is_quantized else None,
    )


def main_graph(artifact: Path) -> tuple[Any, list[str]]:
    """The unpacked model (schema's ModelT) and the kinds of its main graph's operators.

    Raises:
        InputError: missing, cut off, or no TFLite file.
    """
    if not artifact.is_file():
        raise InputError(f"{artifact} does not exist", fix="give a .tflite file")
    content = artifact.read_bytes()
    if content[4:8] != _IDENTIFIER:
        raise InputError(f"{artifact} is not a TFLite file", fix="give a file that begins with TFLite's TFL3 mark")
    try:
        model = schema.ModelT.InitFromPackedBuf(content)
        graph = model.subgraphs[0]
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
        return model, [_NAMES[codes[operator.opcodeIndex]] for operator in graph.operators]
    except Exception as problem:
        raise InputError(f"{artifact} is damaged: {problem}", fix="convert the model again") from problem


def _macs(graph: Any, names: list[str]) -> dict[str, int]:
    """Multiply-accumulates of one face by the precision of the weights they use."""
    sources = {
        int(operator.outputs[0]): graph.tensors[int(operator.inputs[0])]
        for operator, name in zip(graph.operators, names, strict=True)
        if name == "DEQUANTIZE"
    }
    totals = {precision.value: 0 for precision in Precision}
    for operator, name in zip(graph.operators, names, strict=True):
        if name not in (*_CONVOLUTIONS, "FULLY_CONNECTED"):
            continue
        weights = int(operator.inputs[1])
        stored = sources.get(weights, graph.tensors[weights])
        image = graph.tensors[int(operator.inputs[0])]
        written = graph.tensors[int(operator.outputs[0])]
        pixels = int(np.prod(written.shape[1:-1])) if name in _CONVOLUTIONS else 1
        totals[_precision(image.type, stored.type)] += pixels * int(np.prod(stored.shape))
    return totals


def _precision(image: int, weights: int) -> str:
    if image in (schema.TensorType.INT8, schema.TensorType.UINT8):
        return Precision.INT8.value
    return Precision.FP16.value if weights == schema.TensorType.FLOAT16 else Precision.FP32.value
