"""Who is both calibrated on and judged on."""

import hashlib
import unicodedata
from dataclasses import dataclass

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.verification import VerificationSet


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a calibration set shares with a verification set."""

    names_known: bool
    """Whether the pairs say who is in them; otherwise only file contents were compared."""
    by_name: tuple[str, ...]
    """Calibration identities whose name is in the pairs."""
    by_content: tuple[str, ...]
    """Calibration files, byte for byte in the pairs."""
    identities: tuple[str, ...]
    """Calibration identities of either kind: the contract's `identities_shared_with_pairs` is their number."""


def find_overlap(calibration: CalibrationSet, pairs: VerificationSet) -> Overlap:
    """Compare names and file contents."""
    people = {name_key(name) for name in pairs.people}
    contents = {hashlib.sha256(image).hexdigest() for image in pairs.images}
    by_name = {identity for identity in calibration.people if name_key(identity) in people}
    copies = [file for file in calibration.files if file.sha256 in contents]
    return Overlap(
        names_known=pairs.identities is not None,
        by_name=tuple(sorted(by_name)),
        by_content=tuple(file.name for file in copies),
        identities=tuple(sorted(by_name | {file.identity for file in copies})),
    )


def name_key(name: str) -> str:
    """One spelling for `José Müller`, `jose_muller` and `JOSE MULLER`: names travel through many file systems."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalnum())
