"""Programs for XNNPACK's delegate, made field by field: what the vendor's exporter writes, and what it never would."""

import struct

import flatbuffers
import numpy as np

TRANSPOSE, CONVOLUTION, RESHAPE = 5, 7, 20
_ABSENT = 0xFFFFFFFF


class Table(dict):
    """Fields by their place: (form, number), text, an array, another table or a list of them."""


def number(value, form="Uint32"):
    return form, value


def small_program(*, nodes=None, values=None, sizes=(3 * 9 * 4, 16, 16), operators=(), mark=b"ET12", calls=1):
    """A `.pte` of one INT8 convolution: faces (1, 3, 8, 8) to 256 numbers."""
    blob = _graph(small_nodes() if nodes is None else nodes, small_values() if values is None else values, sizes)
    segments = [blob, *(b"\1" * size for size in sizes)]
    places, base = [], 0
    for segment in segments:
        places.append(Table({0: number(base, "Uint64"), 1: number(len(segment), "Uint64")}))
        base += len(segment)
    call = Table({0: number(2, "Uint8"), 1: Table({1: np.array([0, 1], np.int32)})})
    tensors = [_tensor(1, 3, 8, 8), _tensor(1, 256)]
    plan = Table(
        {
            0: "forward",
            2: [Table({0: number(5, "Uint8"), 1: tensor}) for tensor in tensors],
            3: np.array([0], np.int32),
            4: np.array([1], np.int32),
            5: [Table({2: [call] * calls})],
            6: [Table({0: name, 1: overload}) for name, overload in operators],
            7: [Table({0: "XnnpackBackend", 1: Table({0: number(1, "Uint8")})})],
        }
    )
    names = [Table({0: f"constant{place}", 1: number(place + 1)}) for place in range(len(sizes))]
    program = _written(Table({1: [plan], 4: places, 7: names}), mark)
    (start,) = struct.unpack_from("<I", program)
    size = len(program) + 32
    header = struct.pack("<4sIQQQ", b"eh00", 32, size, size, base)
    return struct.pack("<I", start + 32) + program[4:8] + header + program[8:] + b"".join(segments)


def small_values():
    """Image, the same with channels last, kernel, bias, what the convolution gives, that as a vector."""
    image = {0: number(0.0078125, "Float32")}
    return [
        value(0, (1, 3, 8, 8), flags=1, external=0),
        value(1, (1, 8, 8, 3), 3, quantized=Table(image)),
        value(2, (4, 3, 3, 3), 6, held=1, scales=4),
        value(3, (4,), 7, held=2, scales=4),
        value(4, (1, 8, 8, 4), 3, quantized=Table(image)),
        value(5, (1, 256), flags=2, external=1),
    ]


def small_nodes():
    return [
        node(TRANSPOSE, number(4), np.array([0, 2, 3, 1], np.uint32), number(0), number(1)),
        convolution(),
        node(RESHAPE, number(2), np.array([1, 256], np.uint32), number(4), number(5)),
    ]


def convolution(*, inputs=3, stride=1, output=4):
    kernel = (1, 1, 1, 1, 3, 3, stride, stride, 1, 1, inputs, 4, 1, 0, 0, 1, 2, 3, output)
    return node(CONVOLUTION, *map(number, kernel))


def node(kind, *fields):
    return Table({0: number(kind, "Uint8"), 1: Table(enumerate(fields))})


def value(place, shape, kind=1, *, held=0, flags=0, external=_ABSENT, quantized=None, scales=0):
    fields = [number(kind, "Int16"), number(len(shape)), np.array(shape, np.uint32)]
    tensor = Table(enumerate([*fields, number(held), number(external), number(flags), number(place)]))
    if scales:
        quantized = Table({2: number(3), 3: number(scales)})
    if quantized is None:
        return Table({0: number(1, "Uint8"), 1: tensor})
    by = number(1 if scales else 2, "Uint8")
    return Table({0: number(2, "Uint8"), 1: Table({0: tensor, 1: by, 2: quantized})})


def _tensor(*shape):
    return Table({0: number(6, "Int8"), 2: np.array(shape, np.int32)})


def _graph(nodes, values, sizes):
    kept = [Table({1: number(size, "Uint64"), 2: f"constant{place}"}) for place, size in enumerate(sizes)]
    ends = {4: np.array([0], np.uint32), 5: np.array([5], np.uint32)}
    written = _written(Table({1: nodes, 2: values, **ends, 8: [Table(), *kept]}), b"XN01")
    header = struct.pack("<I4sHIIIQ", 0, b"XH00", 30, 32, len(written), 32 + len(written), 0)
    return header.ljust(32, b"\0") + written


def _written(table, mark):
    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, table), mark)
    return bytes(builder.Output())


def _table(builder, table):
    parts = {place: _part(builder, field) for place, field in table.items() if not isinstance(field, tuple)}
    builder.StartObject(max(table, default=-1) + 1)
    for place, field in table.items():
        if isinstance(field, tuple):
            getattr(builder, f"Prepend{field[0]}Slot")(place, field[1], None)
        else:
            builder.PrependUOffsetTRelativeSlot(place, parts[place], 0)
    return builder.EndObject()


def _part(builder, field):
    if isinstance(field, str):
        return builder.CreateString(field)
    if isinstance(field, np.ndarray):
        return builder.CreateNumpyVector(field)
    if isinstance(field, dict):
        return _table(builder, field)
    entries = [_table(builder, entry) for entry in field]
    builder.StartVector(4, len(entries), 4)
    for entry in reversed(entries):
        builder.PrependUOffsetTRelative(entry)
    return builder.EndVector()
