import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.bin_file import read_bin, write_bin
from ghostface_edge.reports.errors import ExitCode, InputError

LABELS = [True, False]


@pytest.fixture
def faces(picture, encode):
    return [encode(picture(seed)) for seed in range(4)]


def written(folder: Path, content: object, protocol: int = 2) -> Path:
    path = folder / "set.bin"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_reads_bytes_of_every_protocol(tmp_path, faces, protocol):
    images, same = read_bin(written(tmp_path, (faces, LABELS), protocol))
    assert images == faces
    assert same.tolist() == LABELS


@pytest.mark.parametrize("protocol", range(6))
def test_reads_arrays_of_every_protocol(tmp_path, faces, protocol):
    arrays = [np.frombuffer(face, np.uint8) for face in faces]
    images, same = read_bin(written(tmp_path, [arrays, np.array(LABELS)], protocol))
    assert images == faces
    assert same.tolist() == LABELS


def test_reads_python_2_strings(tmp_path, faces):
    """What cPickle of Python 2 wrote: BINSTRING opcodes, no bytes type."""
    items = b"".join(b"T" + len(face).to_bytes(4, "little") + face for face in faces)
    path = tmp_path / "set.bin"
    path.write_bytes(b"\x80\x02](" + items + b"e](I01\nI00\ne\x86.")
    assert read_bin(path)[0] == faces


def test_reads_numpy_labels_one_by_one(tmp_path, faces):
    assert read_bin(written(tmp_path, (faces, [np.True_, np.False_])))[1].tolist() == LABELS


def test_reads_decoded_arrays_as_rgb(tmp_path, picture):
    pixels = [picture(seed) for seed in range(4)]
    pixels[1] = np.asfortranarray(pixels[1])
    images, _ = read_bin(written(tmp_path, (pixels, LABELS)))
    assert (next(iterate_faces(images, 4)) == np.stack(pixels)).all()


def test_writes_what_it_reads(tmp_path, faces):
    write_bin(tmp_path / "new.bin", faces, LABELS)
    images, same = read_bin(tmp_path / "new.bin")
    assert images == faces
    assert same.tolist() == LABELS
    assert pickle.loads((tmp_path / "new.bin").read_bytes(), encoding="bytes") == (faces, LABELS)


class Exploit:
    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "argument", "named"),
    [(Path, "x", "pathlib"), (eval, "1", "builtins.eval"), (bytes, 1 << 40, "bytes"), (np.zeros, 9, "numpy.zeros")],
)
def test_refuses_and_names_every_other_global(tmp_path, faces, function, argument, named):
    with pytest.raises(InputError, match=named) as caught:
        read_bin(written(tmp_path, ([*faces[:3], Exploit(function, argument)], LABELS), 4))
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_refuses_a_harmful_reduce_without_running_it(tmp_path, faces):
    victim = tmp_path / "victim"
    victim.write_text("alive")
    with pytest.raises(InputError, match="asks for"):
        read_bin(written(tmp_path, ([*faces[:3], Exploit(Path.unlink, victim)], LABELS)))
    assert victim.read_text() == "alive"


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02]r\xff\xff\xff\xff.",  # LONG_BINPUT: the unpickler would take 32 GB
        b"\x80\x04\x8e" + (1 << 60).to_bytes(8, "little") + b"x.",  # BINBYTES8 of an exabyte
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(M\xff\xff\x86tR(K\x01K\x09cnumpy\ndtype\n(U\x02u1tR\x89U\x00tb.",
        b"",
        b"not a pickle",
        b"\x80\x04N.",
        b"\x80\x04]]\x86.",
        b"\x80\x04(K\x01K\x02t.",
        b"\x80\x04" + b"(" * 100_000 + b".",
    ],
)
def test_refuses_hostile_programs(tmp_path, program):
    path = tmp_path / "set.bin"
    path.write_bytes(program)
    with pytest.raises(InputError, match=r"set\.bin"):
        read_bin(path)


def test_refuses_an_odd_count_with_the_figures(tmp_path, faces):
    with pytest.raises(InputError, match="3 images and 2 labels; 2 pairs need 4 images"):
        read_bin(written(tmp_path, (faces[:3], LABELS)))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_refuses_a_truncated_file_with_its_size(tmp_path, faces, kept):
    path = written(tmp_path, (faces, LABELS), 4)
    data = path.read_bytes()[: int(path.stat().st_size * kept)]
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"not a complete pickle .{len(data):,} bytes"):
        read_bin(path)


@pytest.mark.parametrize(
    ("images", "labels", "reason"),
    [
        (["text"] * 4, LABELS, "image 0 is of type str"),
        ([np.zeros((5, 5, 3), np.uint8)] * 4, LABELS, r"image 0 is an array of shape \(5, 5, 3\)"),
        ([np.zeros(5, np.float64)] * 4, LABELS, "dtype 'f8'"),
        ([b"x"] * 4, [True, 7], "label 1 is '7'"),
        ([b"x"] * 4, [True, "yes"], "label 1 is"),
    ],
)
def test_refuses_other_contents(tmp_path, images, labels, reason):
    with pytest.raises(InputError, match=reason):
        read_bin(written(tmp_path, (images, labels), 4))


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_bin(tmp_path / "none.bin")


READ = "from ghostface_edge.calibration.bin_file import read_bin; read_bin(Path(sys.argv[1]))"
PAIRS = 16_000
PIXELS = np.random.default_rng(1).integers(0, 128, 112 * 112 * 3, np.uint8).tobytes()
SIZED = len(PIXELS).to_bytes(4, "little") + PIXELS
BYTES = b"B" + SIZED + b"q\x00"
ENCODED = b"c_codecs\nencode\n(%bU\x06latin1tR"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01(KpKpK\x03tcnumpy\ndtype\n(U\x02u1tR\x89h\x00tb"


@pytest.mark.parametrize(
    ("first", "again"),
    [(ENCODED % (b"X" + SIZED + b"q\x00"), ENCODED % b"h\x00"), (BYTES, ARRAY)],
    ids=["encoded", "pixels"],
)
def test_one_object_used_many_times_stays_one(tmp_path, refused_within, first, again):
    """As so many strings or PNGs it would be 1.2 GB."""
    path = tmp_path / "set.bin"
    path.write_bytes(b"\x80\x02(](" + first + again * (2 * PAIRS - 1) + b"e](" + b"\x88" * PAIRS + b"et.")
    assert refused_within(READ, path) == "accepted\n"


def test_millions_of_small_instructions_are_refused_in_bounded_memory(tmp_path, refused_within):
    path = tmp_path / "set.bin"
    path.write_bytes(b"\x80\x04" + b"]\x94" * 1_000_000)
    assert "more than 1,048,576 instructions" in refused_within(READ, path)


def test_the_size_is_bounded(tmp_path):
    path = tmp_path / "set.bin"
    with path.open("wb") as file:
        file.truncate(600 << 20)
    with pytest.raises(InputError, match="more than the 536,870,912 that such a file may have"):
        read_bin(path)


def test_what_is_no_ordinary_file_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe.bin")
    (tmp_path / "endless.bin").symlink_to("/dev/zero")
    (tmp_path / "loop.bin").symlink_to("loop.bin")
    for name, reason in {"pipe.bin": "a pipe", "endless.bin": "a device", "loop.bin": "cannot be read"}.items():
        with pytest.raises(InputError, match=reason):
            read_bin(tmp_path / name)


def test_labels_of_thousands_of_digits_are_named_short(tmp_path, faces):
    with pytest.raises(InputError, match=r"of 255 bytes|no pickle of plain data") as caught:
        read_bin(written(tmp_path, (faces, [True, 10**5000])))
    assert len(str(caught.value)) < 400
