"""Calls of PyTorch's operators compute what ONNX Runtime does, and lie as XNNPACK's partitioner wants them."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

pytest.importorskip("torch", reason="torch is not installed")
import torch

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.executorch.exporter import module_of
from ghostface_edge.targets.executorch.lowering import lower

QUANTIZE = "quantized_decomposed.quantize_per_tensor.default"
DEQUANTIZE = "quantized_decomposed.dequantize_per_tensor.default"


def run(module, inputs, folder):
    """The module by PyTorch, which reads the constants from a file as the exporter does."""
    np.savez(folder / "constants.npz", **module.constants)
    made = module_of(
        [[name, operator, listed(arguments)] for name, operator, arguments in module.calls], folder / "constants.npz"
    )
    with torch.no_grad():
        return np.concatenate([made(torch.from_numpy(face[None])).numpy() for face in inputs])


def listed(arguments):
    """As they arrive over the line."""
    return [listed(each) if isinstance(each, (list, tuple)) else each for each in arguments]


def saved(tmp_path, *nodes, constants=()):
    """Nodes as ONNX; the last one's output becomes the embedding."""
    ends = [
        helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["batch", 3, 28, 28]),
        helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", "size"]),
    ]
    flat = helper.make_node("Flatten", [nodes[-1].output[0]], ["embeddings"], axis=1)
    stored = [onnx.numpy_helper.from_array(np.asarray(values), name) for name, values in constants]
    graph = helper.make_graph([*nodes, flat], "tiny", ends[:1], ends[1:], stored)
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def test_a_float_network_is_the_same_function(write_ghost_network, inputs, run_exactly, tmp_path):
    path = write_ghost_network(quantized=False)
    np.testing.assert_allclose(run(lower(path), inputs, tmp_path), run_exactly(path, inputs), atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"tied": False}, {"head_is_float": True}])
def test_a_quantized_network_is_the_same_function(write_ghost_network, inputs, run_exactly, tmp_path, options):
    """But for the sum, where halves of a step abound and PyTorch multiplies by 1 / scale: by single steps."""
    path = write_ghost_network(quantized=True, **options)
    found, wanted = run(lower(path), inputs, tmp_path), run_exactly(path, inputs)
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.999


def test_every_reader_dequantizes_for_itself(ghost_qdq):
    """Also what a Concat joins is on the Concat's own grid."""
    calls = lower(ghost_qdq).calls
    operators = {name: operator for name, operator, _ in calls}
    read = [each for _, _, arguments in calls for each in flat(arguments) if operators.get(each) == DEQUANTIZE]
    assert len(read) == len(set(read))
    grids = {name: arguments[1:] for name, operator, arguments in calls if operator in {QUANTIZE, DEQUANTIZE}}
    (joined,) = (arguments[0] for _, operator, arguments in calls if operator == "aten.cat.default")
    (reader,) = (
        name for name, operator, arguments in calls if operator == QUANTIZE and "cat" in operators[arguments[0]]
    )
    assert {tuple(grids[name]) for name in joined} == {tuple(grids[reader])}


def flat(arguments):
    for each in arguments:
        yield from flat(each) if isinstance(each, (list, tuple)) else [each]


def test_padding_on_one_side_is_quantized_again(writer, write_graph, inputs, run_exactly, tmp_path):
    grid = (-1.0, -1.0 + 255 / 128)
    x = writer.quantize("faces", *grid, "faces")
    x = writer.convolution("stem", x, (6, 3, 3, 3), (-3.0, 3.0), stride=2, scale_in=1 / 128)
    writer.nodes[-3].attribute[2].CopyFrom(helper.make_attribute("pads", [0, 0, 1, 1]))
    writer.node("Flatten", [x], "embeddings", axis=1)
    path = write_graph(writer.nodes, writer.constants)
    module = lower(path)
    place = next(place for place, call in enumerate(module.calls) if "pad" in call[1])
    assert [call[1] for call in module.calls[place + 1 : place + 3]] == [QUANTIZE, DEQUANTIZE]
    assert module.calls[place + 1][2][1:] == module.calls[place - 1][2][1:]
    np.testing.assert_allclose(run(module, inputs, tmp_path), run_exactly(path, inputs), atol=6 / 255 + 1e-6)


def test_operators_of_the_second_version(second_version, inputs, run_exactly, tmp_path):
    nodes, constants = second_version
    path = saved(tmp_path, *nodes, constants=constants.items())
    wanted = np.concatenate([run_exactly(path, face[None]) for face in inputs])  # Resize's sizes are one face's
    np.testing.assert_allclose(run(lower(path), inputs, tmp_path), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("node", "says"),
    [
        (helper.make_node("Tanh", ["faces"], ["made"], "squashed"), "Tanh 'squashed' has no ExecuTorch rule"),
        (helper.make_node("AveragePool", ["faces"], ["made"], "pool", kernel_shape=[2, 2], pads=[1] * 4), "is padded"),
        (helper.make_node("Add", ["faces", "faces", "faces"], ["made"], "three"), "does not join two"),
    ],
)
def test_what_has_no_rule_is_named(node, says, tmp_path):
    with pytest.raises(ToolError, match=says):
        lower(saved(tmp_path, node))
