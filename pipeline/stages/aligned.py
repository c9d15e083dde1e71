"""Aligned photographs in the store, as every other outcome that is made once."""

from collections.abc import Callable
from pathlib import Path

from ghostface_edge.calibration.aligned_folder import Keep
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store


def kept_in(store: Store, progress: Progress) -> Keep:
    """The store as `align_folder` wants it."""

    def keep(key: str, fill: Callable[[Path], None]) -> Path:
        return store.make("align", {"key": key}, fill, say=progress.say).folder

    return keep
