"""Signs of life of a far side: how much processor time it has used while it works. Boards run this file as it is."""

import contextlib
import os
import threading
from typing import Iterator

from ghostface_edge.targets.places.wire import StandardStreams


@contextlib.contextmanager
def heartbeat(streams: StandardStreams, every_s: float) -> Iterator[None]:
    """While the block runs, send `{"alive": seconds of processor time}` again and again.

    A thread can beat although the work has stopped, so what is told is not that it lives but what it has done. Where
    nobody listens any more the process ends, in the middle of whatever it does.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.wait(every_s):
            try:
                streams.send({"alive": sum(os.times()[:4])})
            except OSError:
                os._exit(1)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
