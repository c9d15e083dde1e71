"""A `.tflite` as C++ source, for firmware without files: a `.cc` with the bytes, a `.h` with how to feed them.

The header needs nothing but the standard library: the function that registers the operators takes any resolver.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ghostface_edge.targets.tflite.inspection import Port, inspect_artifact, read_interface

_BYTES_PER_LINE: Final = 32
_CUSTOM: Final = {"CUSTOM": "EthosU"}
"""How the resolver calls what is no operator of TFLite's own: the only one that models here have."""
_EXACT: Final = {("int8", 1 / 128, 0): "byte - 128", ("uint8", 1 / 128, 128): "the camera's byte as it is"}
_C_TYPES: Final = {"int8": "std::int8_t", "uint8": "std::uint8_t", "float32": "float"}


def identifier_of(name: str) -> str:
    """A C identifier for a file's name."""
    identifier = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
    return identifier if identifier and not identifier[0].isdigit() else f"model_{identifier}"


def write_c_array(
    artifact: Path, folder: Path, name: str, arena_bytes: int, notes: Sequence[str], fast_memory_bytes: int = 0
) -> tuple[Path, Path]:
    """Write `<name>.cc` and `<name>.h`; what they define begins with `identifier_of(name)`.

    Args:
        artifact: a `.tflite` of int8 operators, or one that Vela compiled.
        folder: where to write; must exist.
        name: of the two files, without ending.
        arena_bytes: enough for TensorFlow Lite Micro.
        notes: lines for the header: where the arena's size is from, what becomes of the input's memory.
        fast_memory_bytes: what the driver of an NPU has to be given beside the arena.

    Returns:
        The `.cc` and the `.h`.

    Raises:
        InputError: no TFLite file.
    """
    header, source = folder / f"{name}.h", folder / f"{name}.cc"
    header.write_text(_header(artifact, identifier_of(name), arena_bytes, notes, fast_memory_bytes))
    source.write_text(_source(artifact.read_bytes(), header.name, identifier_of(name)))
    return source, header


def _header(artifact: Path, name: str, arena_bytes: int, notes: Sequence[str], fast_memory_bytes: int) -> str:
    entry, output = read_interface(artifact)
    _, height, width, channels = entry.shape
    guard = f"{name.upper()}_H_"
    return "\n".join(
        [
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            "#include <cstddef>",
            "#include <cstdint>",
            "",
            f"// Input: {entry.dtype}, RGB, row by row, channels last; each value is {_feed(entry)}.",
            f"using {name}_input_t = {_C_TYPES[entry.dtype]};",
            f"constexpr int {name}_input_height = {height};",
            f"constexpr int {name}_input_width = {width};",
            f"constexpr int {name}_input_channels = {channels};",
            *_quantization(f"{name}_input", entry),
            "",
            f"// Output: {output.dtype}{_meaning(output)}. Compare embeddings by their cosine.",
            f"using {name}_output_t = {_C_TYPES[output.dtype]};",
            f"constexpr int {name}_embedding_size = {output.shape[-1]};",
            *_quantization(f"{name}_output", output),
            "",
            "// Tensor arena that is enough for TensorFlow Lite Micro; align it to 16 bytes.",
            f"constexpr std::size_t {name}_arena_bytes = {arena_bytes};",
            *_fast_memory(name, fast_memory_bytes),
            *(f"// {note}" for note in notes),
            "",
            *_registration(name, inspect_artifact(artifact).operators),
            "",
            f"extern const std::size_t {name}_length;",
            f"extern const unsigned char {name}[];",
            "",
            "#endif",
            "",
        ]
    )


def _feed(entry: Port) -> str:
    if entry.scale is None or entry.zero_point is None:
        return "(byte - 127.5) / 128"
    exact = _EXACT.get((entry.dtype, entry.scale, entry.zero_point))
    return exact or f"round((byte - 127.5) / 128 / {entry.scale!r}) + {entry.zero_point}"


def _meaning(output: Port) -> str:
    return "" if output.scale is None else "; embedding = scale * (value - zero_point)"


def _quantization(prefix: str, port: Port) -> list[str]:
    if port.scale is None:
        return []
    return [
        f"constexpr float {prefix}_scale = {port.scale!r}f;",
        f"constexpr int {prefix}_zero_point = {port.zero_point};",
    ]


def _fast_memory(name: str, fast_memory_bytes: int) -> list[str]:
    if not fast_memory_bytes:
        return []
    return [
        "// SRAM for the NPU alone, to be given to ethosu_init().",
        f"constexpr std::size_t {name}_fast_memory_bytes = {fast_memory_bytes};",
    ]


def _registration(name: str, operators: dict[str, int]) -> list[str]:
    """A function over `tflite::MicroMutableOpResolver`, whose methods are named after the operators."""
    calls = [
        _CUSTOM.get(kind) or "".join(part.capitalize() for part in kind.split("_")).replace("2d", "2D")
        for kind in operators
    ]
    return [
        f"// Registers every operator with a tflite::MicroMutableOpResolver<{name}_operator_kinds>.",
        f"constexpr int {name}_operator_kinds = {len(operators)};",
        "template <typename Resolver>",
        f"bool {name}_register_operators(Resolver& resolver) {{",
        "  return " + " &&\n         ".join(f"resolver.Add{call}() == 0" for call in calls) + ";",
        "}",
    ]


def _source(content: bytes, header: str, name: str) -> str:
    rows = [
        ",".join(map(str, content[start : start + _BYTES_PER_LINE])) + ","
        for start in range(0, len(content), _BYTES_PER_LINE)
    ]
    return "\n".join(
        [
            f'#include "{header}"',
            "",
            f"const std::size_t {name}_length = {len(content)};",
            f"alignas(16) const unsigned char {name}[] = {{",
            *rows,
            "};",
            "",
        ]
    )
