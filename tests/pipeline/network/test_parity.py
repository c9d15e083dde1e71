"""A model is compared on whole batches, and a difference is told with its size."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ghostface_edge.pipeline.network.parity import Reference, onnx_input, run_onnx
from ghostface_edge.reports.errors import ParityError

FACES = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), np.uint8)
EMBEDDINGS = onnx_input(FACES).reshape(5, 48)


@pytest.fixture
def flattening(tmp_path):
    """A model of batch 2 whose embedding is the pixels, plus an offset."""

    def write(offset):
        nodes = [
            helper.make_node("Flatten", ["faces"], ["flat"], axis=1),
            helper.make_node("Add", ["flat", "offset"], ["embeddings"]),
        ]
        ends = [
            helper.make_tensor_value_info("faces", TensorProto.FLOAT, [2, 3, 4, 4]),
            helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, [2, 48]),
        ]
        stored = [numpy_helper.from_array(np.float32(offset), "offset")]
        graph = helper.make_graph(nodes, "flatten", ends[:1], ends[1:], stored)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.save(model, tmp_path / "model.onnx")
        return tmp_path / "model.onnx"

    return write


def test_what_does_not_fill_a_batch_is_left_out(flattening):
    (embeddings,) = run_onnx(flattening(0), onnx_input(FACES), 2)
    np.testing.assert_array_equal(embeddings, EMBEDDINGS[:4])
    assert Reference("NumPy", FACES, EMBEDDINGS, 2).require(flattening(0), fix="-") == 0.0


def test_a_difference_is_told_with_its_size_and_how_to_mend_it(flattening):
    with pytest.raises(ParityError, match=r"differs from NumPy by 1.00e-03 on 4 faces.*\(fix: look again\)"):
        Reference("NumPy", FACES, EMBEDDINGS, 2).require(flattening(1e-3), fix="look again")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_never_agrees(flattening, bad):
    with pytest.raises(ParityError):
        Reference("NumPy", FACES, EMBEDDINGS, 2).require(flattening(bad), fix="-")
