"""The report on a preparation, as data that JSON can hold."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PreparationReport:
    """What preparation did to a graph."""

    inverted_slopes: int
    channel_groups: int
    """Groups of channels that were free to be rescaled."""
    fixed_groups: int
    untouched: tuple[str, ...]
    """`name (Op)` of nodes that preparation does not know; channels there kept their scale."""
    max_abs_difference: float
    """Largest change of any embedding dimension on calibration faces."""
