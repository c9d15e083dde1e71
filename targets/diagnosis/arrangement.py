"""Right values in wrong places or on another scale: each as the tensor that it would make of this host's.

Needs nothing but a tensor here and there, so that it tells of inputs, of embeddings and of all between.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from ghostface_edge.targets.diagnosis.cause import Cause, Hypothesis
from ghostface_edge.targets.diagnosis.difference import Tensor, channel_axis, grid_step

_BATCH: Final = "fill and read the batch row by row"


def arrangement_hypotheses(here: Tensor, there: Tensor) -> Iterator[Hypothesis]:
    """Mistakes that keep a tensor's shape: faces mixed up, channels shifted, another zero point, another scale."""
    if here.shape != there.shape or not np.isfinite(there).all():
        return
    yield from _mixed_faces(here, there)
    yield from _shifted_channels(here, there)
    ours, theirs = here.astype(np.float64), there.astype(np.float64)
    yield from _other_zero_point(here, ours, theirs)
    if here.dtype.kind == "f" and ours.any():
        scale = float((ours * theirs).sum() / np.square(ours).sum())
        if scale:
            cause = Cause(f"scale: values are multiplied by {scale:.4g} there", "check the scale of the output")
            yield Hypothesis(cause, ours * scale)
    if here.ndim == 2 and here.dtype.kind == "f":
        lengths = np.linalg.norm(ours, axis=1, keepdims=True)
        cause = Cause("scale: embeddings have unit length there", "nothing, where they are compared by cosine")
        yield Hypothesis(cause, ours / np.where(lengths, lengths, 1.0))


def _mixed_faces(here: Tensor, there: Tensor) -> Iterator[Hypothesis]:
    ours, theirs = (each.reshape(len(each), -1).astype(np.float64) for each in (here, there))
    nearest = np.array([np.square(ours - row).sum(axis=1).argmin() for row in theirs], np.intp)
    if len({*nearest}) == 1 < len(nearest):
        yield Hypothesis(Cause("batch: one face in every row", _BATCH), here[nearest])
    elif (nearest != np.arange(len(nearest))).any():
        order = " ".join(str(row) for row in nearest)
        yield Hypothesis(Cause(f"batch: faces are mixed up (rows {order})", _BATCH), here[nearest])


def _shifted_channels(here: Tensor, there: Tensor) -> Iterator[Hypothesis]:
    axis = channel_axis(here.shape)
    others = tuple(other for other in range(1, here.ndim) if other != axis)
    ours, theirs = (each.astype(np.float64).mean(axis=others) for each in (here, there))
    size = ours.shape[1]
    distances = [np.square(np.roll(ours, shift, axis=1) - theirs).sum() for shift in range(size)]
    shift = int(np.argmin(distances))
    if shift:
        told = shift if shift <= size // 2 else shift - size
        cause = Cause(f"channels are shifted by {told}", "read the output from its first value on")
        yield Hypothesis(cause, np.roll(here, shift, axis))
    yield Hypothesis(Cause("channels are in reverse order", "read the output in order"), np.flip(here, axis))


def _other_zero_point(here: Tensor, ours: Tensor, theirs: Tensor) -> Iterator[Hypothesis]:
    step = grid_step(here)
    offset = float(np.median(theirs - ours))
    if step is None or not offset:
        return
    steps = offset / step
    if abs(steps - round(steps)) > 1e-3 * abs(steps):
        return
    moved = ours + offset
    if here.dtype.kind != "f":
        ends = np.iinfo(here.dtype)
        moved = moved.clip(ends.min, ends.max)
    off = "one" if abs(round(steps)) == 1 else str(abs(round(steps)))
    yield Hypothesis(Cause(f"zero point off by {off} ({round(steps):+})", "check the zero point"), moved)
