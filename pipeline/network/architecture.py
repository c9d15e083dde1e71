"""Architecture of a GhostFaceNet as plain numbers: no weights, no torch.

In: version, width, stem stride, input size, embedding size. Out: the channel and kernel plan of every block.
Source: HamadYA/GhostFaceNets, and the tables of doi 10.1109/ACCESS.2023.3266068.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ghostface_edge.reports.errors import InputError

MAX_WIDTH: Final = 4.0
"""The widest that was published is 1.3."""
IMAGE_SIZES: Final = range(16, 513)
MAX_EMBEDDING_SIZE: Final = 4096

_KERNELS = (3, 3, 3, 5, 5, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5)
_EXPANSIONS = (16, 48, 72, 72, 120, 240, 200, 184, 184, 480, 672, 672, 960, 960, 960)
_LAST_EXPANSION = {1: 512, 2: 960}
_OUTPUTS = (16, 24, 24, 40, 40, 80, 80, 80, 80, 112, 112, 160, 160, 160, 160, 160)
_WITH_SE = (4, 5, 10, 11, 12, 14, 16)
_WITH_STRIDE = (2, 4, 6, 12)
_DFC_FROM = 3
_SE_RATIO = 0.25


class Activation(StrEnum):
    """The non-linearity after most BatchNorms: PReLU with one slope per channel, or ReLU."""

    PRELU = "prelu"
    RELU = "relu"


@dataclass(frozen=True, slots=True)
class Block:
    """One ghost bottleneck: ghost module, optional stride and squeeze-excite, ghost module, shortcut."""

    kernel: int
    stride: int
    in_channels: int
    expansion: int
    out_channels: int
    se_channels: int | None
    """Inner channels of the squeeze-excite, None where there is none."""
    has_dfc: bool
    """Whether V2's decoupled fully connected attention gates the first ghost module."""

    @property
    def has_projection(self) -> bool:
        """Whether the shortcut has to change shape."""
        return self.stride > 1 or self.in_channels != self.out_channels


@dataclass(frozen=True, slots=True)
class Architecture:
    """One member of the family, named V<version>-<width>-<stride> in the literature.

    Raises:
        InputError: numbers that no member has, whoever gives them; no network is built from those.
    """

    width: float
    stride: int = 2
    version: int = 1
    image_size: int = 112
    embedding_size: int = 512
    activation: Activation = Activation.PRELU
    head_bias: bool = False

    def __post_init__(self) -> None:
        allowed = {
            "width": isinstance(self.width, int | float) and 0 < self.width <= MAX_WIDTH,
            "stride": _is_within(self.stride, range(1, 3)),
            "version": _is_within(self.version, range(1, 3)),
            "image_size": _is_within(self.image_size, IMAGE_SIZES),
            "embedding_size": _is_within(self.embedding_size, range(1, MAX_EMBEDDING_SIZE + 1)),
            "activation": isinstance(self.activation, Activation),
            "head_bias": isinstance(self.head_bias, bool),
        }
        for field, is_allowed in allowed.items():
            if not is_allowed:
                raise InputError(
                    f"no GhostFaceNet has {field} {str(getattr(self, field))[:40]}",
                    fix=f"version 1 or 2, stride 1 or 2, width up to {MAX_WIDTH:g}, square images of "
                    f"{IMAGE_SIZES.start} to {IMAGE_SIZES.stop - 1} pixels, up to {MAX_EMBEDDING_SIZE} dimensions",
                )

    @property
    def name(self) -> str:
        """`GhostFaceNetV1-0.5-2` and the like."""
        return f"GhostFaceNetV{self.version}-{self.width:g}-{self.stride}"

    @property
    def stem_channels(self) -> int:
        """Output channels of the first convolution."""
        return divisible_by_4(16 * self.width)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The 16 bottlenecks in order."""
        blocks = []
        channels = self.stem_channels
        expansions = (*_EXPANSIONS, _LAST_EXPANSION[self.version])
        for index, (kernel, expansion, output) in enumerate(zip(_KERNELS, expansions, _OUTPUTS, strict=True), start=1):
            expanded = divisible_by_4(expansion * self.width)
            block = Block(
                kernel=kernel,
                stride=2 if index in _WITH_STRIDE else 1,
                in_channels=channels,
                expansion=expanded,
                out_channels=divisible_by_4(output * self.width),
                se_channels=divisible_by_4(expanded * _SE_RATIO) if index in _WITH_SE else None,
                has_dfc=self.version == 2 and index >= _DFC_FROM,
            )
            blocks.append(block)
            channels = block.out_channels
        return tuple(blocks)

    @property
    def tail_channels(self) -> int:
        """Channels of the 1x1 convolution between the last block and the head."""
        return divisible_by_4(_LAST_EXPANSION[self.version] * self.width)

    @property
    def head_kernel(self) -> int:
        """Side of the map that the head's depthwise convolution covers whole."""
        side = -(-self.image_size // self.stride)
        for _ in _WITH_STRIDE:
            side = -(-side // 2)
        return side


def _is_within(value: object, allowed: range) -> bool:
    return type(value) is int and value in allowed


def divisible_by_4(value: float) -> int:
    """Round a scaled channel count to a multiple of 4 that is not below 90 % of it."""
    rounded = max(4, int(value + 2) // 4 * 4)
    return rounded + 4 if rounded < 0.9 * value else rounded
