import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.tflite import folding
from ghostface_edge.targets.tflite.conv_weights import ConvWeights
from ghostface_edge.targets.tflite.convolution import same_padding
from ghostface_edge.targets.tflite.flatbuffer import serialize
from ghostface_edge.targets.tflite.folding import Fold, find_fold, folded, folded_shape
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.lowering import lower_quantized


def int8_weights(weights):
    channels = weights.shape[0]
    return ConvWeights(weights.astype(np.int8), np.arange(channels) * 1.0, np.linspace(0.01, 0.02, channels))


def convolve(image, weights, groups, strides=(1, 1)):
    """Integers, (H, W, C), padding SAME."""
    out_channels, in_per_group, *sizes = weights.shape
    pads = [
        same_padding(size, kernel, stride) for size, kernel, stride in zip(image.shape, sizes, strides, strict=False)
    ]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, (*pads, (0, 0))), sizes, axis=(0, 1))
    windows = windows[:: strides[0], :: strides[1]]
    result = np.zeros((*windows.shape[:2], out_channels), np.int64)
    for o in range(out_channels):
        first = o * groups // out_channels * in_per_group
        result[..., o] = (windows[:, :, first : first + in_per_group] * weights[o].astype(np.int64)).sum((2, 3, 4))
    return result


@given(
    seed=st.integers(0, 2**32 - 1),
    kernel=st.sampled_from([1, 2, 3, 5]),
    factor=st.sampled_from([1, 2, 4]),
    stride=st.sampled_from([1, 2]),
    channels=st.integers(1, 4),
    multiplier=st.integers(1, 2),
    depthwise=st.booleans(),
)
def test_folding_keeps_every_integer(seed, kernel, factor, stride, channels, multiplier, depthwise):
    assume(stride <= kernel)
    rng = np.random.default_rng(seed)
    groups = channels if depthwise else 1
    weights = rng.integers(-127, 128, (channels * multiplier, channels // groups, kernel, kernel))
    image = rng.integers(-128, 128, (6, 16, channels))

    dense = folded(int8_weights(weights), groups, Fold(factor * stride, factor))

    view = image.reshape(folded_shape((1, *image.shape), factor * stride)[1:])
    expected = convolve(image, weights, groups, (stride, stride))
    given_view = convolve(view, dense.filters, 1, (stride, 1))
    np.testing.assert_array_equal(given_view.reshape(expected.shape), expected)
    np.testing.assert_array_equal(dense.bias.reshape(factor, -1)[-1], np.arange(channels * multiplier))
    assert dense.scales.tolist() == np.linspace(0.01, 0.02, channels * multiplier).tolist() * factor


@pytest.mark.parametrize(
    ("shape", "groups", "stride", "padding", "width", "fold"),
    [
        ((4, 1, 3, 3), 4, 1, "SAME", 56, Fold(4, 4)),
        ((4, 8, 1, 1), 1, 1, "VALID", 56, Fold(4, 4)),
        ((8, 1, 3, 3), 8, 1, "SAME", 56, Fold(2, 2)),
        ((4, 1, 3, 3), 4, 1, "SAME", 58, Fold(2, 2)),
        ((20, 3, 3, 3), 1, 1, "SAME", 112, Fold(2, 2)),
        ((8, 3, 3, 3), 1, 2, "SAME", 112, Fold(4, 2)),
        ((12, 1, 3, 3), 12, 1, "SAME", 56, None),
        ((4, 1, 5, 5), 4, 1, "SAME", 56, None),
        ((4, 1, 3, 3), 4, 2, "SAME", 56, None),
        ((4, 1, 3, 3), 4, 1, "VALID", 56, None),
        ((4, 1, 3, 3), 4, 1, "SAME", 28, None),
        ((8, 3, 3, 3), 1, 2, "SAME", 114, None),
    ],
)
def test_only_narrow_convolutions_on_large_maps_are_folded(shape, groups, stride, padding, width, fold):
    assert find_fold(int8_weights(np.ones(shape)), groups, (stride, stride), padding, width) == fold


def test_float_convolutions_are_left_alone():
    weights = ConvWeights(np.ones((4, 1, 3, 3), np.float32), np.zeros(4))
    assert find_fold(weights, 4, (1, 1), "SAME", 56) is None


def test_a_folded_model_gives_the_same_embeddings(qdq_model, run_tflite, monkeypatch):
    integers = np.random.default_rng(1).integers(-128, 128, (3, 16, 16, 3), np.int8)
    plain = lower_quantized(qdq_model, KernelSet.XNNPACK, InputType.INT8)
    monkeypatch.setattr(folding, "_NARROWEST_MAP", 8)
    wide = lower_quantized(qdq_model, KernelSet.XNNPACK, InputType.INT8)

    kinds = [[op.kind for op in subgraph.operators] for subgraph in (plain, wide)]
    assert [k.count("DEPTHWISE_CONV_2D") for k in kinds] == [2, 1]
    assert [k.count("RESHAPE") for k in kinds] == [1, 7]
    np.testing.assert_array_equal(run_tflite(serialize(wide), integers), run_tflite(serialize(plain), integers))
