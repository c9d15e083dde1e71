"""The learning rate of every step: a straight warm-up, then half a cosine down to nearly nothing."""

import math
from dataclasses import dataclass

_FLOOR = 1e-3
"""Of the peak, at the last step."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Learning rates by step, counted from 0."""

    peak: float
    steps: int
    warmup_steps: int

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, self.steps - 1 - self.warmup_steps)
        return self.peak * (_FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))
