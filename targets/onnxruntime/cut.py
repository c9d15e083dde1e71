"""ONNX files that end at one of their tensors, integer operators and all; ONNX Runtime finds out types by itself."""

from pathlib import Path

import onnx
from onnx import ModelProto, ValueInfoProto, helper

from ghostface_edge.targets.computed import Step, computed_tensors, needed, require_computed
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.protocol import ComputedTensor


def tensors(artifact: Path) -> tuple[ComputedTensor, ...]:
    """See `Target.tensors`."""
    return _tensors(read_onnx(artifact))


def cut(artifact: Path, tensor: str, out: Path) -> None:
    """See `Target.cut`; the input alone is read through an Identity, since an output has to be some operator's."""
    model = read_onnx(artifact)
    require_computed(tensor, _tensors(model))
    graph, ending = model.graph, tensor
    nodes = [graph.node[place] for place in needed(tensor, _steps(model))]
    if not nodes:
        ending = f"{tensor}.read"
        nodes = [helper.make_node("Identity", [tensor], [ending])]
    read = {name for node in nodes for name in node.input}
    kept = [constant for constant in graph.initializer if constant.name in read]
    shortened = helper.make_graph(nodes, graph.name, list(graph.input), [ValueInfoProto(name=ending)], kept)
    graph.CopyFrom(shortened)
    onnx.save(model, out)


def _tensors(model: ModelProto) -> tuple[ComputedTensor, ...]:
    constants = {constant.name for constant in model.graph.initializer}
    entry = next(value.name for value in model.graph.input if value.name not in constants)
    return computed_tensors(entry, _steps(model))


def _steps(model: ModelProto) -> list[Step]:
    return [
        Step(node.op_type, tuple(filter(None, node.input)), tuple(filter(None, node.output)))
        for node in model.graph.node
    ]
