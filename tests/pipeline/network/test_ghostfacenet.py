import numpy as np
import pytest
import torch
from torch import nn

from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.ghostfacenet import (
    ConvUnit,
    DfcGhostModule,
    GhostFaceNet,
    Padding,
    SqueezeExcite,
    count_parameters,
    zeros,
)

PUBLISHED = [
    (1, 0.5, 2, 722_364, 10.7),
    (1, 1.0, 2, 2_496_336, 36.7),
    (1, 1.3, 2, 4_066_388, 59.3),
    (1, 1.3, 1, 4_088_300, 211.9),
    (2, 1.3, 2, 6_839_104, 75.2),
    (2, 1.3, 1, 6_880_288, 267.1),
]


@pytest.mark.parametrize(("version", "width", "stride", "parameters", "mmacs"), PUBLISHED)
def test_parameters_and_macs_are_the_published_ones(
    version: int, width: float, stride: int, parameters: int, mmacs: float
) -> None:
    with torch.device("meta"):
        network = GhostFaceNet(Architecture(width, stride, version)).eval()
        macs = 0

        def count(conv: nn.Module, _: object, output: torch.Tensor) -> None:
            nonlocal macs
            assert isinstance(conv, nn.Conv2d)
            macs += output.numel() * conv.weight[0].numel()

        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(count)
        embedding = network(torch.zeros(1, 3, 112, 112))
    assert embedding.shape == (1, 512)
    assert count_parameters(network) == parameters
    assert macs / 1e6 == pytest.approx(mmacs, abs=0.05)


def test_a_head_bias_is_512_parameters() -> None:
    with torch.device("meta"):
        bare, biased = (count_parameters(GhostFaceNet(Architecture(0.5, head_bias=bias))) for bias in (False, True))
    assert biased - bare == 512


@pytest.mark.parametrize(
    ("padding", "size", "kernel", "stride", "expected"),
    [
        (Padding.SAME, 112, 3, 2, (0, 1)),
        (Padding.SAME, 28, 5, 2, (1, 2)),
        (Padding.SAME, 7, 5, 2, (2, 2)),
        (Padding.SAME, 14, 5, 1, (2, 2)),
        (Padding.SAME, 14, 1, 1, (0, 0)),
        (Padding.SYMMETRIC, 112, 3, 2, (1, 1)),
        (Padding.SYMMETRIC, 28, 5, 2, (2, 2)),
        (Padding.SYMMETRIC, 3, 1, 1, (0, 0)),
        (Padding.VALID, 7, 7, 1, (0, 0)),
    ],
)
def test_zeros_around_one_axis(
    padding: Padding, size: int, kernel: int, stride: int, expected: tuple[int, int]
) -> None:
    assert zeros(padding, size, kernel, stride) == expected


@pytest.mark.parametrize(("version", "slope"), [(1, 0.2), (2, 1 / 6)])
def test_the_gate_opens_as_steeply_as_the_version_says(version: int, slope: float) -> None:
    gates = [m for m in GhostFaceNet(Architecture(0.2, version=version)).modules() if isinstance(m, SqueezeExcite)]
    assert len(gates) == 7
    gate = gates[0].eval()
    nn.init.zeros_(gate.expand.conv.weight)
    assert gate.expand.conv.bias is not None
    nn.init.constant_(gate.expand.conv.bias, 1.0)
    channels = gate.expand.conv.out_channels
    x = torch.ones(1, channels, 2, 2)
    torch.testing.assert_close(gate(x), torch.full_like(x, slope + 0.5))


def test_dfc_attention_drops_the_odd_row_and_resizes_back_with_half_pixel_centres() -> None:
    torch.manual_seed(0)
    module = DfcGhostModule(4, 8, Padding.SYMMETRIC, Activation.RELU).eval()
    x = torch.randn(2, 4, 7, 7)
    seen: list[torch.Tensor] = []
    module.gate.register_forward_hook(lambda _, inputs, output: seen.extend((inputs[0], output)))
    with torch.no_grad():
        y = module(x)
        plain = super(DfcGhostModule, module).forward(x)
    pooled, gate = seen
    assert pooled.shape[2:] == gate.shape[2:] == (3, 3)
    np.testing.assert_allclose(pooled, x[:, :, :6, :6].reshape(2, 4, 3, 2, 3, 2).mean((3, 5)), atol=1e-6)
    np.testing.assert_allclose(y, plain.numpy() * _bilinear(torch.sigmoid(gate).numpy(), 7), atol=1e-5)


def _bilinear(x: np.ndarray, side: int) -> np.ndarray:
    """Half-pixel bilinear resize from its definition."""
    at = np.clip((np.arange(side) + 0.5) * x.shape[2] / side - 0.5, 0, x.shape[2] - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, x.shape[2] - 1)
    weight = at - low
    rows = x[:, :, low] * (1 - weight)[:, None] + x[:, :, high] * weight[:, None]
    return rows[..., low] * (1 - weight) + rows[..., high] * weight


def test_a_unit_without_activation_is_linear() -> None:
    unit = ConvUnit(3, 5, 1).eval()
    x = torch.randn(1, 3, 4, 4)
    torch.testing.assert_close(unit(2 * x), 2 * unit(x))
