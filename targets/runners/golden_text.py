"""Golden faces as C, for programs without files: the faces, and what one variant makes of them."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.runners.golden import Golden, GoldenLayer
from ghostface_edge.targets.runners.thresholds import Threshold, Thresholds

SAMPLES: Final = 32
"""Of a tensor, as `GOLDEN_SAMPLES` of sources/common/golden.h."""
_PRIME: Final = 16_777_619
_PER_LINE: Final = 24


def faces_source(faces: Faces) -> str:
    """`golden_faces.c`: one face after the other, as many as SELFTEST_FACES says."""
    parts = [
        f"#if SELFTEST_FACES > {number}\n    {{\n{_bytes(face)}\n    }},\n#endif" for number, face in enumerate(faces)
    ]
    return "\n".join(
        [
            "/* Rendered faces, which belong to nobody; see golden.h. */",
            '#include "golden.h"',
            "",
            "const uint8_t golden_faces[SELFTEST_FACES][GOLDEN_PIXELS * 3] = {",
            *parts,
            "};",
            "",
        ]
    )


def golden_source(variant: str, model: str, tolerance: float, golden: Golden, files: Iterable[str]) -> str:
    """`golden.c` of a variant.

    Args:
        variant: its id.
        model: its file, seen from the folder of runners.
        tolerance: see `golden.tolerance`.
        golden: what it computes.
        files: of the layers' models, seen from the folder of runners; empty where the network tells of itself.
    """
    layers = [_layer(layer, file) for layer, file in zip(golden.layers, files, strict=True)]
    kind = "GOLDEN_UINT8" if golden.inputs.dtype == np.uint8 else "GOLDEN_FLOAT32_NCHW"
    return "\n".join(
        [
            f"/* What {variant} computes for the golden faces; see golden.h. */",
            '#include "golden.h"',
            "",
            f"static const float embeddings[] = {{\n{_reals(golden.embeddings)}\n}};",
            "",
            "static const GoldenLayer layers[] = {",
            *(layers or ["    {0}, /* none */"]),
            "};",
            "",
            "const Golden golden = {",
            f'    "{variant}",',
            f'    "{_quoted(model)}",',
            f"    {kind},",
            f"    {_real(tolerance)},",
            f"    {golden.embeddings.shape[1]},",
            f"    {_real(golden.output_scale)},",
            "    embeddings,",
            f"    {len(layers)},",
            "    layers,",
            "};",
            "",
        ]
    )


def thresholds_header(thresholds: Thresholds) -> str:
    """`thresholds.h` of a variant."""
    lines = ["/* Cosines from which on two faces are one person's, by what was measured with this model. */"]
    lines += [f"#define {_macro(each)} {_real(each.value)} /* {each.kind} {each.rate} */" for each in thresholds.all]
    if thresholds.chosen is not None:
        chosen = thresholds.chosen
        lines += [
            "/* Runners decide by this one. */",
            f"#define THRESHOLD {_macro(chosen)}",
            f'#define THRESHOLD_RATE "{chosen.kind} {chosen.rate}"',
        ]
    return "\n".join([*lines, ""])


def samples(values: NDArray[Any]) -> NDArray[np.float32]:
    """A few values of a tensor, evenly from the first to the last."""
    flat = values.ravel()
    places = [(flat.size - 1) * place // (SAMPLES - 1) for place in range(SAMPLES)]
    return flat[places].astype(np.float32)


def checksum(values: NDArray[np.int8]) -> int:
    """Of bytes in order: c = 16777619 c + byte, modulo 2^32."""
    powers = np.full(values.size, _PRIME, np.uint32)
    powers[0] = 1
    bytes_ = values.reshape(-1).view(np.uint8).astype(np.uint32)
    return int((bytes_ * np.cumprod(powers, dtype=np.uint32)[::-1]).sum(dtype=np.uint32))


def _macro(threshold: Threshold) -> str:
    digits, exponent = f"{float(threshold.rate):.0e}".split("e-")
    return f"THRESHOLD_{threshold.kind}_{digits}E_{int(exponent)}"


def _layer(layer: GoldenLayer, file: str) -> str:
    sums = () if file else (checksum(face) for face in layer.values)
    return "\n".join(
        [
            f'    {{"{_quoted(layer.name)}",',
            f'     "{_quoted(file)}",',
            f"     {layer.values[0].size},",
            f"     {{{', '.join(_real(value) for value in samples(layer.values[0]))}}},",
            f"     {{{', '.join(f'{one}u' for one in sums) or '0'}}}}},",
        ]
    )


def _bytes(face: NDArray[np.uint8]) -> str:
    return _lines((str(byte) for byte in face.ravel()), _PER_LINE)


def _reals(values: NDArray[np.floating[Any]]) -> str:
    return _lines((_real(value) for value in values.ravel()), 8)


def _real(value: float | np.floating[Any]) -> str:
    """A float32, to the bit."""
    text = str(np.float32(value))
    return f"{text}f" if {".", "e"} & set(text) else f"{text}.0f"


def _quoted(text: str) -> str:
    return "".join(
        letter if letter.isprintable() and letter not in '"\\?' and letter.isascii() else "_" for letter in text
    )


def _lines(numbers: Iterable[str], per_line: int) -> str:
    listed = list(numbers)
    rows = (listed[start : start + per_line] for start in range(0, len(listed), per_line))
    return "\n".join(f"        {', '.join(row)}," for row in rows)
