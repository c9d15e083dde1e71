"""Names of people, as many file systems spell them."""

import unicodedata


def name_key(name: str) -> str:
    """One spelling for `José Müller`, `jose_muller` and `JOSE MULLER`: names travel through many file systems."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalnum())
