"""Values as C writes them."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.c.layers import Multiplier

_LINE: Final = 118


def array(kind: str, name: str, values: NDArray[Any]) -> str:
    """The definition of a constant array."""
    return f"static const {kind} {name}[{values.size}] = {{\n{_lines(str(int(value)) for value in values.flat)}\n}};"


def reals(name: str, values: NDArray[Any]) -> str:
    """The definition of a constant array of float32."""
    return f"static const float {name}[{values.size}] = {{\n{_lines(real(value) for value in values.flat)}\n}};"


def declaration(kind: str, name: str, values: NDArray[Any]) -> str:
    """What makes an array known that is defined further down."""
    return f"static const {kind} {name}[{values.size}];"


def factor(multiplier: Multiplier) -> str:
    """A `factor_t`."""
    return f"{{{multiplier.significand}, {multiplier.shift}}}"


def real(value: float) -> str:
    """A float32, to the bit."""
    text = str(np.float32(value))
    return f"{text}f" if {".", "e"} & set(text) else f"{text}.0f"


def quoted(text: str) -> str:
    """A name inside a string or a comment: letters, digits and a few signs, all else as `_`."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-/ ") else "_" for letter in text)


def identifier(text: str) -> str:
    """A name as part of a function's."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text).lower()


def _lines(numbers: Iterable[str]) -> str:
    """Numbers in lines of a readable length."""
    lines, line = [], "   "
    for number in numbers:
        if len(line) + len(number) + 2 > _LINE:
            lines.append(line)
            line = "   "
        line += f" {number},"
    return "\n".join([*lines, line])
