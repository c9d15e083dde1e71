"""Times of a `.tflite`'s operators, each alone, and whether XNNPACK takes it.

LiteRT's Python package has no profiler, and inside XNNPACK's partitions there is nothing to hook. So every operator is
cut out into a model of its own, two and eight copies side by side on the same input; the difference over six is its
time without the interpreter's. Caches are warmer than in the whole model: the sum is a tenth to a quarter below it.
Native code: run it in a child process.
"""

import copy
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ghostface_edge.targets.tflite.inspection import DTYPE_NAMES, main_graph
from ghostface_edge.targets.tflite.runtime import interpreter_module

_FEW: Final = 2
_MANY: Final = 8
_WARM_UP_RUNS: Final = 5


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """One operator, as it runs alone on random input."""

    layer: str
    """The tensor it writes."""
    kind: str
    dtype: str
    """Of its first input."""
    output_shape: tuple[int, ...]
    microseconds: float
    delegated: bool
    """Does XNNPACK take it?"""


def time_operators(artifact: Path, threads: int = 1, runs: int = 50) -> list[OperatorTime]:
    """Time every operator, in execution order; equal ones are timed once.

    Args:
        artifact: any `.tflite`, batch 1.
        threads: of the CPU kernels.
        runs: timed runs of each; the median counts.

    Raises:
        InputError: missing, cut off, or no TFLite file.
    """
    model, names = main_graph(artifact)
    graph = model.subgraphs[0]
    unpacked = _unpacked_constants(model)
    known: dict[tuple[object, ...], tuple[float, bool]] = {}
    times = []
    for operator, kind in zip(graph.operators, names, strict=True):
        if int(operator.outputs[0]) in unpacked:
            continue
        written = graph.tensors[int(operator.outputs[0])]
        signature = _signature(model, operator, kind)
        if signature not in known:
            known[signature] = _time(model, operator, unpacked, threads, runs)
        entry = graph.tensors[int(operator.inputs[0])]
        shape = tuple(map(int, written.shape))
        times.append(OperatorTime(written.name.decode(), kind, DTYPE_NAMES[entry.type], shape, *known[signature]))
    return times


def _unpacked_constants(model: Any) -> dict[int, Any]:
    """Tensors that an operator computes from constants alone (float16 weights), and that operator."""
    graph = model.subgraphs[0]
    return {
        int(operator.outputs[0]): operator
        for operator in graph.operators
        if all(_is_constant(model, int(index)) for index in operator.inputs)
    }


def _is_constant(model: Any, index: int) -> bool:
    return model.buffers[model.subgraphs[0].tensors[index].buffer].data is not None


def _signature(model: Any, operator: Any, kind: str) -> tuple[object, ...]:
    tensors = [model.subgraphs[0].tensors[int(index)] for index in (*operator.inputs, *operator.outputs)]
    options = tuple(sorted(vars(operator.builtinOptions).items())) if operator.builtinOptions else ()
    return kind, options, tuple((tensor.type, tuple(tensor.shape)) for tensor in tensors)


def _time(model: Any, operator: Any, unpacked: dict[int, Any], threads: int, runs: int) -> tuple[float, bool]:
    few, _ = _median_microseconds(_cut_out(model, operator, unpacked, _FEW), threads, runs)
    many, delegated = _median_microseconds(_cut_out(model, operator, unpacked, _MANY), threads, runs)
    return max(many - few, 0.0) / (_MANY - _FEW), delegated


def _cut_out(model: Any, operator: Any, unpacked: dict[int, Any], copies: int) -> bytes:
    """A model of `copies` of one operator that read the same tensors."""
    source = model.subgraphs[0]
    graph, cut = schema.SubGraphT(), schema.ModelT()
    graph.tensors, graph.operators = [], []
    places: dict[int, int] = {}
    cut.version, cut.operatorCodes, cut.subgraphs = 3, model.operatorCodes, [graph]
    cut.buffers = [schema.BufferT()]

    def place(index: int) -> int:
        tensor = copy.copy(source.tensors[index])
        tensor.shapeSignature = None
        data = model.buffers[tensor.buffer].data
        tensor.buffer = 0
        if data is not None:
            cut.buffers.append(model.buffers[source.tensors[index].buffer])
            tensor.buffer = len(cut.buffers) - 1
        graph.tensors.append(tensor)
        return len(graph.tensors) - 1

    def append(template: Any) -> int:
        duplicate = copy.copy(template)
        duplicate.inputs = np.array([places[int(index)] for index in template.inputs], np.int32)
        written = place(int(template.outputs[0]))
        duplicate.outputs = np.array([written], np.int32)
        graph.operators.append(duplicate)
        return written

    for index in map(int, operator.inputs):
        if index in unpacked:
            for constant in map(int, unpacked[index].inputs):
                places.setdefault(constant, place(constant))
            places[index] = append(unpacked[index])
        elif index not in places:
            places[index] = place(index)
    dynamic = [i for i in map(int, operator.inputs) if i not in unpacked and not _is_constant(model, i)]
    graph.inputs = np.array(sorted({places[index] for index in dynamic}), np.int32)
    graph.outputs = np.array([append(operator) for _ in range(copies)], np.int32)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(cut.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _median_microseconds(content: bytes, threads: int, runs: int) -> tuple[float, bool]:
    interpreter = interpreter_module().Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        interpreter.set_tensor(entry["index"], (rng.normal(size=entry["shape"]) * 40).astype(entry["dtype"]))
    seconds = []
    for _ in range(_WARM_UP_RUNS + runs):
        start = time.perf_counter()
        interpreter.invoke()
        seconds.append(time.perf_counter() - start)
    delegated = any(entry["op_name"] == "DELEGATE" for entry in interpreter._get_ops_details())
    return float(np.median(seconds[_WARM_UP_RUNS:])) * 1e6, delegated
