import io
import pickle
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostface_edge.calibration import plain_pickle
from ghostface_edge.calibration.plain_pickle import PlainPickleError, load


def run(program: bytes) -> object:
    return load(io.BytesIO(program), len(program))


@pytest.mark.parametrize("protocol", range(6))
def test_reads_what_python_writes(protocol):
    content = ([b"", b"\xff'\n\\x", b"long" * 999], [True, False, 0, -1, 2**31, -(2**40)], ([], ()))
    shared = [content[0], content[0]]
    assert run(pickle.dumps(content, protocol)) == content
    first, second = run(pickle.dumps(shared, protocol))
    assert first is second


@pytest.mark.parametrize("protocol", range(6))
def test_reads_arrays_with_shape_order_and_kind(protocol):
    written = [
        np.arange(6, dtype=np.uint8).reshape(2, 3, order="F"),
        np.array([True, False]),
        np.zeros((2, 0), np.uint8),
    ]
    read = run(pickle.dumps(written, protocol))
    assert [(one.shape, one.order, one.kind) for one in read] == [
        ((2, 3), "F", "u"),
        ((2,), "C", "b"),
        ((2, 0), "C", "u"),
    ]
    assert [one.raw for one in read] == [one.tobytes(order="A") for one in written]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (b"", "not a complete pickle"),
        (b"\x80\x02]", "not a complete pickle"),
        (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60), "not a complete pickle"),
        (b"T" + struct.pack("<i", -1), "not a complete pickle"),
        (b".", "nothing is on its stack"),
        (b"(.", "nothing is on its stack"),
        (b"N(a.", "nothing is on its stack"),
        (b"(\x85.", "nothing is on its stack"),
        (b"t.", "no mark"),
        (b"e.", "no mark"),
        (b"NNa.", "appends to something that is no list"),
        (b"h\x07.", "never stored"),
        (b"g99999\n.", "never stored"),
        (b"I" + b"9" * 5000 + b"\n.", "a line without an end"),
        (b"I" + b"9" * 100 + b"\n.", "as a number"),
        (b"I0x7\n.", "as a number"),
        (b"L-\n.", "as a number"),
        (b"\x8a\xff" + bytes(255) + b".", "a number of 255 bytes"),
        (b"\x8b" + struct.pack("<i", 9) + bytes(9) + b".", "no pickle of plain data"),
        (b"Sno quotes\n.", "without quotes"),
        (b"S'\n.", "without quotes"),
        (b"S'\\x'\n.", "cannot be read"),
        (b"V\\u12\n.", "cannot be read"),
        (b"X\x01\0\0\0\xff.", "not UTF-8"),
        (b"cos\nsystem\n.", "asks for os.system"),
        (b"\x8c\x02os\x8c\x06system\x93.", "asks for os.system"),
        (b"NN\x93.", "a value of type NoneType"),
        (b"c" + b"a" * 999 + b"\nb\n.", "a line without an end"),
        (b"NNR.", "calls something that is no function"),
        (b"cnumpy\ndtype\nNR.", "calls something that is no function"),
        (b"NNb.", "fills something that is no array"),
        (b"cnumpy\nndarray\n)RNb.", "array of an unknown kind"),
        (b"cnumpy\ndtype\n(U\x02f8tR.", "dtype 'f8'"),
        (b"cnumpy\ndtype\n)R.", "dtype"),
        (b"cbuiltins\nbytes\nK\x05\x85R.", "bytes"),
        (b"c_codecs\nencode\n(U\x01aU\x06latin1tR.", "encodes something else"),
        (b"c_codecs\nencode\n(X\x01\0\0\0aX\x05\0\0\0utf-8tR.", "encodes something else"),
        (b"c_codecs\nencode\n(X\x03\0\0\0\xe2\x82\xacX\x06\0\0\0latin1tR.", "Latin-1 that is not"),
    ],
)
def test_refuses_by_reason(program, reason):
    with pytest.raises(PlainPickleError, match=reason):
        run(program)


@pytest.mark.parametrize("code", sorted(set(range(256)) - {code[0] for code in plain_pickle._STEPS} - {ord(".")}))
def test_refuses_every_other_instruction(code):
    with pytest.raises(PlainPickleError, match="no pickle of plain data"):
        run(bytes([code]) + b".")


@pytest.mark.parametrize("content", [{}, {1}, 1.5, 1j, Fraction(1, 2), ..., range(3), np.arange(3.0), int])
def test_refuses_other_values(content):
    with pytest.raises(PlainPickleError):
        run(pickle.dumps([content]))


@pytest.mark.parametrize("shape", ["(J\xff\xff\xff\xffI-9\nt", "(I3\nI4\nt", "(" + "K\x01" * 99 + "t", "]", "(]t"])
def test_refuses_shapes_that_do_not_fit(shape):
    program = b"cnumpy\nndarray\n)R(K\x01" + shape.encode("latin-1") + b"cnumpy\ndtype\n(U\x02u1tR\x89U\x09ninebytestb."
    with pytest.raises(PlainPickleError, match="do not fit its shape"):
        run(program)


def test_instructions_are_counted(monkeypatch):
    monkeypatch.setattr(plain_pickle, "MAX_INSTRUCTIONS", 100)
    assert run(b"N" * 99 + b".") is None
    with pytest.raises(PlainPickleError, match="more than 100 instructions"):
        run(b"N" * 100 + b".")


def test_nothing_behind_the_end_is_read():
    file = io.BytesIO(b"N.rest")
    assert load(file, 6) is None
    assert file.read() == b"rest"


def test_what_holds_itself_is_read_and_no_more():
    held = run(b"]q\x00h\x00a.")
    assert held[0] is held
    assert run(b"(" * 5 + b"t" * 5 + b".") == (((((),),),),)


def test_text_is_encoded_once_however_often_it_is_asked_for():
    one, other = run(b"X\x03\0\0\0abcq\x00(" + b"c_codecs\nencode\n(h\x00X\x06\0\0\0latin1tR" * 2 + b"t.")
    assert one == b"abc"
    assert one is other


@given(st.binary(max_size=80), st.sampled_from([b"", b"\x80\x04", b"](", b"cnumpy\nndarray\n)R(K\x01"]))
def test_any_bytes_are_read_or_refused(data, start):
    try:
        content = run(start + data)
    except PlainPickleError:
        return
    assert not callable(content)
