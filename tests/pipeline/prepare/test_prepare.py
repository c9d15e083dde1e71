from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.canonical import constant
from ghostface_edge.pipeline.graph.passes import rewrite
from ghostface_edge.pipeline.network.parity import Reference
from ghostface_edge.pipeline.prepare.channels import find_groups
from ghostface_edge.pipeline.prepare.equalize import Equalize, EqualizeRanges
from ghostface_edge.pipeline.prepare.fold import FoldBatchNorms
from ghostface_edge.pipeline.prepare.prepare import prepare
from ghostface_edge.pipeline.prepare.rescale import rescale, set_constant
from ghostface_edge.pipeline.prepare.slopes import InvertLargeSlopes
from ghostface_edge.pipeline.prepare.untie import UntieGhosts
from ghostface_edge.reports.errors import InputError, ParityError

BLOCKS = st.lists(
    st.sampled_from(["residual", "projection", "squeeze_excite", "attention", "normed", "activation"]),
    min_size=1,
    max_size=4,
)
KEEPS = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def run(path, faces):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"faces": np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))})[0]


def relative_change(before, after):
    return np.abs(after - before).max() / np.abs(before).max()


def slopes_of(path):
    graph = onnx.load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return np.concatenate([constants[node.input[1]].ravel() for node in graph.node if node.op_type == "PRelu"])


@KEEPS
@given(seed=st.integers(0, 2**16), blocks=BLOCKS)
def test_any_scales_of_free_groups_keep_the_function(draw, faces, tmp_path, seed, blocks):
    path = draw(seed, blocks, tmp_path / "model.onnx")
    model = graph_model.load(path)
    FoldBatchNorms()(model)
    groups = find_groups(model.graph)
    factors = np.exp(np.random.default_rng(seed).normal(0, 2, groups.count))
    rescale(model.graph, groups, np.where(groups.fixed, 1.0, factors))
    graph_model.save(model, tmp_path / "scaled.onnx")
    assert (~groups.fixed).any()
    assert relative_change(run(path, faces), run(tmp_path / "scaled.onnx", faces)) < 1e-4


@KEEPS
@given(seed=st.integers(0, 2**16), blocks=BLOCKS)
def test_inverting_slopes_keeps_the_function_and_bounds_free_slopes(draw, faces, tmp_path, seed, blocks):
    path = draw(seed, blocks, tmp_path / "model.onnx")
    model = graph_model.load(path)
    FoldBatchNorms()(model)
    result = InvertLargeSlopes()(model)
    graph_model.save(model, tmp_path / "inverted.onnx")
    assert relative_change(run(path, faces), run(tmp_path / "inverted.onnx", faces)) < 1e-4
    before, after = (np.abs(slopes_of(tmp_path / name)) > 1 for name in ("model.onnx", "inverted.onnx"))
    assert (after.sum() < before.sum()) == result.modified
    assert not InvertLargeSlopes()(model).modified


@KEEPS
@given(seed=st.integers(0, 2**16))
def test_every_batch_norm_behind_a_convolution_is_folded(draw, faces, tmp_path, seed):
    path = draw(seed, ["normed", "residual", "normed"], tmp_path / "model.onnx")
    model = graph_model.load(path)
    assert FoldBatchNorms()(model).modified
    graph_model.save(model, tmp_path / "folded.onnx")
    assert "BatchNormalization" not in {node.op_type for node in onnx.load(tmp_path / "folded.onnx").graph.node}
    assert relative_change(run(path, faces), run(tmp_path / "folded.onnx", faces)) < 1e-5


def test_a_batch_norm_without_a_convolution_is_left_and_named(draw, tmp_path):
    path = draw(0, ["activation", "norm"], tmp_path / "model.onnx")
    model = graph_model.load(path)
    assert not FoldBatchNorms()(model).modified
    (left,) = find_groups(model.graph).unknown
    assert "(BatchNormalization)" in left


def test_passes_refuse_a_graph_whose_batch_norms_are_not_folded(draw, faces, tmp_path):
    model = graph_model.load(draw(0, ["normed"], tmp_path / "model.onnx"))
    for one in (InvertLargeSlopes(), UntieGhosts(), Equalize(faces, 0, lambda _share: None), EqualizeRanges(faces)):
        with pytest.raises(ir.passes.PreconditionError, match="is not folded"):
            one(model)


def test_a_sequence_that_changes_the_function_leaves_no_file(draw, faces, tmp_path):
    class Halve(ir.passes.InPlacePass):
        def call(self, model):
            conv = next(node for node in model.graph if node.op_type == "Conv")
            set_constant(conv, 1, constant(conv.inputs[1]) / 2)
            return ir.passes.PassResult(model, modified=True)

    path = draw(0, ["residual"], tmp_path / "model.onnx")
    reference = Reference("the model", faces, run(path, faces), len(faces))
    with pytest.raises(ParityError, match="differs from the model by"):
        rewrite(graph_model.load(path), (FoldBatchNorms(), Halve()), tmp_path / "out.onnx", reference, fix="-")
    assert list(tmp_path.iterdir()) == [path]


def test_a_ghost_module_in_a_residual_sum_gets_scales_of_its_own(draw, faces, tmp_path):
    path = draw(3, ["residual", "projection"], tmp_path / "model.onnx")
    model = graph_model.load(path)
    last_sum = [node for node in model.graph if node.op_type == "Add"][-1]
    primary = last_sum.inputs[0].producer().inputs[0]

    def shared():
        groups = find_groups(model.graph).group
        return np.isin(groups[str(primary.name)], groups[str(last_sum.outputs[0].name)])

    assert shared().all()
    assert UntieGhosts()(model).modified
    assert not shared().any()
    assert not UntieGhosts()(model).modified
    graph_model.save(model, tmp_path / "untied.onnx")
    np.testing.assert_array_equal(run(tmp_path / "untied.onnx", faces), run(path, faces))


def test_a_gate_and_what_it_multiplies(draw, tmp_path):
    model = graph_model.load(draw(0, ["squeeze_excite"], tmp_path / "model.onnx"))
    groups = find_groups(model.graph)
    product = next(node for node in model.graph if node.op_type == "Mul")
    value, gate = (groups.group[str(operand.name)] for operand in product.inputs)
    assert groups.fixed[gate].all()
    assert not groups.fixed[value].any()
    np.testing.assert_array_equal(value, groups.group[str(product.outputs[0].name)])


def test_prepare_keeps_the_function_on_all_blocks_together(draw, faces, tmp_path):
    path = draw(5, ["residual", "projection", "attention", "normed", "squeeze_excite"], tmp_path / "model.onnx")
    # Embeddings of these graphs are large; the bound is absolute.
    shrink_embeddings(path, faces)
    report = prepare(path, faces, tmp_path / "prepared.onnx", seed=0, progress=lambda _name, _share: None)
    difference = np.abs(run(tmp_path / "prepared.onnx", faces) - run(path, faces)).max()
    assert difference <= 1e-4
    assert report.max_abs_difference == pytest.approx(difference, abs=1e-6)
    assert report.untouched == ()
    assert report.channel_groups > 20
    assert report.inverted_slopes > 0


def test_prepare_twice_gives_the_same_file(draw, faces, tmp_path):
    path = draw(1, ["residual"], tmp_path / "model.onnx")
    shrink_embeddings(path, faces)
    for name in ("first.onnx", "second.onnx"):
        prepare(path, faces, tmp_path / name, seed=0, progress=lambda _name, _share: None)
    assert (tmp_path / "first.onnx").read_bytes() == (tmp_path / "second.onnx").read_bytes()


def test_an_unknown_operator_is_left_untouched_and_named(draw, faces, tmp_path):
    path = draw(2, ["residual", "unknown", "residual"], tmp_path / "model.onnx")
    shrink_embeddings(path, faces)
    report = prepare(path, faces, tmp_path / "prepared.onnx", seed=0, progress=lambda _name, _share: None)
    assert len(report.untouched) == 1
    assert report.untouched[0].endswith("(Tanh)")
    assert report.max_abs_difference <= 1e-4


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_or_infinite_weights_are_refused_by_name(draw, faces, tmp_path, bad):
    path = draw(0, ["residual"], tmp_path / "model.onnx")
    model = onnx.load(path)
    weight = numpy_helper.to_array(model.graph.initializer[0]).copy()
    weight.flat[3] = bad
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, model.graph.initializer[0].name))
    onnx.save(model, path)
    with pytest.raises(InputError, match=rf"1 of the {weight.size} values of constant0"):
        prepare(path, faces, tmp_path / "prepared.onnx", seed=0, progress=lambda _name, _share: None)
    assert not list(Path(tmp_path).glob("prepared*"))


def shrink_embeddings(path, faces):
    """Scale the last convolution so that embeddings are of order 1."""
    size = float(np.abs(run(path, faces)).max())
    model = onnx.load(path)
    last = [node for node in model.graph.node if node.op_type == "Conv"][-1]
    for tensor in model.graph.initializer:
        if tensor.name in last.input[1:]:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) / np.float32(size), tensor.name))
    onnx.save(model, path)
