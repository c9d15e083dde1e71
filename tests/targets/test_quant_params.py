"""Signed zero points are the only ones; uint8 comes and goes through named doors."""

import numpy as np
import onnx_ir as ir
import pytest
from onnx import helper

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.qdq import graph_of, params, stored
from ghostface_edge.targets.quant_params import QuantParams, as_int8


@pytest.mark.parametrize("zero_point", [-129, 128, 255])
def test_a_zero_point_of_uint8_is_refused(zero_point):
    with pytest.raises(ValueError, match="int8"):
        QuantParams(0.1, zero_point)


def test_int8_and_uint8_models_have_the_same_parameters():
    scale = np.array(0.5, np.float32)
    signed, unsigned = (QuantParams.from_onnx(scale, zero) for zero in (np.array(-128, np.int8), np.array(0, np.uint8)))
    assert signed == unsigned == QuantParams(0.5, -128)
    assert unsigned.uint8_zero_point == 0
    assert (signed.low, signed.high) == (0.0, 127.5)
    with pytest.raises(InputError, match="int16"):
        QuantParams.from_onnx(scale, np.array(0, np.int16))


def test_integers_are_rounded_to_even_and_saturate():
    assert QuantParams(0.5, 1).quantize(np.array([0.25, 0.75, 99.0, -99.0])).tolist() == [1, 3, 127, -128]
    assert as_int8(np.array([0, 128, 255], np.uint8)).tolist() == [-128, 0, 127]


@pytest.mark.parametrize(("zero", "expected"), [(None, -128), (np.uint8(3), -125), (np.int8(3), 3)])
def test_a_pair_without_a_zero_point_is_uint8s(zero, expected, write_graph):
    ends = ["scale"] if zero is None else ["scale", "zero"]
    nodes = [
        helper.make_node("QuantizeLinear", ["faces", *ends], ["integers"]),
        helper.make_node("DequantizeLinear", ["integers", *ends], ["embeddings"]),
    ]
    constants = {"scale": np.float32(0.5)} | ({} if zero is None else {"zero": zero})
    graph = graph_of(read_onnx(write_graph(nodes, constants)))
    assert [params(node).zero_point for node in graph] == [expected] * 2


def test_weights_of_uint8_come_out_signed_and_asymmetric_ones_are_refused(write_graph):
    def weight(zero) -> ir.Value:
        nodes = [
            helper.make_node("DequantizeLinear", ["integers", "scale", "zero"], ["weight"]),
            helper.make_node("Add", ["faces", "weight"], ["embeddings"]),
        ]
        constants = {"integers": np.array([0, 255], np.uint8), "scale": np.float32(0.5), "zero": np.uint8(zero)}
        return graph_of(read_onnx(write_graph(nodes, constants))).node(1).inputs[1]

    assert stored(weight(128)).real().tolist() == [-64.0, 63.5]
    with pytest.raises(InputError, match="asymmetric"):
        stored(weight(0))
