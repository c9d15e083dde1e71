"""A stage's outcome from the store that machines share, or made here and put there.

In: what the local store takes. Out: what it gives: what others made is sealed here as if it had been made here.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from ghostface_edge.pipeline.support.shared_store import SharedStore
from ghostface_edge.pipeline.support.store import Store, Stored, name_of


def make(
    store: Store,
    shared: SharedStore,
    stage: str,
    inputs: Mapping[str, object],
    build: Callable[[Path], None],
    read: Callable[[Path], object],
    say: Callable[[str], None],
) -> Stored:
    """As `Store.make`, with the shared store asked before anything is built.

    Args:
        store: of this user.
        shared: behind it.
        stage: its name.
        inputs: JSON values that decide the outcome.
        build: writes the stage's files into the folder it is given.
        read: reads them there.
        say: gets a line for what is taken and what cannot be used.
    """
    name, is_taken = name_of(stage, inputs), False

    def fill(folder: Path) -> None:
        nonlocal is_taken
        # aside: a thread that was given up may write there still
        with store.scratch() as aside:
            is_taken = shared.fetch(name, aside / "outcome", say, read)
            if is_taken:
                for path in (aside / "outcome").iterdir():
                    path.rename(folder / path.name)
        if not is_taken:
            build(folder)

    stored = store.make(stage, inputs, fill, say=say)
    if stored.folder.name == name and not (stored.reused or is_taken):
        shared.put(name, stored.folder, say)
    return stored
