"""Values on disk as JSON: dataclasses, pydantic models and what they are made of, infinities and NaN included."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_json

T = TypeVar("T")


def write_value(path: Path, value: object) -> None:
    """Write a value."""
    path.write_bytes(to_json(value, inf_nan_mode="constants"))


def read_value(path: Path, kind: type[T]) -> T:
    """Read what `write_value` wrote, as an equal value of the type named."""
    return TypeAdapter(kind).validate_json(path.read_bytes())
