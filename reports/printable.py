"""Text of others on its way out: to a terminal, a log, a page, a comment.

A name may hold line breaks that forge a line, escape sequences that drive a terminal, marks that turn the direction of
reading, characters nobody sees, halves of surrogate pairs, which no stream takes, or what a CI takes for a command.
None of them reaches a reader.
"""

import re
from typing import Final

_HALF: Final = re.compile("[\ud800-\udfff]")
_COMMANDS: Final = re.compile(r"^\s*:(?=:)|#(?=#)")
"""What begins a command of GitHub's runner (`::` first in a line, `##[` anywhere), of Azure's or of TeamCity's."""


def printable(text: object) -> str:
    r"""Write out what is not to be seen as it is: a line break as `\n`, a right-to-left override as `\u202e`."""
    line = _COMMANDS.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", str(text))
    return line if line.isprintable() else "".join(map(_seen, line))


def unbroken(text: object) -> object:
    """Write out the halves of surrogate pairs, by which Python names files that are no UTF-8; the rest stays."""
    if not isinstance(text, str) or text.isascii():
        return text
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def shortened(text: str, longest: int = 40) -> str:
    """Keep so much of a foreign text as a message needs."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def _seen(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
