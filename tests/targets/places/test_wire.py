"""Messages that no honest far side sends."""

import io
import json
import struct

import numpy as np
import pytest

from ghostface_edge.targets.places.wire import WireError, pack, unpack


def message(header):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text


def reader(data):
    stream = io.BytesIO(data)

    def read(size):
        part = stream.read(size)
        if len(part) < size:
            raise EOFError
        return bytearray(part)

    return read


def test_what_is_packed_comes_out():
    arrays = [np.arange(6, dtype=np.int16).reshape(2, 3), np.zeros((0, 4), np.float32), np.float64(2.5)]
    header, found = unpack(reader(b"".join(bytes(part) for part in pack({"done": 1}, arrays))))
    assert header == {"done": 1}
    for one, other in zip(arrays, found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "header",
    [
        b"\xff\xfe",
        b"[" * 10_000,
        b"[]",
        b"{}",
        {"arrays": 3},
        {"arrays": [["<f4"]]},
        {"arrays": [["O", [1]]]},
        {"arrays": [["no type", [1]]]},
        {"arrays": [["<f4", [-1]]]},
        {"arrays": [["<f4", [-2, -2]]]},
        {"arrays": [["<f4", [1e400]]]},
        {"arrays": [["<f4", [float("nan")]]]},
        {"arrays": [["<f4", [2**40, 2**40]]]},
        {"arrays": [["<f4", [1] * 65]]},
        {"arrays": [["<f4", [0] * 65]]},
    ],
)
def test_a_header_of_no_sense_is_refused(header):
    with pytest.raises(WireError):
        unpack(reader(message(header)))


def test_the_arrays_of_a_message_are_bounded_together():
    described = [["|u1", [2**30]], ["|u1", [2**30]], ["|u1", [1]]]
    chunks = iter([message({"arrays": described})])
    buffer = bytearray(next(chunks))

    def read(size):
        if buffer:
            part, buffer[:] = buffer[:size], buffer[size:]
            return part
        return np.zeros(size, np.uint8).data

    with pytest.raises(WireError, match="an array of uint8"):
        unpack(read)


def test_a_header_too_long_is_refused_before_it_is_read():
    with pytest.raises(WireError, match="a header of 4294967295 bytes"):
        unpack(reader(b"\xff\xff\xff\xff"))
