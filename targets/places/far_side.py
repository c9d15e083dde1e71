"""The far side in this project's own Python: serves one object, whose class the other side names.

Started by `place.LOCAL`; what it prints, and what native code prints, goes to standard error.
"""

import faulthandler
import importlib
import sys
from typing import Any

from ghostface_edge.reports.child import follow_parent
from ghostface_edge.targets.places import codec
from ghostface_edge.targets.places.serving import Answer, serve
from ghostface_edge.targets.places.wire import Array, Header, StandardStreams

_streams: list[StandardStreams] = []


def tell(*values: object) -> None:
    """From inside a served method: hand JSON values to the caller's `on_told`; elsewhere, nothing happens."""
    for streams in _streams:
        streams.send({"told": values})


def main() -> None:
    """Serve what the other side names."""
    follow_parent()
    faulthandler.enable()
    _streams.append(StandardStreams())
    serve(_streams[0], _make, _call)


def _make(opening: Header, arrays: list[Array]) -> object:
    sys.path[:] = opening["path"]
    module, _, name = opening["serve"].partition(":")
    kind = getattr(importlib.import_module(module), name)
    return kind(**codec.decode_arguments(kind.__init__, opening["arguments"], arrays))


def _call(served: object, request: Header, arrays: list[Array]) -> Answer:
    method: Any = getattr(type(served), request["call"])
    result = method(served, **codec.decode_arguments(method, request["arguments"], arrays))
    value, results = codec.encode_result(method, result)
    return {"done": value}, results


if __name__ == "__main__":
    from ghostface_edge.targets.places import far_side  # the module that served methods import, not this `__main__`

    far_side.main()
