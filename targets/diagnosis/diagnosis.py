"""What was found out about an artifact on a device."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether something is the matter there."""

    SAME = "same"
    """The same bytes."""
    ROUNDING = "rounding"
    """The same computation with other last digits."""
    FAULT = "fault"
    """A cause was found that has to be mended."""
    UNEXPLAINED = "unexplained"
    """It differs, and no known cause explains it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The first tensor that differs, how, and why."""

    verdict: Verdict
    cause: str
    fix: str
    faces: int
    equal_faces: int
    """Whose embeddings are the same to the byte."""
    cosine_mean: float | None
    """Of embeddings here and there; None where there are none that could be compared."""
    cosine_min: float | None
    tensor: str | None = None
    """The first that differs though all that it is made from is the same."""
    operator: str | None = None
    """That makes it."""
    difference: str | None = None
    """How it differs."""
    explained: float | None = None
    """Share of the embeddings' squared distance that is gone where this host makes the same mistake."""
    tensors_tried: int = 0
    """Artifacts that were cut and run on both sides."""

    def as_lines(self) -> list[str]:
        """For people: the cause and its mend, then what was seen."""
        is_rounding = self.verdict is Verdict.ROUNDING
        lines = [f"nothing to mend there: {self.cause}" if is_rounding else self.cause]
        if self.verdict in {Verdict.FAULT, Verdict.UNEXPLAINED}:
            lines.append(f"  fix: {self.fix}")
        if self.cosine_mean is not None:
            alike = f"cosine {self.cosine_mean:.5f}, at least {self.cosine_min:.5f}"
            lines.append(f"  {self.equal_faces} of {self.faces} embeddings have the same bytes; {alike}")
        if self.tensor is not None:
            lines.append(
                f"  first at '{self.tensor}', made by {self.operator}; {self.tensors_tried} tensors were tried"
            )
        if self.difference is not None:
            lines.append(f"  {self.difference}")
        if self.explained is not None:
            lines.append(f"  this host, making the same mistake, explains {self.explained:.1%} of the difference")
        return lines
