"""The pickle inside a PyTorch file, followed on symbols: no object of it is made, nothing it names is looked up.

Only what `torch.save` writes for dense tensors, containers, text and numbers is known; everything else is refused.
"""

import math
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

_ITEM_BYTES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "torch.DoubleStorage": 8,
        "torch.FloatStorage": 4,
        "torch.HalfStorage": 2,
        "torch.BFloat16Storage": 2,
        "torch.LongStorage": 8,
        "torch.IntStorage": 4,
        "torch.ShortStorage": 2,
        "torch.CharStorage": 1,
        "torch.ByteStorage": 1,
        "torch.BoolStorage": 1,
    }
)
_OTHER_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sparse": "a sparse tensor",
        "qtensor": "a quantized tensor",
        "QInt": "a quantized tensor",
        "QUInt": "a quantized tensor",
        "meta": "a tensor without values (device 'meta')",
        "nested": "a nested tensor",
        "Complex": "complex numbers",
        "_rebuild_tensor_v3": "a tensor of an uncommon type",
        "UntypedStorage": "a tensor of an uncommon type",
    }
)
_REBUILD_TENSOR: Final = "torch._utils._rebuild_tensor_v2"
_REBUILD_PARAMETER: Final = "torch._utils._rebuild_parameter"
_ORDERED: Final = "collections.OrderedDict"
_PLAIN: Final = {"torch.Size": "a shape", "torch.device": "a device"}
_TYPES: Final = {
    f"torch.{name}"
    for name in ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
}
_MAX_AXES: Final = 8


class PickleError(ValueError):
    """What the pickle does that none of dense tensors does."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Memory that tensors lie in."""

    key: str
    size: int
    item_bytes: int

    @property
    def size_bytes(self) -> int:
        """Of all its numbers."""
        return self.size * self.item_bytes


@dataclass(frozen=True, slots=True)
class Tensor:
    """A dense tensor."""

    elements: int


@dataclass(frozen=True, slots=True)
class _Name:
    """Something of Python's, by its full name."""

    name: str


class Pickle:
    """Follows a pickle to its end.

    Args:
        program: its bytes.

    Raises:
        PickleError: it does what none of dense tensors does, or is damaged.
    """

    def __init__(self, program: bytes) -> None:
        self.storages: list[Storage] = []
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        try:
            for opcode, argument, _ in pickletools.genops(program):
                self._step(opcode.name, argument)
            self.content = self._stack.pop()
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, AttributeError) as error:
            if isinstance(error, PickleError):
                raise
            raise PickleError(f"its pickle is damaged ({error})") from None

    def _step(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]())
        elif name in {"BINPUT", "LONG_BINPUT"}:
            self._memo[argument] = self._stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1]
        elif name in {"BINGET", "LONG_BINGET"}:
            self._stack.append(self._memo[argument])
        elif name == "MARK":
            self._marks.append(len(self._stack))
        elif name in _ACTIONS:
            _ACTIONS[name](self)
        elif name == "GLOBAL":
            self._stack.append(_known(argument.replace(" ", ".", 1)))
        elif name not in {"PROTO", "FRAME", "STOP"}:
            raise PickleError(f"holds more than tensors, and reading it would run code from the file ({name})")

    def _marked(self) -> list[Any]:
        at = self._marks.pop()
        taken = self._stack[at:]
        del self._stack[at:]
        return taken

    def _popped(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise PickleError("its pickle is damaged (nothing left to take)")
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def _global(self) -> None:
        module, name = self._popped(2)
        self._stack.append(_known(f"{module}.{name}"))

    def _put(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise PickleError("its pickle is damaged (no dictionary to fill)")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int | float | bytes | None):
                raise PickleError("holds a dictionary whose keys are neither text nor numbers")
            target[key] = value

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise PickleError("its pickle is damaged (no list to fill)")
        target.extend(items)

    def _build(self) -> None:
        """The state that a state_dict carries beside its tensors: versions of modules, which nobody needs."""
        target, state = self._popped(2)
        if not isinstance(target, dict) or not isinstance(state, dict):
            raise PickleError("holds more than tensors, and reading it would run code from the file (BUILD)")
        self._stack.append(target)

    def _store(self) -> None:
        (described,) = self._popped(1)
        kind, storage, key, where, size = described[:5]
        if kind != "storage" or not isinstance(key, str) or not _is_size(size) or not isinstance(storage, _Name):
            raise PickleError("its pickle is damaged (no storage)")
        if where == "meta":
            raise PickleError("holds a tensor without values (device 'meta')")
        if storage.name not in _ITEM_BYTES:
            raise PickleError("its pickle is damaged (no storage)")
        self.storages.append(Storage(key, size, _ITEM_BYTES[storage.name]))
        self._stack.append(self.storages[-1])

    def _call(self) -> None:
        function, arguments = self._popped(2)
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            raise PickleError("holds more than tensors, and reading it would run code from the file (REDUCE)")
        if function.name == _REBUILD_TENSOR:
            self._stack.append(_tensor(*arguments[:4]))
        elif function.name == _REBUILD_PARAMETER and isinstance(arguments[0], Tensor):
            self._stack.append(arguments[0])
        elif function.name == _ORDERED and not arguments:
            self._stack.append({})
        elif function.name in _PLAIN and len(arguments) == 1:
            self._stack.append(arguments[0])
        else:
            raise PickleError(f"holds more than tensors, and reading it would run code from the file ({function.name})")


def _known(name: str) -> _Name:
    if name in _ITEM_BYTES or name in _PLAIN or name in _TYPES:
        return _Name(name)
    if name in {_REBUILD_TENSOR, _REBUILD_PARAMETER, _ORDERED}:
        return _Name(name)
    if name.startswith("torch."):
        for part, kind in _OTHER_KINDS.items():
            if part in name:
                raise PickleError(f"holds {kind}, weights are dense numbers")
    raise PickleError(f"holds more than tensors, and reading it would run code from the file ({name[:100]})")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> Tensor:
    if (
        not isinstance(storage, Storage)
        or not isinstance(shape, tuple)
        or not isinstance(strides, tuple)
        or len(shape) != len(strides)
        or len(shape) > _MAX_AXES
        or not all(map(_is_size, (offset, *shape, *strides)))
    ):
        raise PickleError("its pickle is damaged (no tensor)")
    elements = math.prod(shape)
    reach = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True)) + 1
    if elements > storage.size or (elements and reach > storage.size):
        raise PickleError(
            f"a tensor of shape {shape} lies in a storage of {storage.size:,} numbers: expanded, or damaged"
        )
    return Tensor(elements)


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**48


_LITERALS: Final = {
    "BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINBYTES", "BINBYTES",
}  # fmt: skip
_CONSTANTS: Final[Mapping[str, Callable[[], Any]]] = MappingProxyType(
    {
        "NONE": lambda: None,
        "NEWTRUE": lambda: True,
        "NEWFALSE": lambda: False,
        "EMPTY_DICT": dict,
        "EMPTY_LIST": list,
        "EMPTY_TUPLE": tuple,
    }
)
_ACTIONS: Final[Mapping[str, Callable[[Pickle], None]]] = MappingProxyType(
    {
        "TUPLE": lambda self: self._stack.append(tuple(self._marked())),
        "TUPLE1": lambda self: self._stack.append(tuple(self._popped(1))),
        "TUPLE2": lambda self: self._stack.append(tuple(self._popped(2))),
        "TUPLE3": lambda self: self._stack.append(tuple(self._popped(3))),
        "SETITEM": lambda self: self._put(self._popped(2)),
        "SETITEMS": lambda self: self._put(self._marked()),
        "APPEND": lambda self: self._extend(self._popped(1)),
        "APPENDS": lambda self: self._extend(self._marked()),
        "STACK_GLOBAL": Pickle._global,
        "BINPERSID": Pickle._store,
        "REDUCE": Pickle._call,
        "BUILD": Pickle._build,
    }
)
