"""Typed values to plain JSON and arrays, and back, by the annotations of the function they go to or come from.

Whatever pydantic can tell from an annotation can travel: numbers, text, paths, enums, dataclasses, models, tuples and
mappings of these. Arrays travel as they are, each a whole argument or the whole result.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

import numpy as np
from pydantic import TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError

from ghostface_edge.targets.places.wire import Array

_RESULT = "return"
_ARRAY = "array"


def encode_arguments(
    function: Callable[..., object], arguments: Sequence[object], named: Mapping[str, object]
) -> tuple[dict[str, Any], list[Array]]:
    """Arguments by name, as JSON values, and the arrays among them.

    Raises:
        TypeError: they do not fit the function.
    """
    bound = inspect.signature(function).bind(*arguments, **named).arguments
    arrays: list[Array] = []
    return {name: _encode(function, name, value, arrays) for name, value in bound.items()}, arrays


def decode_arguments(
    function: Callable[..., object], values: Mapping[str, Any], arrays: Sequence[Array]
) -> dict[str, object]:
    """What `encode_arguments` was given, by name."""
    return {name: _decode(function, name, value, arrays) for name, value in values.items()}


def encode_result(function: Callable[..., object], result: object) -> tuple[Any, list[Array]]:
    """A function's result as a JSON value, and the array if it is one."""
    arrays: list[Array] = []
    return _encode(function, _RESULT, result, arrays), arrays


def decode_result(function: Callable[..., object], value: Any, arrays: Sequence[Array]) -> object:
    """What `encode_result` was given."""
    return _decode(function, _RESULT, value, arrays)


def _encode(function: Callable[..., object], name: str, value: object, arrays: list[Array]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {_ARRAY: len(arrays) - 1}
    return _adapter(function, name).dump_python(value, mode="json")


def _decode(function: Callable[..., object], name: str, value: Any, arrays: Sequence[Array]) -> object:
    if arrays and isinstance(value, dict) and value.keys() == {_ARRAY}:
        return arrays[value[_ARRAY]]
    return _adapter(function, name).validate_python(value)


@functools.cache
def _adapter(function: Callable[..., object], name: str) -> TypeAdapter[Any]:
    annotation = get_type_hints(function).get(name, Any)
    try:
        return TypeAdapter(annotation)
    except PydanticSchemaGenerationError as error:
        raise TypeError(f"no array where one was due: {annotation}") from error
