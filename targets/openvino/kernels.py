"""Kernel preferences in an OpenVINO `.xml`, and less text in it: what its own writer leaves to be done.

A preference is the runtime attribute `primitives_priority` of a layer, which OpenVINO's CPU plugin reads; a machine
without such a kernel takes its own choice. Left to itself the plugin takes oneDNN's "brgconv" kernels, which are slower
for small convolutions with a PReLU behind them (docs/decisions/0011-openvino-speed.md).
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree

FLOAT_KERNELS: Mapping[str, str] = MappingProxyType({"GroupConvolution": "cpu:jit_avx512_dw"})
"""By layer type."""
INTEGER_KERNELS: Mapping[str, str] = MappingProxyType(
    {"Convolution": "cpu:jit_avx512_1x1", "GroupConvolution": "cpu:jit_avx512"}
)


def prefer(xml: Path) -> None:
    """Note the preferred kernels in an `.xml` of our own making, in place."""
    tree = ElementTree.parse(xml)  # noqa: S314 - written by OpenVINO a moment ago
    in_integers = _layers_in_integers(tree)
    for layer in tree.iter("layer"):
        kernels = INTEGER_KERNELS if layer.get("id") in in_integers else FLOAT_KERNELS
        if layer.get("type") in kernels:
            notes = layer.find("rt_info")
            if notes is None:
                notes = ElementTree.Element("rt_info")
                layer.insert(1, notes)  # behind <data>
            value = kernels[str(layer.get("type"))]
            ElementTree.SubElement(notes, "attribute", name="primitives_priority", version="0", value=value)
    _write(tree, xml)


def compact(xml: Path) -> None:
    """Leave out of an `.xml` what is said twice, in place: indentation, sizes of inputs and of constants.

    Beside INT8 weights this text weighs: V1-0.5-2 has 0.77 MB of weights and had 0.59 MB of it.
    """
    tree = ElementTree.parse(xml)  # noqa: S314 - written by OpenVINO a moment ago
    for layer in tree.iter("layer"):
        repeated = layer.findall("input/port")
        if layer.get("type") == "Const":
            repeated += layer.findall("output/port")
        for port in repeated:
            for size in port.findall("dim"):
                port.remove(size)
    for element in tree.iter():
        element.tail = None
        if element.text is not None and not element.text.strip():
            element.text = None
    _write(tree, xml)


def _layers_in_integers(tree: "ElementTree.ElementTree[ElementTree.Element]") -> set[str | None]:
    """Ids of the convolutions whose weights are stored as integers."""
    layers = {layer.get("id"): layer for layer in tree.iter("layer")}
    sources = {(edge.get("to-layer"), edge.get("to-port")): edge.get("from-layer") for edge in tree.iter("edge")}
    found = set()
    for layer in layers:
        weight = sources.get((layer, "1"))
        while weight is not None and layers[weight].get("type") in {"Multiply", "Convert"}:
            weight = sources[weight, "0"]
        data = layers[weight].find("data") if weight is not None else None
        if data is not None and data.get("element_type") == "i8":
            found.add(layer)
    return found


def _write(tree: "ElementTree.ElementTree[ElementTree.Element]", xml: Path) -> None:
    tree.write(xml, encoding="utf-8", xml_declaration=True)
