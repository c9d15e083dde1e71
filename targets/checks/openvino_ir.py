"""OpenVINO's `.xml` with its `.bin`, judged before OpenVINO sees them.

In: two files that anybody made. Out: nothing, or why they are refused. The text is read by expat, which OpenVINO's own
reader is not: a document type, with its entities, is refused. Then OpenVINO reads the model, which computes no tensor,
and says how large its tensors would be.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file, read_bytes

_FIX: Final = "give an .xml with its .bin, as OpenVINO writes them for a face network"
MAX_TEXT_BYTES: Final = 32 * 2**20
"""The text of GhostFaceNetV2 takes 1 MB."""
MAX_WEIGHT_BYTES: Final = 512 * 2**20
_MAX_ELEMENTS_OF_TEXT: Final = 500_000
_MAX_DEPTH: Final = 32
_MAX_LAYERS: Final = 20_000
_BATCH: Final = 32
_MAX_NUMBERS: Final = 2**27
"""Of one tensor in a batch: 0.5 GB of float32."""
_MAX_NUMBERS_TOGETHER: Final = 2**31
_OPSET: Final = re.compile(r"opset\d{1,2}")
_REFUSED: Final = {"If", "Loop", "TensorIterator", "Assign", "ReadValue", "RandomUniform", "Multinomial", "NonZero"}
"""Control flow, state and chance, which no face network has."""
_BITS: Final = {
    "f64": 64, "f32": 32, "f16": 16, "bf16": 16, "i64": 64, "i32": 32, "i16": 16, "i8": 8, "i4": 4, "u64": 64,
    "u32": 32, "u16": 16, "u8": 8, "u4": 4, "u1": 1, "boolean": 8,
}  # fmt: skip


@dataclass(slots=True)
class _Text:
    """What is picked up while the text is read."""

    layers: dict[str, str] = field(default_factory=dict)
    """Types by id."""
    constants: dict[str, dict[str, str]] = field(default_factory=dict)
    """Where a constant lies, by its layer's id."""
    edges: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0
    elements: int = 0
    layer: str = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth, self.elements = self.depth + 1, self.elements + 1
        if self.depth > _MAX_DEPTH or self.elements > _MAX_ELEMENTS_OF_TEXT:
            raise ValueError(f"more than {_MAX_ELEMENTS_OF_TEXT:,} elements, or nested more than {_MAX_DEPTH} deep")
        if name == "layer":
            self._layer(attributes)
        elif name == "data" and self.layers.get(self.layer) == "Const":
            self.constants[self.layer] = attributes
        elif name == "edge":
            self.edges.append((attributes["from-layer"], attributes["to-layer"]))

    def end(self, _: str) -> None:
        self.depth -= 1

    def _layer(self, attributes: dict[str, str]) -> None:
        self.layer, kind = attributes["id"], attributes["type"]
        if self.layer in self.layers or len(self.layers) >= _MAX_LAYERS:
            raise ValueError(f"layer {self.layer[:20]} stands twice, or there are more than {_MAX_LAYERS:,}")
        if kind in _REFUSED or not _OPSET.fullmatch(attributes["version"]):
            raise ValueError(
                f"layer {self.layer[:20]} is a {kind[:40]} of {attributes['version'][:40]}, which is not known"
            )
        self.layers[self.layer] = kind


def check(path: Path) -> None:
    """Refuse a model that is damaged, does what no face network does, or computes tensors beyond all measure.

    Raises:
        InputError: what is wrong with it.
    """
    text = read_bytes(path, fix=_FIX, at_most=MAX_TEXT_BYTES)
    with open_file(path.with_suffix(".bin"), fix=_FIX, at_most=MAX_WEIGHT_BYTES) as weights:
        size = weights.seek(0, 2)
    try:
        read = _read(text)
        for layer, place in read.constants.items():
            _check_constant(layer, place, size)
        _check_order(read)
    except (ValueError, KeyError, expat.ExpatError) as error:
        raise InputError(f"{path}: not a readable OpenVINO model ({error})", fix=_FIX) from None
    _check_sizes(path)


def _read(text: bytes) -> _Text:
    read, parser = _Text(), expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise ValueError("it has a document type, which such a file never has")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = read.start
    parser.EndElementHandler = read.end
    parser.Parse(text, True)
    if list(read.layers.values()).count("Parameter") != 1:
        raise ValueError("it takes something else than one image")
    return read


def _check_constant(layer: str, place: dict[str, str], size: int) -> None:
    shape = [int(part) for part in place["shape"].split(",") if part.strip()]
    offset, length = int(place["offset"]), int(place["size"])
    bits = _BITS.get(place["element_type"])
    if bits is None or min((*shape, offset, length)) < 0 or (math.prod(shape) * bits + 7) // 8 != length:
        raise ValueError(f"the constant {layer} of shape {place['shape'][:40]} takes {length:,} bytes")
    if offset + length > size:
        raise ValueError(f"the constant {layer} ends at byte {offset + length:,}, the .bin at {size:,}")


def _check_order(read: _Text) -> None:
    """Nothing goes round in a circle."""
    readers: dict[str, list[str]] = {layer: [] for layer in read.layers}
    open_inputs = dict.fromkeys(read.layers, 0)
    for source, target in read.edges:
        readers[source].append(target)
        open_inputs[target] += 1
    ready, done = [layer for layer, count in open_inputs.items() if not count], 0
    while ready:
        done += 1
        for reader in readers[ready.pop()]:
            open_inputs[reader] -= 1
            if not open_inputs[reader]:
                ready.append(reader)
    if done < len(read.layers):
        raise ValueError("its layers go round in a circle")


def _check_sizes(path: Path) -> None:
    import openvino

    try:
        model = openvino.Core().read_model(path)
        shape = model.input().partial_shape
        if shape[0].is_dynamic:
            shape[0] = _BATCH
            model.reshape(shape)
        sizes = {
            operation.get_friendly_name(): [_count(output) for output in operation.outputs()]
            for operation in model.get_ordered_ops()
        }
    except Exception as error:  # OpenVINO raises whatever the text provokes
        line = (str(error).splitlines() or [type(error).__name__])[-1][:200]
        raise InputError(f"{path}: not a readable OpenVINO model ({line})", fix=_FIX) from error
    together = 0
    for name, counts in sizes.items():
        together += sum(counts)
        if max(counts, default=0) > _MAX_NUMBERS or together > _MAX_NUMBERS_TOGETHER:
            raise InputError(f"{path}: '{name}' computes {max(counts):,} numbers", fix=_FIX)


def _count(output: Any) -> int:
    """Numbers that an output has at most; -1 in OpenVINO is any number."""
    shape = output.get_partial_shape()
    if shape.rank.is_dynamic:
        raise ValueError("a tensor has any number of axes")
    lengths = [dim.get_max_length() for dim in shape]
    if any(length < 0 for length in lengths):
        raise ValueError("a tensor's size cannot be told from the model")
    return math.prod(lengths)
