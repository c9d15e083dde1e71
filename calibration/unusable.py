"""Inputs that cannot be used, collected: one error for all of them, or a counted skip."""

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
class Unusable:
    """One thing that cannot be used: where it stands and what is wrong with it."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


def unusable_error(unusable: Sequence[Unusable], total: int, things: str, *, fix: str) -> InputError:
    """One error that counts the unusable and lists the first of them.

    Args:
        unusable: at least one.
        total: how many things were looked at.
        things: what they are, in the plural: `images`, `lines`.
        fix: how to mend them.
    """
    shown = "".join(f"\n  {one}" for one in unusable[:_SHOWN])
    left = len(unusable) - _SHOWN
    more = f"\n  and {left} more" if left > 0 else ""
    return InputError(f"{len(unusable)} of {total} {things} cannot be used:{shown}{more}", fix=fix)
