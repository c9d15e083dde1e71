"""The far side in another Python: serves one object whose methods are given, and give, plain values and arrays.

Runs from one file that `application.application` makes, on Python 3.9 and NumPy, without this project's other
dependencies.
"""

from importlib import import_module
from typing import Any, Callable, List, Optional

from ghostface_edge.targets.places.serving import Answer, serve
from ghostface_edge.targets.places.wire import Array, Header, StandardStreams


def main(make: Optional[Callable[..., object]] = None) -> None:
    """Serve what `make` gives, whatever is named; else an object of the class that the other side names."""

    def begin(opening: Header, arrays: List[Array]) -> object:
        return (make or _named(opening["serve"]))(**_plain(opening, arrays))

    serve(StandardStreams(), begin, _call)


def _named(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def _call(served: object, request: Header, arrays: List[Array]) -> Answer:
    result = getattr(served, request["call"])(**_plain(request, arrays))
    return ({"done": {"array": 0}}, [result]) if hasattr(result, "dtype") else ({"done": result}, [])


def _plain(request: Header, arrays: List[Array]) -> Header:
    return {
        name: arrays[value["array"]] if isinstance(value, dict) else value
        for name, value in request["arguments"].items()
    }
