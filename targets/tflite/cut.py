"""`.tflite` files that end at one of their tensors, through LiteRT's published schema."""

from pathlib import Path
from typing import Any

import numpy as np

from ghostface_edge.targets.computed import Step, computed_tensors, needed, require_computed
from ghostface_edge.targets.protocol import ComputedTensor
from ghostface_edge.targets.tflite.flatbuffer import pack
from ghostface_edge.targets.tflite.inspection import main_graph


def tensors(artifact: Path) -> tuple[ComputedTensor, ...]:
    """See `Target.tensors`."""
    model, kinds = main_graph(artifact)
    return _tensors(model.subgraphs[0], kinds)


def cut(artifact: Path, tensor: str) -> bytes:
    """The file's bytes up to a tensor; see `Target.cut`. Tensors keep their numbers, weights behind it are left out."""
    model, kinds = main_graph(artifact)
    graph = model.subgraphs[0]
    require_computed(tensor, _tensors(graph, kinds))
    graph.operators = [graph.operators[place] for place in needed(tensor, _steps(graph, kinds))]
    ending = next(place for place, each in enumerate(graph.tensors) if each.name.decode() == tensor)
    graph.outputs = np.array([ending], np.int32)
    model.signatureDefs = []
    read = {int(place) for operator in graph.operators for place in operator.inputs if place >= 0}
    kept = {graph.tensors[place].buffer for place in read}
    for place, buffer in enumerate(model.buffers):
        if place not in kept:
            buffer.data = None
    return pack(model)


def _tensors(graph: Any, kinds: list[str]) -> tuple[ComputedTensor, ...]:
    return computed_tensors(_name(graph, graph.inputs[0]), _steps(graph, kinds))


def _steps(graph: Any, kinds: list[str]) -> list[Step]:
    return [
        Step(
            kind,
            tuple(_name(graph, place) for place in operator.inputs if place >= 0),
            tuple(_name(graph, place) for place in operator.outputs),
        )
        for operator, kind in zip(graph.operators, kinds, strict=True)
    ]


def _name(graph: Any, place: int) -> str:
    return str(graph.tensors[int(place)].name.decode())
