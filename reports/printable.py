"""Text of others on its way out: to a terminal, a log, a page, a comment.

A name may hold line breaks that forge a line, escape sequences that drive a terminal, marks that turn the direction of
reading, characters nobody sees, or halves of surrogate pairs, which no stream takes. None of them reaches a reader.
"""


def printable(text: object) -> str:
    r"""Write out what is not to be seen as it is: a line break as `\n`, a right-to-left override as `\u202e`."""
    line = str(text)
    return line if line.isprintable() else "".join(map(_seen, line))


def shortened(text: str, longest: int = 40) -> str:
    """Keep so much of a foreign text as a message needs."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def _seen(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
