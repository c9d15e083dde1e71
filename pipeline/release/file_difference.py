"""How one model file differs from another: which tensor, which scale, or else which byte first.

In: two files of one kind, maybe strangers'. Out: a line for a reader.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import GhostfaceEdgeError
from ghostface_edge.reports.printable import printable, shortened
from ghostface_edge.targets.judge import judge_artifact

_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor that a file holds."""

    name: str
    values: NDArray[Any]
    scale: tuple[float, ...] = ()
    """Of its grid, where the file says it beside the values."""
    zero_point: tuple[int, ...] = ()


def difference(was: Path, now: Path) -> str:
    """Say what differs first; the files do differ."""
    reader = _READERS.get(was.suffix)
    if reader is not None:
        try:
            judge_artifact(was)
            judge_artifact(now)
            found = first_other(list(reader(was)), list(reader(now)))
        except GhostfaceEdgeError as error:
            found = f"one cannot be read ({error.message.replace(f'{was.parent}/', '')})"
        if found is not None:
            return found
    return _of_bytes(was, now)


def first_other(was: Sequence[Constant], now: Sequence[Constant]) -> str | None:
    """Say which tensor differs first, and how; None where all are alike."""
    for before, after in zip(was, now, strict=False):
        name = shortened(printable(before.name), 100)
        if before.name != after.name:
            return f"tensor {name}: {shortened(printable(after.name), 100)} stands in its place"
        if before.scale != after.scale:
            return f"scale of {name}: {_first(after.scale, before.scale)}"
        if before.zero_point != after.zero_point:
            return f"zero point of {name}: {_first(after.zero_point, before.zero_point)}"
        if (before.values.shape, before.values.dtype) != (after.values.shape, after.values.dtype):
            return f"tensor {name}: {_form(after)}, was {_form(before)}"
        if before.values.tobytes() != after.values.tobytes():
            return _of_values(name, before.values, after.values)
    return f"{len(now)} tensors, were {len(was)}" if len(was) != len(now) else None


def _form(constant: Constant) -> str:
    return f"{constant.values.dtype} {constant.values.shape}"


def _of_values(name: str, before: NDArray[Any], after: NDArray[Any]) -> str:
    kind = "scale" if "scale" in name else "tensor"
    if before.dtype.kind not in "fiu":
        return f"{kind} {name}: other values"
    others = np.flatnonzero(before != after)
    if not others.size:
        return f"{kind} {name}: other bits of equal values"
    worst = float(np.max(np.abs(after.astype(np.float64) - before.astype(np.float64))))
    first = int(others[0])
    return (
        f"{kind} {name}: {others.size} of {before.size} values, by up to {worst:.3g}; "
        f"first [{first}] {after.flat[first]}, was {before.flat[first]}"
    )


def _first(after: tuple[float, ...], before: tuple[float, ...]) -> str:
    """The first pair of numbers that differ."""
    for number, (now, was) in enumerate(zip(after, before, strict=False)):
        if now != was:
            return f"[{number}] {now!r}, was {was!r}"
    return f"{len(after)} numbers, were {len(before)}"


def _of_bytes(was: Path, now: Path) -> str:
    sizes = now.stat().st_size, was.stat().st_size
    offset = 0
    with was.open("rb") as before, now.open("rb") as after:
        while left := before.read(_PIECE_BYTES):
            right = after.read(_PIECE_BYTES)
            if left != right:
                offset += next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), len(right))
                break
            offset += len(left)
    lengths = "" if sizes[0] == sizes[1] else f"; {sizes[0]:,} bytes, were {sizes[1]:,}"
    return f"byte {offset:,}{lengths}"


def _of_onnx(path: Path) -> Iterator[Constant]:
    from onnx import numpy_helper

    from ghostface_edge.targets.onnx_file import read_onnx, stored_tensors

    for tensor in stored_tensors(read_onnx(path)):
        yield Constant(tensor.name, numpy_helper.to_array(tensor))


def _of_tflite(path: Path) -> Iterator[Constant]:
    from ghostface_edge.targets.tflite.inspection import main_graph

    model, _ = main_graph(path)
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        values = np.zeros(0, np.uint8) if data is None else np.asarray(data, np.uint8)
        grid = tensor.quantization
        scale = () if grid is None or grid.scale is None else tuple(map(float, grid.scale))
        zero_point = () if grid is None or grid.zeroPoint is None else tuple(map(int, grid.zeroPoint))
        yield Constant(tensor.name.decode(errors="replace"), values, scale, zero_point)


_READERS: Final[Mapping[str, Callable[[Path], Iterator[Constant]]]] = MappingProxyType(
    {".onnx": _of_onnx, ".tflite": _of_tflite}
)
