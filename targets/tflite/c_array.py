"""A `.tflite` as C++ source, for firmware without files: a `.cc` with the bytes, a `.h` with how to feed them."""

import re
from pathlib import Path
from typing import Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.tflite.inspection import read_interface

_BYTES_PER_LINE: Final = 16
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def write_c_array(artifact: Path, folder: Path, name: str, arena_bytes: int | None = None) -> tuple[Path, Path]:
    """Write `<name>.cc` and `<name>.h`.

    Args:
        artifact: a full-integer `.tflite`.
        folder: where to write; must exist.
        name: C identifier of the array, and the files' name.
        arena_bytes: measured tensor arena, stated in the header if given.

    Returns:
        The `.cc` and the `.h`.

    Raises:
        InputError: no full-integer model, or a name that C does not allow.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise InputError(f"'{name}' is no C identifier", fix="use letters, digits and underscores")
    header, source = folder / f"{name}.h", folder / f"{name}.cc"
    header_text, source_text = _header(artifact, name, arena_bytes), _source(artifact.read_bytes(), name)
    header.write_text(header_text)
    source.write_text(source_text)
    return source, header


def _header(artifact: Path, name: str, arena_bytes: int | None) -> str:
    entry, output = read_interface(artifact)
    if entry.scale is None or output.scale is None:
        raise InputError(
            f"{artifact} takes {entry.dtype} and gives {output.dtype}, firmware needs integers",
            fix="lower the carrier with an int8 or uint8 input",
        )
    _, height, width, channels = entry.shape
    feed = "the camera's byte" if entry.dtype == "uint8" else "byte - 128"
    if (entry.scale, entry.zero_point) not in ((1 / 128, 0), (1 / 128, 128)):
        feed = "round((byte - 127.5) / 128 / input scale) + input zero point"
    guard = f"{name.upper()}_H_"
    lines = [
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        "#include <cstddef>",
        "#include <cstdint>",
        "",
        f"// Input: {entry.dtype}, RGB, row by row, channels last; each value is {feed}.",
        f"// Output: {output.dtype}; embedding = scale * (value - zero_point). Compare embeddings by their cosine.",
        f"constexpr int {name}_input_height = {height};",
        f"constexpr int {name}_input_width = {width};",
        f"constexpr int {name}_input_channels = {channels};",
        f"constexpr float {name}_input_scale = {entry.scale!r}f;",
        f"constexpr int {name}_input_zero_point = {entry.zero_point};",
        f"constexpr int {name}_embedding_size = {output.shape[-1]};",
        f"constexpr float {name}_output_scale = {output.scale!r}f;",
        f"constexpr int {name}_output_zero_point = {output.zero_point};",
    ]
    if arena_bytes is not None:
        lines += [
            "// Tensor arena that was enough on a 64-bit host with the reference kernels.",
            f"constexpr std::size_t {name}_arena_bytes = {arena_bytes};",
        ]
    lines += ["", f"extern const std::size_t {name}_length;", f"extern const unsigned char {name}[];", "", "#endif", ""]
    return "\n".join(lines)


def _source(content: bytes, name: str) -> str:
    rows = [
        "    " + "".join(f"{byte:#04x}," for byte in content[start : start + _BYTES_PER_LINE])
        for start in range(0, len(content), _BYTES_PER_LINE)
    ]
    return "\n".join(
        [
            f'#include "{name}.h"',
            "",
            f"const std::size_t {name}_length = {len(content)};",
            f"alignas(16) const unsigned char {name}[] = {{",
            *rows,
            "};",
            "",
        ]
    )
