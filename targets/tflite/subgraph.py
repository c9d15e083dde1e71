"""A TFLite subgraph while it is being built: tensors, operators, and nothing of the file format.

Names, shapes and layout are TFLite's: NHWC, float32 or int8, the batch axis first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ghostface_edge.targets.quant_params import ChannelScales, QuantParams

Array = NDArray[np.generic]
Quantization = QuantParams | ChannelScales


@dataclass(frozen=True, slots=True)
class Tensor:
    """An activation (`data` is None; the batch, where there is one, counts 1) or a constant."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    data: Array | None = None
    quantization: Quantization | None = None
    is_batched: bool = False
    """Axis 0 is the batch."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator; `settings` are the fields of its options table in LiteRT's schema."""

    kind: str
    """Name in the schema's `BuiltinOperator`."""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: str | None = None
    """Name of the options table, as `Conv2DOptions`."""
    settings: tuple[tuple[str, int | float | bool | str], ...] = ()


@dataclass(slots=True)
class Subgraph:
    """Tensors by index and operators in execution order; indices are what operators hold."""

    batch_is_dynamic: bool
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def activation(
        self, name: str, shape: Sequence[int], dtype: DTypeLike, quantization: Quantization | None = None
    ) -> int:
        """Add a tensor of one face, which the input or an operator will fill, and give its index."""
        return self._add(Tensor(name, tuple(shape), np.dtype(dtype), None, quantization, is_batched=True))

    def restored(self, name: str, shape: Sequence[int]) -> int:
        """Add a float32 tensor that a DEQUANTIZE of a constant fills, and give its index."""
        return self._add(Tensor(name, tuple(shape), np.dtype(np.float32)))

    def constant(self, name: str, data: Array, quantization: Quantization | None = None) -> int:
        """Add a constant and give its index."""
        return self._add(Tensor(name, data.shape, data.dtype, np.ascontiguousarray(data), quantization))

    def operator(
        self,
        kind: str,
        inputs: Sequence[int],
        output: int,
        options: str | None = None,
        **settings: int | float | bool | str,
    ) -> None:
        """Append an operator that writes one tensor."""
        self.operators.append(Operator(kind, tuple(inputs), (output,), options, tuple(settings.items())))

    def _add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1
