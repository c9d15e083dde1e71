"""Where every tensor lies in the arena: by lifetime, the parts of a concatenation side by side from the start.

In: a program. Out: offsets in bytes. Tensors that are not needed at the same time share memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ghostface_edge.targets.c.layers import Concatenation, Convolution, Depthwise, Layer, Program, Tensor, sources_of

ALIGNMENT: Final = 16
READ_AHEAD: Final = 64
"""Bytes behind a tensor that a kernel may read, and does not use."""
PATCHES: Final = 8
"""Output pixels whose windows are gathered before they are multiplied."""


@dataclass(frozen=True, slots=True)
class View:
    """A tensor in memory."""

    offset: int
    stride: int
    """Bytes from pixel to pixel."""


@dataclass(frozen=True, slots=True)
class Arena:
    """Memory of one inference."""

    views: Mapping[str, View]
    """By tensor; the faces, which the caller keeps, are not among them."""
    scratch: Mapping[int, int]
    """Offset of a layer's working memory, by its number."""
    size_bytes: int


@dataclass(slots=True)
class _Block:
    """A tensor with its parts, or a layer's working memory."""

    size: int
    first: int
    last: int
    offset: int = 0
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By tensor: offset within, and stride."""


def plan(program: Program) -> Arena:
    """Lay out the memory: the largest blocks first, each as low as its lifetime lets it."""
    wholes = _in_place(program)
    blocks: dict[str, _Block] = {}
    for number, layer in enumerate(program.layers):
        whole, stride = _whole(layer.out.name, wholes), layer.out.channels
        if whole == layer.out.name:
            block = blocks.setdefault(whole, _Block(0, number, number))
            block.size, block.parts[whole] = layer.out.pixels * stride, (0, stride)
        else:
            blocks.setdefault(whole, _Block(0, number, number))
        for source in sources_of(layer):
            if source.name != program.faces.name:
                blocks[_whole(source.name, wholes)].last = number
    if program.layers:
        blocks[_whole(program.embedding.name, wholes)].last = len(program.layers)
    for name in wholes:
        whole, at = name, 0
        while whole in wholes:
            whole, place = wholes[whole]
            at += place
        blocks[whole].parts[name] = (at, blocks[whole].parts[whole][1])
    working = {
        number: _Block(size, number, number)
        for number, layer in enumerate(program.layers)
        if (size := working_bytes(layer))
    }
    end = _place([*blocks.values(), *working.values()])
    views = {
        name: View(block.offset + at, stride) for block in blocks.values() for name, (at, stride) in block.parts.items()
    }
    return Arena(views, {number: block.offset for number, block in working.items()}, _aligned(end + READ_AHEAD))


def working_bytes(layer: Layer) -> int:
    """Memory that a layer wants beside its tensors: gathered windows, or a row of the value outside of the image."""
    if isinstance(layer, Convolution) and not layer.window.is_point:
        return PATCHES * patch_bytes(layer)
    if isinstance(layer, Depthwise):
        return layer.source.channels + READ_AHEAD
    return 0


def patch_bytes(layer: Convolution) -> int:
    """Of one gathered window, with room to read ahead in whole words."""
    return _aligned(layer.weights.shape[1])


def is_in_place(layer: Concatenation, part: Tensor, views: Mapping[str, View]) -> bool:
    """Whether a part was written where the whole wants it."""
    at = sum(each.channels for each in layer.sources[: layer.sources.index(part)])
    whole = views[layer.out.name]
    return views.get(part.name) == View(whole.offset + at, whole.stride)


def _in_place(program: Program) -> dict[str, tuple[str, int]]:
    """Tensors that are computed as part of another: by name, which and from which channel on."""
    wholes: dict[str, tuple[str, int]] = {}
    computed = {layer.out.name for layer in program.layers}
    for layer in program.layers:
        if isinstance(layer, Concatenation):
            at = 0
            for part in layer.sources:
                if part.name in computed and part.name not in wholes and layer.sources.count(part) == 1:
                    wholes[part.name] = (layer.out.name, at)
                at += part.channels
    return wholes


def _whole(name: str, wholes: Mapping[str, tuple[str, int]]) -> str:
    while name in wholes:
        name, _ = wholes[name]
    return name


def _place(blocks: Iterable[_Block]) -> int:
    """Give every block an offset; returns the end of the last."""
    placed: list[_Block] = []
    for block in sorted(blocks, key=lambda each: -each.size):
        at = 0
        rivals = (each for each in placed if each.first <= block.last and block.first <= each.last)
        for rival in sorted(rivals, key=lambda each: each.offset):
            if rival.offset - at >= block.size:
                break
            at = max(at, _aligned(rival.offset + rival.size))
        block.offset = at
        placed.append(block)
    return max((block.offset + block.size for block in placed), default=0)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
