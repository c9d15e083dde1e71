"""What C is not written for is refused by the operator's name."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.c.layers import Multiplier
from ghostface_edge.targets.c.reading import read_program
from ghostface_edge.targets.protocol import InputType, Precision
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.flatbuffer import pack
from ghostface_edge.targets.tflite.inspection import main_graph
from ghostface_edge.targets.tflite.kernel_set import KernelSet


def first(graph, kinds, kind):
    return graph.operators[kinds.index(kind)]


def set_option(kind, **values):
    def change(model, kinds):
        options = first(model.subgraphs[0], kinds, kind).builtinOptions
        for name, value in values.items():
            assert hasattr(options, name)
            setattr(options, name, value)

    return change


def rename(kind, other):
    def change(model, kinds):
        code = model.operatorCodes[first(model.subgraphs[0], kinds, kind).opcodeIndex]
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, other)

    return change


def rescale(kind, number=0):
    def change(model, kinds):
        operator = first(model.subgraphs[0], kinds, kind)
        model.subgraphs[0].tensors[operator.inputs[number]].quantization.scale = np.array([0.777], np.float32)

    return change


def least_weight(kind):
    def change(model, kinds):
        place = first(model.subgraphs[0], kinds, kind).inputs[1]
        buffer = model.buffers[model.subgraphs[0].tensors[place].buffer]
        buffer.data = np.append(np.uint8(0x80), np.asarray(buffer.data, np.uint8)[1:])

    return change


CHANGES = {
    "an operator": (rename("MEAN", "SUM"), "SUM at pooled has no C kernel"),
    "strides": (set_option("CONV_2D", strideH=2), "CONV_2D at .*: only equal strides"),
    "dilation": (set_option("DEPTHWISE_CONV_2D", dilationWFactor=2), "DEPTHWISE_CONV_2D at .*: only equal strides"),
    "multiplier": (set_option("DEPTHWISE_CONV_2D", depthMultiplier=2), "a depth multiplier other than 1"),
    "activation": (set_option("CONV_2D", fusedActivationFunction=4), "CONV_2D at .*: activation 4"),
    "axis": (set_option("CONCATENATION", axis=1), "only channels are put behind each other"),
    "weights": (least_weight("CONV_2D"), "weights below -127"),
    "scales": (rescale("CONCATENATION"), "parts of different scales"),
}


@pytest.mark.parametrize(("change", "says"), CHANGES.values(), ids=CHANGES)
def test_what_c_is_not_written_for_is_named(ghost_qdq, portable, change, says):
    artifact = portable(ghost_qdq)
    model, kinds = main_graph(artifact)
    change(model, kinds)
    artifact.write_bytes(pack(model))
    with pytest.raises(ToolError, match=says) as caught:
        read_program(artifact)
    assert "tflite-micro-int8" in caught.value.fix


def test_an_input_that_is_no_byte_minus_128(ghost_qdq, tmp_path):
    path = tmp_path / "model.tflite"
    TfliteTarget().lower_quantized(ghost_qdq, path, InputType.UINT8, kernels=KernelSet.PORTABLE)
    with pytest.raises((InputError, ToolError), match="int8"):
        read_program(path)


def test_a_float_model_is_refused(write_ghost_network, tmp_path):
    from ghostface_edge.targets.tflite_micro import TfliteMicroTarget

    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    path = tmp_path / "model.tflite"
    TfliteMicroTarget().convert(write_ghost_network(quantized=False), Precision.FP32, path)
    with pytest.raises(InputError, match="int8 of batch 1 expected"):
        read_program(path)


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (1.0, (2**30, 1)),
        (0.5, (2**30, 0)),
        (0.75, (3 * 2**29, 0)),
        (0.0, (0, 0)),
        (2.0**-40, (0, 0)),
        (1 - 2**-40, (2**30, 1)),
    ],
)
def test_a_factor_is_written_as_tflite_writes_it(factor, expected):
    made = Multiplier.of(factor)
    assert (made.significand, made.shift) == expected
