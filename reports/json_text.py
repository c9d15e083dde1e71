"""JSON of others: one meaning or none.

In: text or bytes that should be JSON. Out: plain values. Refused are what readers disagree about (a key twice, half a
surrogate pair, other encodings than UTF-8) and what only an attack needs: numbers of thousands of digits, nesting
without end. NaN and infinities are left to whoever knows the field, and can name it.
"""

import json
import re
from typing import Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.printable import shortened

_MOST: Final = {"objects": ("{", 100_000), "lists": ("[", 200_000), "values": (",", 500_000)}
"""By the sign that each begins with: an object of two bytes takes thousands while it is read and checked. The report of
a run on LFW, all changed decisions of a broken variant included, holds a third of that."""
_MOST_KEYS: Final = 200
"""Of one object."""
_LONGEST: Final = 40
"""Characters of a number."""
_BIGGEST: Final = 2**63
_HALF: Final = re.compile("[\ud800-\udfff]")
_MAYBE_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""Whole pairs are written like this, too."""


def parse_json(text: str | bytes, source: str, *, fix: str) -> object:
    """Read JSON.

    Args:
        text: bytes are UTF-8, with or without a byte order mark.
        source: names it in errors.
        fix: what the user should do where it cannot be used.

    Raises:
        InputError: it is no JSON, or has no single meaning.
    """
    decoded = decode_json(text, source, fix=fix)
    for kind, (sign, most) in _MOST.items():
        if decoded.count(sign) > most:
            raise InputError(f"{source} holds more than {most:,} {kind}", fix=fix)
    try:
        content = json.loads(decoded, object_pairs_hook=_object, parse_int=_whole)
        if _MAYBE_HALF.search(decoded):
            json.dumps(content, ensure_ascii=False).encode()
    except RecursionError:
        raise InputError(f"{source} is no JSON: lists and objects within each other without end", fix=fix) from None
    except UnicodeEncodeError:
        raise InputError(f"{source} is no JSON: half of a surrogate pair stands alone in a text", fix=fix) from None
    except ValueError as error:
        raise InputError(f"{source} is no JSON: {error}", fix=fix) from None
    return content


def decode_json(text: str | bytes, source: str, *, fix: str) -> str:
    """Take off the encoding and the byte order mark.

    Raises:
        InputError: not UTF-8.
    """
    try:
        return text.decode("utf-8-sig") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is no JSON: {error}", fix=fix) from None


def to_json(content: object) -> str:
    """Write indented JSON that any reader accepts: no NaN, and no half of a surrogate pair."""
    text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
    return _HALF.sub(lambda half: f"\\\\u{ord(half[0]):04x}", text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(pairs) > _MOST_KEYS:
        raise ValueError(f"an object of {len(pairs):,} keys")
    content: dict[str, object] = {}
    for name, value in pairs:
        if name in content:
            raise ValueError(f"the key {shortened(name)!r} stands twice in one object")
        content[name] = value
    return content


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST or abs(int(digits)) >= _BIGGEST:
        raise ValueError(f"the number {shortened(digits)} is too large")
    return int(digits)
