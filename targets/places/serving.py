"""The loop of a far side: requests in, answers out, errors as answers. Boards run this file as it is."""

import traceback
from typing import Callable, List, Tuple

from ghostface_edge.reports.errors import GhostfaceEdgeError
from ghostface_edge.targets.places.heartbeat import heartbeat
from ghostface_edge.targets.places.wire import Array, Header, StandardStreams

Answer = Tuple[Header, List[Array]]


def serve(
    streams: StandardStreams,
    make: Callable[[Header, List[Array]], object],
    call: Callable[[object, Header, List[Array]], Answer],
) -> None:
    """Answer requests until the other side is gone.

    Args:
        streams: to the other side.
        make: the first message to the object that is served; at the first call, which its errors answer.
        call: that object and a request to the answer.
    """
    opening, arrays = streams.receive()
    served = None
    while True:
        try:
            request, given = streams.receive()
        except EOFError:
            return
        try:
            with heartbeat(streams, opening["beat_s"]):
                served = served or make(opening, arrays)
                answer = call(served, request, given)
        except GhostfaceEdgeError as error:
            answer = ({"refused": {"error": type(error).__name__, "message": error.message, "fix": error.fix}}, [])
        except Exception as error:
            traceback.print_exc()
            answer = ({"failed": f"{type(error).__name__}: {error}"}, [])
        try:
            streams.send(*answer)
        except BrokenPipeError:
            return
