"""GhostFaceNetV1 in PyTorch.

In: float32 (N, 3, S, S), NCHW, RGB, (x - 127.5) / 128. Out: float32 (N, embedding_size), not normalised.
Convolutions pad as TensorFlow's SAME does, so that trained Keras weights give the same function.
Source: HamadYA/GhostFaceNets, `GhostFaceNets.py`.
"""

import torch
from torch import nn
from torch.nn import functional

from ghostface_edge.pipeline.architecture import Activation, Architecture, Block
from ghostface_edge.reports.errors import InputError

BATCH_NORM_EPSILON = 1e-5


class ConvUnit(nn.Module):
    """Convolution, BatchNorm and activation, each of the last two where asked for.

    Padding is TensorFlow's: SAME puts the odd pixel at the bottom and right, VALID puts none.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        depthwise: bool = False,
        same: bool = True,
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
        self.depthwise, self.same = depthwise, same

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        if self.same:
            top, bottom = same_padding(x.shape[2], kernel, stride)
            left, right = same_padding(x.shape[3], kernel, stride)
            if top or bottom or left or right:
                x = functional.pad(x, (left, right, top, bottom))
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return x if self.activation is None else self.activation(x)


class GhostModule(nn.Module):
    """Half of the channels by a 1x1 convolution, the other half by a cheap depthwise 3x3 of those."""

    def __init__(self, in_channels: int, out_channels: int, activation: Activation | None) -> None:
        super().__init__()
        half = out_channels // 2
        self.primary = ConvUnit(in_channels, half, 1, activation=activation)
        self.cheap = ConvUnit(half, half, 3, depthwise=True, activation=activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        primary = self.primary(x)
        return torch.cat((primary, self.cheap(primary)), dim=1)


class SqueezeExcite(nn.Module):
    """Channel attention: pooled map, two 1x1 convolutions, Keras 2's hard sigmoid, multiply."""

    def __init__(self, channels: int, inner: int, activation: Activation) -> None:
        super().__init__()
        self.reduce = ConvUnit(channels, inner, 1, bias=True, norm=False, activation=activation)
        self.expand = ConvUnit(inner, channels, 1, bias=True, norm=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.expand(self.reduce(x.mean((2, 3), keepdim=True)))
        return x * torch.clip(0.2 * gate + 0.5, 0.0, 1.0)


class GhostBottleneck(nn.Module):
    """Expand, stride, attend, project, add the shortcut."""

    def __init__(self, block: Block, activation: Activation) -> None:
        super().__init__()
        inner, out = block.expansion, block.out_channels
        self.expand = GhostModule(block.in_channels, inner, activation)
        self.stride: nn.Module = nn.Identity()
        if block.stride > 1:
            self.stride = ConvUnit(inner, inner, block.kernel, stride=block.stride, depthwise=True)
        self.attend: nn.Module = nn.Identity()
        if block.se_channels is not None:
            self.attend = SqueezeExcite(inner, block.se_channels, activation)
        self.project = GhostModule(inner, out, None)
        self.shortcut: nn.Module = nn.Identity()
        if block.has_projection:
            self.shortcut = nn.Sequential(
                ConvUnit(block.in_channels, block.in_channels, block.kernel, stride=block.stride, depthwise=True),
                ConvUnit(block.in_channels, out, 1),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.project(self.attend(self.stride(self.expand(x))))
        shortcut: torch.Tensor = self.shortcut(x)
        return y + shortcut


class GhostFaceNet(nn.Module):
    """The whole network; its modules are created in the order in which Keras created its layers.

    Raises:
        InputError: for a version other than 1.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        if architecture.version != 1:
            raise InputError(
                f"GhostFaceNetV{architecture.version} is not supported",
                fix="use a GhostFaceNetV1 checkpoint",
            )
        self.architecture = architecture
        act, tail = architecture.activation, architecture.tail_channels
        blocks = architecture.blocks
        self.stem = ConvUnit(3, architecture.stem_channels, 3, stride=architecture.stride, activation=act)
        self.blocks = nn.Sequential(*(GhostBottleneck(block, act) for block in blocks))
        self.tail = ConvUnit(blocks[-1].out_channels, tail, 1, activation=act)
        self.pool = ConvUnit(tail, tail, architecture.head_kernel, depthwise=True, same=False)
        self.embed = ConvUnit(tail, architecture.embedding_size, 1, bias=architecture.head_bias, norm=False)
        self.norm = nn.BatchNorm1d(architecture.embedding_size, eps=BATCH_NORM_EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.embed(self.pool(self.tail(self.blocks(self.stem(x)))))
        embedding: torch.Tensor = self.norm(torch.flatten(x, 1))
        return embedding


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after one axis under TensorFlow's SAME rule."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def count_parameters(network: nn.Module) -> int:
    """Weights, slopes and BatchNorm statistics, as Keras counts them."""
    return sum(
        value.numel() for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")
    )
