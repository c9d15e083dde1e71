"""Memory that an Ethos-U's compiled command stream writes.

In: the payload that a compiler puts in front of the `ethos-u` operator. Out: spans of bytes by region of memory. No
NPU and no simulator are needed: every address and extent stands in the stream, as settings of registers that the
operations after them use.

Source: Arm's Ethos-U register interface, as Vela's own `ethos_u55_regs` and `driver_actions` write it and
`--verbose-register-command-stream` spells it out. U55, U65 and U85 number the registers read here alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from ghostface_edge.reports.errors import InputError

_MAGIC: Final = b"COP1"
_CONFIGURE, _STREAM = 0x01, 0x02
_CONFIGURE_WORDS: Final = 2
_PRODUCT_SHIFT: Final = 28
_U85: Final = 2
_CODE_MASK: Final = 0x3FF
_WITH_ADDRESS: Final = 0x4000
_COMPUTE: Final = frozenset(range(0x002, 0x010))
"""Convolution, depthwise, pooling, elementwise and, on U85, resizing."""
_START_DMA: Final = 0x010

_OFM_WIDTH, _OFM_HEIGHT, _OFM_DEPTH, _OFM_PRECISION = 0x111, 0x112, 0x113, 0x114
_OFM_WIDTH0, _OFM_HEIGHT0, _OFM_HEIGHT1, _OFM_REGION = 0x11A, 0x11B, 0x11C, 0x11F
_OFM_BASE, _OFM_STRIDE_X, _OFM_STRIDE_Y, _OFM_STRIDE_C = 0x010, 0x014, 0x015, 0x016
_DMA_TO_REGION, _DMA_TO, _DMA_LENGTH = 0x131, 0x031, 0x032
_BRICK: Final = 16
"""Channels that the brick format keeps together."""
_REARRANGED: Final = 0x3E00
_STORAGE: Final = 0xC000
_CHAINED: Final = 0x8000
"""On U85 the output goes to the next operation alone; on U55 and U65 these bits choose how it is rounded."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes from `start` up to `stop` of a region that one operation may write."""

    region: int
    start: int
    stop: int


def read_writes(payload: bytes) -> list[Write]:
    """Every span that the NPU writes, in the stream's order; strided outputs count with the gaps between their rows.

    Args:
        payload: driver actions and command stream, little endian.

    Raises:
        InputError: no such payload, or a transfer of a kind whose extent is not known here.
    """
    settings: dict[int, int] = {}
    addresses: dict[int, int] = {}
    writes: list[Write] = []
    product, stream = _unpacked(payload)
    words = iter(stream)
    for word in words:
        code, parameter = word & _CODE_MASK, word >> 16
        if word & _WITH_ADDRESS:
            addresses[code] = next(words, 0) | (parameter & 0xFF) << 32
        elif code in _COMPUTE:
            stays_inside = product == _U85 and settings.get(_OFM_PRECISION, 0) & _STORAGE == _CHAINED
            writes += [] if stays_inside else _output(settings, addresses)
        elif code == _START_DMA:
            writes += _transfer(settings, addresses)
        else:
            settings[code] = parameter
    return writes


def _unpacked(payload: bytes) -> tuple[int, list[int]]:
    """The product that the stream is for, and its words, without the driver's own actions in front."""
    if payload[:4] != _MAGIC or len(payload) % 4:
        raise InputError(
            "this is no Ethos-U command stream", fix="give a model that Vela compiled, with COP1 as it does"
        )
    words: list[int] = np.frombuffer(payload, "<u4").tolist()
    place, product = 1, 0
    while place < len(words) - 1:
        action = words[place] & 0xFF
        if action == _STREAM:
            return product, words[place + 1 :]
        if action == _CONFIGURE:
            product = words[place + 1] >> _PRODUCT_SHIFT
            place += _CONFIGURE_WORDS
        place += 1
    raise InputError("the Ethos-U payload holds no command stream", fix="compile the model again")


def _output(settings: dict[int, int], addresses: dict[int, int]) -> Iterator[Write]:
    """The output's tiles: a rolling buffer has several, with a base address each."""
    width, height, depth = (settings.get(code, 0) + 1 for code in (_OFM_WIDTH, _OFM_HEIGHT, _OFM_DEPTH))
    precision = settings.get(_OFM_PRECISION, 0)
    if precision & _REARRANGED:
        raise InputError("an output in the command stream is transposed or reversed", fix="use another Vela release")
    element_bytes, in_bricks = 1 << (precision >> 1 & 3), precision >> 6 & 3 == 1
    width0 = min(width, settings.get(_OFM_WIDTH0, 0) + 1)
    left, right = (min(height, settings.get(code, 0) + 1) for code in (_OFM_HEIGHT0, _OFM_HEIGHT1))
    tiles = ((left, width0), (right, width - width0), (height - left, width0), (height - right, width - width0))
    stride_x, stride_y, stride_c = (addresses.get(code, 0) for code in (_OFM_STRIDE_X, _OFM_STRIDE_Y, _OFM_STRIDE_C))
    for tile, (rows, columns) in enumerate(tiles):
        if rows <= 0 or columns <= 0:
            continue
        if in_bricks:
            extent = (-(-depth // _BRICK) - 1) * stride_c + columns * _BRICK * element_bytes
        else:
            extent = (columns - 1) * stride_x + depth * element_bytes
        start = addresses.get(_OFM_BASE + tile, 0)
        yield Write(settings.get(_OFM_REGION, 0), start, start + (rows - 1) * stride_y + extent)


def _transfer(settings: dict[int, int], addresses: dict[int, int]) -> Iterator[Write]:
    """A copy between memories; one into the NPU's own buffer writes no memory."""
    target = settings.get(_DMA_TO_REGION, 0)
    is_internal, dimensions = target >> 8 & 1, target >> 9 & 3
    if is_internal:
        return
    if dimensions:
        raise InputError("a transfer in the command stream has more than one dimension", fix="use another Vela release")
    start = addresses.get(_DMA_TO, 0)
    yield Write(target & 7, start, start + addresses.get(_DMA_LENGTH, 0))
