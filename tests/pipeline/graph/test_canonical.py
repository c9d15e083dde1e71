import numpy as np
import onnx_ir as ir

from ghostface_edge.pipeline.graph.canonical import Canonicalize, constant, initializer, replace
from ghostface_edge.pipeline.graph.emit import emit
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.checkpoint import network_of
from ghostface_edge.pipeline.network.preprocessing import Preprocessing

from ..conftest import MakeCheckpoint


def graph_of(make_checkpoint: MakeCheckpoint, version: int) -> ir.Graph:
    model = emit(network_of(make_checkpoint(Architecture(0.2, version=version))), Preprocessing())
    Canonicalize()(model)
    return model.graph


def test_names_are_unique_and_tell_where_a_node_belongs(make_checkpoint: MakeCheckpoint) -> None:
    graph = graph_of(make_checkpoint, version=2)
    names = [str(node.name) for node in graph]
    assert len(set(names)) == len(names)
    assert names[:3] == ["stem", "stem.activation", "blocks.0.expand.primary"]
    assert {"blocks.2.expand.gate.1", "blocks.3.attend.reduce.activation", "blocks.11.shortcut.0", "resize.13"} <= set(
        names
    )
    for node in graph:
        for value in node.inputs:
            if value is not None and value.is_initializer():
                assert str(value.name).startswith(f"{node.name}.")
                assert len(value.uses()) == 1


def test_only_the_head_ends_in_an_output(make_checkpoint: MakeCheckpoint) -> None:
    graph = graph_of(make_checkpoint, version=1)
    assert [value.name for value in graph.outputs] == ["embeddings"]
    assert [node.op_type for node in graph if node.outputs[0].name != node.name] == ["Flatten"]


def test_a_replaced_chain_hands_its_output_on(make_checkpoint: MakeCheckpoint) -> None:
    graph = graph_of(make_checkpoint, version=1)
    conv = next(node for node in graph if node.name == "stem")
    activation = next(node for node in graph if node.name == "stem.activation")
    weight = initializer(graph, "new.weight", np.zeros((4, 3, 3, 3), np.float32))
    replace([conv, activation], ir.node("Conv", [conv.inputs[0], weight]))
    first = next(iter(graph))
    assert np.array_equal(constant(first.inputs[1]), np.zeros((4, 3, 3, 3)))  # type: ignore[arg-type]
    assert constant(first.inputs[0]) is None
    readers = {user.name for user, _ in first.outputs[0].uses()}
    assert readers == {"blocks.0.expand.primary", "add.0"}
