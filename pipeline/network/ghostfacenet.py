"""GhostFaceNetV1 and V2 in PyTorch.

In: float32 (N, 3, S, S), NCHW, normalised as the checkpoint declares. Out: float32 (N, embedding_size), not
normalised. V1's convolutions pad as TensorFlow's SAME does, V2's symmetrically, so that trained Keras weights give
the same function.
Source: HamadYA/GhostFaceNets; DFC attention: Tang et al. 2022, arXiv:2211.12905, section 4.
"""

from enum import Enum

import torch
from torch import nn
from torch.nn import functional

from ghostface_edge.pipeline.network.architecture import Activation, Architecture, Block

BATCH_NORM_EPSILON = 1e-5
_HARD_SIGMOID_SLOPE = {1: 0.2, 2: 1 / 6}
"""Keras 2's definition in V1, PyTorch's in V2; both add 0.5 and clip to [0, 1]."""


class Padding(Enum):
    """Where a convolution puts zeros around its input."""

    SAME = "same"
    """TensorFlow's rule: output side = ceil(side / stride), the odd zero at the bottom and right."""
    SYMMETRIC = "symmetric"
    """kernel // 2 on every side, whatever the size."""
    VALID = "valid"
    """None."""


_PADDING = {1: Padding.SAME, 2: Padding.SYMMETRIC}


class ConvUnit(nn.Module):
    """Convolution, BatchNorm and activation, each of the last two where asked for."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | tuple[int, int],
        *,
        padding: Padding = Padding.VALID,
        stride: int = 1,
        depthwise: bool = False,
        bias: bool = False,
        norm: bool = True,
        activation: Activation | None = None,
    ) -> None:
        super().__init__()
        groups = in_channels if depthwise else 1
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, groups=groups, bias=bias)
        self.norm = nn.BatchNorm2d(out_channels, eps=BATCH_NORM_EPSILON) if norm else None
        self.activation: nn.Module | None = None
        if activation is not None:
            self.activation = nn.PReLU(out_channels) if activation is Activation.PRELU else nn.ReLU()
        self.depthwise, self.padding = depthwise, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        (high, wide), stride = self.conv.kernel_size, self.conv.stride[0]
        top, bottom = zeros(self.padding, int(x.shape[2]), high, stride)
        left, right = zeros(self.padding, int(x.shape[3]), wide, stride)
        if top or bottom or left or right:
            x = functional.pad(x, (left, right, top, bottom))
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return x if self.activation is None else self.activation(x)


class GhostModule(nn.Module):
    """Half of the channels by a 1x1 convolution, the other half by a cheap depthwise 3x3 of those."""

    def __init__(self, in_channels: int, out_channels: int, padding: Padding, activation: Activation | None) -> None:
        super().__init__()
        half = out_channels // 2
        self.primary = ConvUnit(in_channels, half, 1, activation=activation)
        self.cheap = ConvUnit(half, half, 3, padding=padding, depthwise=True, activation=activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        primary = self.primary(x)
        return torch.cat((primary, self.cheap(primary)), dim=1)


class DfcGhostModule(GhostModule):
    """A ghost module gated by V2's decoupled fully connected attention, computed on the map at half its size."""

    def __init__(self, in_channels: int, out_channels: int, padding: Padding, activation: Activation | None) -> None:
        super().__init__(in_channels, out_channels, padding, activation)
        self.gate = nn.Sequential(
            ConvUnit(in_channels, out_channels, 1),
            ConvUnit(out_channels, out_channels, (1, 5), padding=padding, depthwise=True),
            ConvUnit(out_channels, out_channels, (5, 1), padding=padding, depthwise=True),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = torch.sigmoid(self.gate(functional.avg_pool2d(x, 2)))
        return super().forward(x) * functional.interpolate(gate, x.shape[2:], mode="bilinear", align_corners=False)


class SqueezeExcite(nn.Module):
    """Channel attention: pooled map, two 1x1 convolutions, the version's hard sigmoid, multiply."""

    def __init__(self, channels: int, inner: int, slope: float, activation: Activation) -> None:
        super().__init__()
        self.reduce = ConvUnit(channels, inner, 1, bias=True, norm=False, activation=activation)
        self.expand = ConvUnit(inner, channels, 1, bias=True, norm=False)
        self.slope = slope

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.expand(self.reduce(x.mean((2, 3), keepdim=True)))
        return x * torch.clip(self.slope * gate + 0.5, 0.0, 1.0)


class GhostBottleneck(nn.Module):
    """Expand, stride, attend, project, add the shortcut."""

    def __init__(self, block: Block, version: int, activation: Activation) -> None:
        super().__init__()
        inner, out, padding = block.expansion, block.out_channels, _PADDING[version]
        module = DfcGhostModule if block.has_dfc else GhostModule
        self.expand = module(block.in_channels, inner, padding, activation)
        self.stride: nn.Module = nn.Identity()
        if block.stride > 1:
            self.stride = ConvUnit(inner, inner, block.kernel, padding=padding, stride=block.stride, depthwise=True)
        self.attend: nn.Module = nn.Identity()
        if block.se_channels is not None:
            self.attend = SqueezeExcite(inner, block.se_channels, _HARD_SIGMOID_SLOPE[version], activation)
        self.project = GhostModule(inner, out, padding, None)
        self.shortcut: nn.Module = nn.Identity()
        if block.has_projection:
            same = block.in_channels
            self.shortcut = nn.Sequential(
                ConvUnit(same, same, block.kernel, padding=padding, stride=block.stride, depthwise=True),
                ConvUnit(same, out, 1),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.project(self.attend(self.stride(self.expand(x))))
        shortcut: torch.Tensor = self.shortcut(x)
        return y + shortcut


class GhostFaceNet(nn.Module):
    """The whole network; V1's modules are created in the order in which Keras created its layers."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        act, tail, padding = architecture.activation, architecture.tail_channels, _PADDING[architecture.version]
        blocks = architecture.blocks
        self.stem = ConvUnit(
            3, architecture.stem_channels, 3, padding=padding, stride=architecture.stride, activation=act
        )
        self.blocks = nn.Sequential(*(GhostBottleneck(block, architecture.version, act) for block in blocks))
        self.tail = ConvUnit(blocks[-1].out_channels, tail, 1, activation=act)
        self.pool = ConvUnit(tail, tail, architecture.head_kernel, depthwise=True)
        self.embed = ConvUnit(tail, architecture.embedding_size, 1, bias=architecture.head_bias, norm=False)
        self.norm = nn.BatchNorm1d(architecture.embedding_size, eps=BATCH_NORM_EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.embed(self.pool(self.tail(self.blocks(self.stem(x)))))
        embedding: torch.Tensor = self.norm(torch.flatten(x, 1))
        return embedding


def zeros(padding: Padding, size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis of `size` pixels."""
    if padding is Padding.VALID:
        return 0, 0
    if padding is Padding.SYMMETRIC:
        return kernel // 2, kernel // 2
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def count_parameters(network: nn.Module) -> int:
    """Weights, slopes and BatchNorm statistics, as Keras counts them."""
    return sum(
        value.numel() for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")
    )


def count_macs(architecture: Architecture) -> int:
    """Multiply-accumulates of one face: every convolution's weights times its output positions."""
    counted: list[int] = []

    def count(conv: nn.Module, _: object, output: torch.Tensor) -> None:
        assert isinstance(conv, nn.Conv2d)
        counted.append(conv.weight.numel() * output[0, 0].numel())

    with torch.device("meta"), torch.inference_mode():
        network = GhostFaceNet(architecture).eval()
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(count)
        network(torch.zeros(1, 3, architecture.image_size, architecture.image_size))
    return sum(counted)
