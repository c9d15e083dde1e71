"""Values on disk: arrays as `.npy`; as JSON dataclasses, pydantic models and what they are made of, NaN included."""

import io
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from pydantic_core import to_json

T = TypeVar("T")


def write_value(path: Path, value: object) -> None:
    """Write a value."""
    path.write_bytes(to_json(value, inf_nan_mode="constants"))


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array; unlike NumPy with the system's own error where the disk is full."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    path.write_bytes(content.getbuffer())


def read_value(path: Path, kind: type[T]) -> T:
    """Read what `write_value` wrote, as an equal value of the type named."""
    return TypeAdapter(kind).validate_json(path.read_bytes())
