"""Bad inputs, collected: one error for all of them, or a counted skip."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ghostface_edge.reports.errors import InputError

_SHOWN = 5


class OnBadImage(StrEnum):
    """What to do about images that cannot be used."""

    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Offence:
    """One thing that cannot be used: where it stands and what is wrong with it."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


def refuse(offences: Sequence[Offence], total: int, things: str, *, fix: str) -> InputError:
    """One error that counts the offences and lists the first of them.

    Args:
        offences: at least one.
        total: how many things were looked at.
        things: what they are, in the plural: `images`, `lines`.
        fix: how to mend them.
    """
    shown = "".join(f"\n  {offence}" for offence in offences[:_SHOWN])
    left = len(offences) - _SHOWN
    more = f"\n  and {left} more" if left > 0 else ""
    return InputError(f"{len(offences)} of {total} {things} cannot be used:{shown}{more}", fix=fix)
