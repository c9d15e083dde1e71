"""The store as a matrix uses it: on workers, where nothing is made twice at once, and to look what is there."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from ghostface_edge.pipeline.support.store import Store, Stored, name_of


class OnceStore(Store):
    """A store of a worker: what another worker of the cluster is making is waited for, not made beside it.

    Tasks whose steps differ in name only, such as sets of pairs that share nobody with the calibration faces, come to
    the same artifact. The lock is Dask's; a worker that dies loses it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Path] = []

    def make(
        self,
        stage: str,
        inputs: Mapping[str, object],
        build: Callable[[Path], None],
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> Stored:
        from distributed import Lock

        place = self.folder / name_of(stage, inputs)
        with nullcontext() if place.is_dir() else Lock(place.name):
            stored = super().make(stage, inputs, build, say=say)
        if not stored.reused and stored.folder == place:
            self.made.append(place)
            say(f"made {place.name}")
        return stored


class NotThere(Exception):  # noqa: N818 - no error
    """An artifact would have to be made."""


class PeekStore(Store):
    """A store that makes nothing."""

    def make(
        self,
        stage: str,
        inputs: Mapping[str, object],
        build: Callable[[Path], None],  # noqa: ARG002
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> Stored:
        def refuse(_: Path) -> None:
            raise NotThere

        return super().make(stage, inputs, refuse, say=say)
