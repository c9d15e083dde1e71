"""What an operator does otherwise there, told by how its output differs where all its inputs are the same."""

from typing import Final

import numpy as np

from ghostface_edge.targets.diagnosis.arrangement import arrangement_hypotheses
from ghostface_edge.targets.diagnosis.cause import Blame, Cause, best_explanation
from ghostface_edge.targets.diagnosis.difference import Difference, Form, Tensor, channel_axis, differing
from ghostface_edge.targets.protocol import INPUT

_SHIP_ANOTHER: Final = "ship another runtime's file there, or update the runtime"
_BIASED_SHARE: Final = 0.25
"""Of values, that truncation changes: half of those that do not lie on the grid. Ties are far fewer."""
_BIASED_VALUES: Final = 16
_ROUNDING_STEPS: Final = 2
"""An operator that brings two tensors to one grid rounds twice or three times."""
_HALF_PRECISION: Final = 0.02
"""Largest difference, of the largest value, that half precision explains: bfloat16 rounds to 1/256."""
_NOTHING: Final = "nothing"


def operator_cause(kind: str, difference: Difference, here: Tensor | None, there: Tensor | None) -> Cause:
    """Name what is the matter with an operator.

    Args:
        kind: of the operator that makes the tensor.
        difference: how the tensor differs.
        here: the tensor on this host; None where it does not run.
        there: on the device.
    """
    if difference.form is not Form.VALUES or here is None or there is None:
        subject = "the input" if kind == INPUT else f"the output of {kind}"
        return Cause(f"{subject} {difference.form}", _SHIP_ANOTHER)
    found = best_explanation(here, there, arrangement_hypotheses(here, there))
    if found is not None:
        cause = found.hypothesis.cause
        return Cause(f"{cause.name} at {kind}", cause.fix)
    return _numbers_cause(kind, difference, here, there)


def _numbers_cause(kind: str, difference: Difference, here: Tensor, there: Tensor) -> Cause:
    """Every value is in its place, and not the same."""
    if _is_truncated(difference, here, there):
        return Cause(f"truncated rounding at {kind}", _SHIP_ANOTHER)
    if difference.channel is not None and (not difference.is_one_step or _is_common(difference, here)):
        return Cause(f"a weight of {kind} is wrong: only channel {difference.channel} differs", "send the model again")
    if difference.steps and difference.largest <= _ROUNDING_STEPS + 0.01:
        return Cause(f"rounding of {kind} kernels", _NOTHING, Blame.ROUNDING)
    if not difference.steps and difference.relative <= _HALF_PRECISION:
        return Cause(f"{kind} computes in lower precision", _NOTHING, Blame.ROUNDING)
    return Cause(f"{kind} computes something else", _SHIP_ANOTHER)


def _is_truncated(difference: Difference, here: Tensor, there: Tensor) -> bool:
    """Whether values go to one side, or all towards one value, and far more of them than ties."""
    if not difference.is_one_step:
        return False
    ours, theirs = here.astype(np.float64), there.astype(np.float64)
    inside = (ours > ours.min()) & (ours < ours.max())
    differs = differing(here, there)
    raised, lowered = differs & (theirs > ours), differs & (theirs < ours)
    one_sided = not (raised.any() and lowered.any()) or ours[raised].max() <= ours[lowered].min()
    common = differs[inside].mean() if inside.any() else 0.0
    return bool(one_sided and differs.sum() >= _BIASED_VALUES and common >= _BIASED_SHARE)


def _is_common(difference: Difference, here: Tensor) -> bool:
    """Whether so many values of the only channel that differs do, that it is no rounding."""
    of_channel = difference.share * here.shape[channel_axis(here.shape)]
    return difference.share * here.size >= _BIASED_VALUES and of_channel >= _BIASED_SHARE
