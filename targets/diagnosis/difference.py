"""How one tensor differs between this host and a device.

Integers differ where a byte does. Floats differ where more than `FLOAT_TOLERANCE` of the tensor's largest value lies
between them: sums in another order stay ten times below it (3e-5 was measured between x86 and ARM), float16 products
and one step of an 8-bit grid (1/255) lie above it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FLOAT_TOLERANCE: Final = 2e-4
_LEVELS: Final = 256
_FEWEST_GAPS: Final = 8
_UNEVEN: Final = 0.05
_FLAT_STEPS: Final = 4
"""A tensor may become constant by rounding where it spans fewer steps."""
Tensor = NDArray[Any]


class Form(StrEnum):
    """What meets the eye first."""

    FAILED = "does not run there"
    EMPTY = "is empty there"
    SHAPE = "has another shape there"
    NAN = "holds NaN or infinity there"
    ZERO = "is zero there"
    CONSTANT = "is constant there"
    VALUES = "has other values there"


@dataclass(frozen=True, slots=True)
class Difference:
    """Between a tensor here and there."""

    form: Form
    detail: str = ""
    """Shapes, or what the device said."""
    share: float = 1.0
    """Of the values that differ."""
    largest: float = 0.0
    """In steps of the tensor's grid, where it has one."""
    steps: bool = False
    """Whether it has one."""
    relative: float = 0.0
    """The largest, as a share of the tensor's largest value."""
    raised: float = 0.0
    """Of the values that differ, the share that is larger there."""
    channel: int | None = None
    """The only channel that differs, where there are several."""

    @property
    def is_one_step(self) -> bool:
        """Whether no value is further off than the next one of the grid."""
        return self.form is Form.VALUES and self.steps and self.largest <= 1.01

    def __str__(self) -> str:
        if self.form is not Form.VALUES:
            return f"{self.form}{self.detail and f' ({self.detail})'}"
        sides = {0.0: "all lower", 1.0: "all higher"}.get(self.raised, f"{self.raised:.0%} of them higher")
        largest = (
            f"{self.largest:.3g} {'step' if self.is_one_step else 'steps'}" if self.steps else f"{self.largest:.3g}"
        )
        where = "" if self.channel is None else f", in channel {self.channel} only"
        return f"{self.share:.2%} of its values differ there, by up to {largest}, {sides}{where}"


def compare(here: Tensor, there: Tensor) -> Difference | None:
    """None where they are the same but for the order of float sums.

    Args:
        here: what this host computes; faces on axis 0.
        there: what came from the device.
    """
    if there.shape != here.shape or there.dtype.kind != here.dtype.kind:
        form = Form.SHAPE if there.size else Form.EMPTY
        return Difference(form, f"{there.dtype} {there.shape} instead of {here.dtype} {here.shape}")
    ours, theirs = here.astype(np.float64), there.astype(np.float64)
    lost = np.isfinite(ours) & ~np.isfinite(theirs)
    if lost.any():
        return Difference(Form.NAN, share=float(lost.mean()))
    largest_value = float(np.abs(ours).max(initial=0.0))
    step = grid_step(here)
    differs = differing(here, there)
    if not differs.any():
        return None
    flat = _flattened(ours, theirs, step or largest_value / _LEVELS)
    if flat.any():
        form = Form.CONSTANT if theirs[flat].any() else Form.ZERO
        return Difference(form, f"for {flat.sum()} of {len(flat)} faces", share=float(differs.mean()))
    distance = np.abs(theirs - ours)
    return Difference(
        Form.VALUES,
        share=float(differs.mean()),
        largest=float(distance.max()) / (step or 1.0),
        steps=step is not None,
        relative=float(distance.max()) / (largest_value or 1.0),
        raised=float((theirs > ours)[differs].mean()),
        channel=_only_channel(differs),
    )


def differing(here: Tensor, there: Tensor) -> NDArray[np.bool_]:
    """Which values of equally shaped tensors are not the same."""
    if here.dtype.kind != "f":
        return np.asarray(here != there)
    limit = FLOAT_TOLERANCE * float(np.abs(here).max(initial=0.0))
    return np.asarray(np.abs(there.astype(np.float64) - here) > limit)


def is_same(here: Tensor, there: Tensor) -> bool:
    """Whether two tensors are the same but for the order of float sums."""
    alike = here.shape == there.shape and here.dtype.kind == there.dtype.kind
    return alike and not differing(here, there).any()


def grid_step(values: Tensor) -> float | None:
    """Distance of neighbours on the 8-bit grid that a tensor lies on: 1 for integers, None for floats on none."""
    if values.dtype.kind != "f":
        return 1.0
    levels = np.unique(values.astype(np.float64))
    gaps = np.diff(levels)
    gaps = gaps[gaps > FLOAT_TOLERANCE * np.abs(levels).max(initial=0.0)]
    if len(gaps) < _FEWEST_GAPS:
        return None
    step = float(gaps.min())
    multiples = gaps / step
    is_even = np.abs(multiples - np.rint(multiples)).max() < _UNEVEN
    return step if is_even and np.ptp(levels) / step < _LEVELS else None


def channel_axis(shape: tuple[int, ...]) -> int:
    """Of a map (N, C, S, S) or (N, S, S, C), which is as high as wide, or of vectors (N, C)."""
    return 1 if len(shape) == 4 and shape[1] != shape[2] == shape[3] else len(shape) - 1


def _flattened(ours: Tensor, theirs: Tensor, step: float) -> NDArray[np.bool_]:
    """Faces for which all values are one there and were several here."""
    return np.asarray([np.ptp(b) == 0 and np.ptp(a) > _FLAT_STEPS * step for a, b in zip(ours, theirs, strict=True)])


def _only_channel(differs: NDArray[np.bool_]) -> int | None:
    axis = channel_axis(differs.shape)
    channels = np.flatnonzero(differs.any(axis=tuple(other for other in range(differs.ndim) if other != axis)))
    return int(channels[0]) if len(channels) == 1 < differs.shape[axis] else None
