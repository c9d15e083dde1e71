"""ncnn's files: `.param`, a text of layers, and `.bin`, their weights one after the other.

A blob that several layers read goes through a Split in the file; here it simply has several readers. Only layers that
`lowering` writes are known. Source: ncnn's developer guide, "param and model file structure" and "operators".
"""

import math
import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_bytes
from ghostface_edge.targets.computed import Step, needed

Setting: TypeAlias = int | float | tuple[int | float, ...]

_MAGIC: Final = "7767517"
_LIST: Final = -23300
"""Before an array's number."""
_HALF: Final = 0x01306B47
_INT8: Final = 0x000D4B38
_FLOAT: Final = 0
"""Marks of stored weights."""
_WIDTHS: Final = {_HALF: 2, _INT8: 1, _FLOAT: 4}
_CONVOLUTIONS: Final = ("Convolution", "ConvolutionDepthWise")
_MAX_PARAM_BYTES: Final = 4 * 2**20
_MAX_BIN_BYTES: Final = 512 * 2**20
_MAX_ELEMENTS: Final = 1 << 26
"""Of a blob."""
_FIX: Final = "give a .param that this tool wrote, with its .bin"
_GEOMETRY: Final = frozenset({0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16})
_SETTINGS: Final = MappingProxyType(
    {
        "BinaryOp": frozenset({0, 1, 2}),
        "Clip": frozenset({0, 1}),
        "Concat": frozenset({0}),
        "Convolution": _GEOMETRY,
        "ConvolutionDepthWise": _GEOMETRY | {7},
        "Flatten": frozenset[int](),
        "HardSigmoid": frozenset({0, 1}),
        "Input": frozenset({0, 1, 2}),
        "Interp": frozenset({0, 3, 4}),
        "MemoryData": frozenset({0, 1, 2}),
        "PReLU": frozenset({0}),
        "Pooling": frozenset({0, 1, 2, 4, 5, 11, 12}),
        "ReLU": frozenset[int](),
        "Reshape": frozenset({0, 1, 2}),
        "Sigmoid": frozenset[int](),
    }
)
"""What each kind of layer may be told, by ncnn's numbers; see its operators' page."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A line of `.param`, and its part of `.bin`."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    settings: Mapping[int, Setting]
    weights: bytes = b""

    @property
    def step(self) -> Step:
        """What it reads and writes."""
        return Step(self.kind, self.inputs, (self.output,))

    def number(self, key: int, default: int = 0) -> int:
        """A whole setting."""
        value = self.settings.get(key, default)
        if isinstance(value, tuple):
            raise TypeError(f"{self.output[:40]!r} has a list as its setting {key}")
        return int(value)


@dataclass(frozen=True, slots=True)
class NcnnModel:
    """Layers in the order that they run; the first is the input, the last gives the embeddings."""

    layers: tuple[Layer, ...]

    def write(self, artifact: Path) -> None:
        """Write `.param`, and `.bin` beside it."""
        artifact.write_text(self._text())
        artifact.with_suffix(".bin").write_bytes(b"".join(layer.weights for layer in self.layers))

    def cut(self, tensor: str) -> "NcnnModel":
        """What one of the blobs needs; it comes last."""
        kept = needed(tensor, [layer.step for layer in self.layers])
        return NcnnModel(tuple(self.layers[place] for place in kept))

    def shapes(self) -> dict[str, tuple[int, int, int]]:
        """(C, H, W) of every blob, by name; what is flat is (E, 1, 1)."""
        found: dict[str, tuple[int, int, int]] = {}
        for layer in self.layers:
            shape = _shape(layer, [found[name] for name in layer.inputs])
            if min(shape) < 1 or math.prod(shape) > _MAX_ELEMENTS:
                raise ValueError(f"{layer.output[:40]!r} is {shape}")
            found[layer.output] = shape
        return found

    def macs(self) -> dict[str, int]:
        """Multiply-accumulates of one face, by the precision of the weights."""
        shapes, macs = self.shapes(), Counter[str]()
        names = {_HALF: "fp16", _INT8: "int8", _FLOAT: "fp32"}
        for layer in self.layers:
            if layer.kind in _CONVOLUTIONS:
                (mark,) = struct.unpack_from("<I", layer.weights)
                macs[names[mark]] += layer.number(6) * math.prod(shapes[layer.output][1:])
        return dict(macs)

    def _text(self) -> str:
        readers = Counter(name for layer in self.layers for name in layer.inputs)
        taken: Counter[str] = Counter()
        lines, blobs = [], 0
        for layer in self.layers:
            inputs = []
            for name in layer.inputs:
                inputs.append(f"{name}~{taken[name]}" if readers[name] > 1 else name)
                taken[name] += 1
            lines.append(_line(layer.kind, layer.output, inputs, [layer.output], layer.settings))
            blobs += 1
            if (count := readers[layer.output]) > 1:
                parts = [f"{layer.output}~{number}" for number in range(count)]
                lines.append(_line("Split", f"{layer.output}~", [layer.output], parts, {}))
                blobs += count
        return "\n".join([_MAGIC, f"{len(lines)} {blobs}", *lines, ""])


def stored(values: NDArray[np.generic]) -> bytes:
    """Weights with their mark: float32, float16 or int8, filled up to whole words."""
    mark = {np.dtype(np.float16): _HALF, np.dtype(np.int8): _INT8, np.dtype(np.float32): _FLOAT}[values.dtype]
    data = np.ascontiguousarray(values).tobytes()
    return struct.pack("<I", mark) + data + bytes(-len(data) % 4)


def floats(values: NDArray[np.generic] | Sequence[float]) -> bytes:
    """Weights that have no mark."""
    return np.ascontiguousarray(values, "<f4").tobytes()


def read_model(artifact: Path) -> NcnnModel:
    """Read `.param` and `.bin`.

    Raises:
        InputError: no such model, layers that this project does not write, or sizes that contradict each other or are
            beyond a face network's.
    """
    text = read_bytes(artifact, fix=_FIX, at_most=_MAX_PARAM_BYTES)
    try:
        layers = tuple(_layers(text.decode("ascii").split("\n")))
        most = sum(_weights_size(layer, _FLOAT) for layer in layers)  # read no more than could be anybody's
        data = read_bytes(artifact.with_suffix(".bin"), fix=_FIX, at_most=min(max(most, 0), _MAX_BIN_BYTES))
        model = NcnnModel(tuple(_with_weights(layers, data)))
        model.shapes()
    except (ArithmeticError, LookupError, TypeError, ValueError, struct.error) as problem:
        raise InputError(f"{artifact}: not a readable ncnn model ({problem})", fix=_FIX) from problem
    return model


def _line(kind: str, name: str, inputs: Sequence[str], outputs: Sequence[str], settings: Mapping[int, Setting]) -> str:
    told = [
        f"{_LIST - key}={len(value)},{','.join(map(_told, value))}"
        if isinstance(value, tuple)
        else f"{key}={_told(value)}"
        for key, value in settings.items()
    ]
    return " ".join([kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs, *told])


def _told(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9e}"


def _layers(lines: Sequence[str]) -> Iterator[Layer]:
    """The lines, with the names of blobs as they were before Splits."""
    if lines[0] != _MAGIC:
        raise ValueError("it does not begin with 7767517")
    whole: dict[str, str] = {}
    count, _ = map(int, lines[1].split())
    body = [line.split() for line in lines[2:] if line]
    if len(body) != count:
        raise ValueError(f"{len(body)} layers, {count} are announced")
    for kind, _, read, written, *rest in body:
        inputs = tuple(whole[name] for name in rest[: int(read)])
        outputs = rest[int(read) : int(read) + int(written)]
        if kind == "Split":
            whole |= dict.fromkeys(outputs, inputs[0])
            continue
        (output,) = outputs
        settings = dict(map(_setting, rest[int(read) + int(written) :]))
        if kind not in _SETTINGS or not settings.keys() <= _SETTINGS[kind]:
            raise ValueError(f"a layer of kind {kind[:40]!r} with {sorted(settings)[:20]}")
        if output in whole or (kind == "Input") == bool(whole):
            raise ValueError(f"{output[:40]!r} is written twice, or is another input")
        whole[output] = output
        yield Layer(kind, inputs, output, settings)


def _setting(text: str) -> tuple[int, Setting]:
    key, value = text.split("=")
    if int(key) <= _LIST:
        return _LIST - int(key), tuple(map(_number, value.split(",")[1:]))
    return int(key), _number(value)


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else float(text)


def _with_weights(layers: Sequence[Layer], data: bytes) -> Iterator[Layer]:
    at = 0
    for layer in layers:
        size = _weights_size(layer, _mark_of(layer, data, at))
        if not 0 <= size <= len(data) - at:
            raise ValueError(f"the weights of {layer.output[:40]!r} are not there")
        yield replace(layer, weights=data[at : at + size])
        at += size
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes of weights are nobody's")


def _mark_of(layer: Layer, data: bytes, at: int) -> int:
    if layer.kind not in _CONVOLUTIONS:
        return _FLOAT
    (mark,) = struct.unpack_from("<I", data, at)
    if mark not in _WIDTHS:
        raise ValueError(f"the weights of {layer.output[:40]!r} begin with {mark:#x}")
    return int(mark)


def _weights_size(layer: Layer, mark: int) -> int:
    """Bytes of a layer's part of `.bin`; with floats it is largest."""
    if layer.kind == "PReLU":
        return 4 * layer.number(0)
    if layer.kind == "MemoryData":
        return 4 * math.prod(layer.number(key) for key in (0, 1, 2))
    if layer.kind not in _CONVOLUTIONS:
        return 0
    size = layer.number(6) * _WIDTHS[mark]
    scales = layer.number(7 if layer.kind == "ConvolutionDepthWise" else 0) + 1 if layer.number(8) else 0
    return 4 + size + -size % 4 + 4 * (layer.number(0) * layer.number(5) + scales)


def _shape(layer: Layer, sources: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    if layer.kind in {"Input", "MemoryData"}:
        return (layer.number(2), layer.number(1), layer.number(0))
    channels, height, width = sources[0]
    if not all(_fits(layer, sources[0], other) for other in sources[1:]):
        raise ValueError(f"{layer.output[:40]!r} joins {sources[:4]}")
    if layer.kind == "PReLU" and layer.number(0) not in (1, channels):
        raise ValueError(f"{layer.output[:40]!r} has {layer.number(0)} slopes")
    if layer.kind in _CONVOLUTIONS:
        taps = layer.number(11) * layer.number(1) * channels
        groups = layer.number(7, 1)
        if channels % groups or layer.number(0) % groups or layer.number(6) * groups != layer.number(0) * taps:
            raise ValueError(f"{layer.output[:40]!r} has {layer.number(6)} weights in {groups} groups")
        height += layer.number(14) + layer.number(16) - layer.number(11)
        width += layer.number(4) + layer.number(15) - layer.number(1)
        return (layer.number(0), height // layer.number(13) + 1, width // layer.number(3) + 1)
    shapes = {
        "Concat": (sum(source[0] for source in sources), height, width),
        "Flatten": (channels * height * width, 1, 1),
        "Interp": (channels, layer.number(3), layer.number(4)),
        "Pooling": (channels, 1, 1),
    }
    if layer.kind == "Pooling" and not layer.number(4):
        rows, columns = height - layer.number(11), width - layer.number(1)
        return (channels, rows // layer.number(12) + 1, columns // layer.number(2) + 1)
    return shapes.get(layer.kind) or max(sources, key=math.prod)


def _fits(layer: Layer, first: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    """Whether a layer may join two blobs: maps of one size, or a map and a number for each of its channels."""
    if layer.kind == "Concat":
        return first[1:] == other[1:]
    return first == other or (first[0] == other[0] and (1, 1) in (first[1:], other[1:]))
