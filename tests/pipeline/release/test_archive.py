import io
import random
import struct
import zipfile
import zlib
from dataclasses import dataclass, field

import pytest

from ghostface_edge.pipeline.release import archive as archives
from ghostface_edge.pipeline.release.archive import Writer, opened
from ghostface_edge.reports.errors import InputError

CONTENT = {"a/one.bin": b"first" * 50, "empty": b"", "na\u00efve.txt": bytes(range(0, 256, 8))}
DEFLATED = zlib.compress(b"x" * 5000, wbits=-15)


@dataclass
class Entry:
    """A member spelt out for the zip format, as a bundle's would be unless told otherwise.

    `local` replaces fields of the header before the content, `central` those of the directory, `both` both.
    """

    name: str
    data: bytes = b"data"
    both: dict = field(default_factory=dict)
    local: dict = field(default_factory=dict)
    central: dict = field(default_factory=dict)
    before: bytes = b""
    """Bytes between the last member and this one."""
    extra: bytes = b""
    note: bytes = b""

    def fields(self, more):
        name = self.name.encode()
        usual = {
            "made_by": 3 << 8 | 20,
            "needed": 20,
            "flags": 0x800,
            "method": 0,
            "time": 0,
            "date": 0x21,
            "crc": zlib.crc32(self.data),
            "packed": len(self.data),
            "size": len(self.data),
            "extra": len(self.extra),
            "disk": 0,
            "internal": 0,
            "external": 0o100644 << 16,
            "name": name,
        }
        return usual | self.both | more


def zipped(*entries, between=b"", after=b"", comment=b"", **end):
    """A zip file, spelt out byte by byte."""
    content, directory = b"", b""
    for entry in entries:
        content += entry.before
        at = entry.fields(entry.local)
        offset = len(content)
        content += struct.pack(
            "<4s5H3I2H",
            *(b"PK\3\4", at["needed"], at["flags"], at["method"], at["time"], at["date"]),
            *(at["crc"], at["packed"], at["size"], len(at["name"]), at["extra"]),
        )
        content += at["name"] + entry.extra + entry.data
        at = entry.fields({"offset": offset, **entry.central})
        directory += struct.pack(
            "<4s6H3I5H2I",
            *(b"PK\1\2", at["made_by"], at["needed"], at["flags"], at["method"], at["time"], at["date"]),
            *(at["crc"], at["packed"], at["size"], len(at["name"]), at["extra"], len(entry.note)),
            *(at["disk"], at["internal"], at["external"], at["offset"]),
        )
        directory += at["name"] + entry.extra + entry.note
    at = {
        "disk": 0,
        "first": 0,
        "here": len(entries),
        "members": len(entries),
        "length": len(directory),
        "offset": len(content + between),
    } | end
    last = struct.pack("<4s4H2IH", b"PK\5\6", *at.values(), len(comment))
    return content + between + directory + last + comment + after


def write(path, content=CONTENT):
    with path.open("w+b") as file:
        writer = Writer(file)
        for name, data in content.items():
            writer.add(name, [data[:7], data[7:]])
        writer.finish()
    return path


def read(path):
    with opened(path, where="x.zip", fix="get it again") as archive:
        return {name: archive.read(name, 2**20) for name in archive.members}


def read_all(data):
    archive = archives.Archive(io.BytesIO(data), len(data), "x.zip", "get it again")
    return {name: archive.read(name, 2**20) for name in archive.members}


def refusal(data):
    with pytest.raises(InputError) as refused:
        read_all(data)
    assert refused.value.fix == "get it again"
    assert refused.value.message.startswith("x.zip: ")
    return refused.value.message


def test_any_tool_unpacks_what_is_written(tmp_path):
    path = write(tmp_path / "x.zip")
    with zipfile.ZipFile(path) as other:
        assert other.testzip() is None
        assert {name: other.read(name) for name in other.namelist()} == CONTENT
        assert {entry.external_attr >> 16 for entry in other.infolist()} == {0o100644}
    assert read(path) == CONTENT


def test_every_field_is_as_the_format_says(tmp_path):
    spelt = zipped(*(Entry(name, data) for name, data in CONTENT.items()))
    assert write(tmp_path / "x.zip").read_bytes() == spelt


def test_the_writer_says_what_it_wrote(tmp_path):
    with (tmp_path / "x.zip").open("w+b") as file:
        assert Writer(file).add("a", [b"ab", b"c"]).startswith("ba7816bf")


def test_an_empty_archive_is_one(tmp_path):
    assert read(write(tmp_path / "x.zip", {})) == {}


def test_blocks_of_a_large_member(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "BLOCK_BYTES", 100)
    path = write(tmp_path / "x.zip")
    with opened(path, where="x.zip", fix="") as archive:
        assert [len(block) for block in archive.blocks("a/one.bin")] == [100, 100, 50]


def test_what_is_missing_or_too_large_is_not_read(tmp_path):
    with opened(write(tmp_path / "x.zip"), where="x.zip", fix="") as archive:
        with pytest.raises(InputError, match="holds no b"):
            archive.read("b", 10)
        with pytest.raises(InputError, match=r"a/one\.bin has 250 bytes, more than the 249"):
            archive.read("a/one.bin", 249)
        assert archive.read("a/one.bin", 250) == CONTENT["a/one.bin"]


A, B = Entry("a"), Entry("b")
HOSTILE = {
    "nothing": (b"", "cut off"),
    "text": (b"no zip" * 10, "cut off"),
    "cut": (zipped(A)[:-1], "cut off"),
    "something before": (b"#!" + zipped(A), "does not end as a bundle does"),
    "something before, with true offsets": (
        zipped(Entry("a", before=b"#!")),
        "a: offset 2, where a bundle has 0",
    ),
    "something between members": (zipped(A, Entry("b", before=b"hidden")), "b: offset"),
    "a member that the directory hides": (zipped(A, Entry("b", before=zipped(B))), "b: offset"),
    "something before the directory": (zipped(A, between=b"hidden"), "between its last member and its directory"),
    "something after": (zipped(A, after=b"\0"), "cut off"),
    "another zip after": (zipped(A, after=zipped(B)), "does not end as a bundle does"),
    "a comment": (zipped(A, comment=b"PK\5\6" + b"\0" * 18), "does not end as a bundle does"),
    "a length of comment without one": (zipped(A)[:-2] + b"\1\0", "does not end as a bundle does"),
    "fewer members than entries": (zipped(A, B, here=1, members=1), "its last member and its directory"),
    "a hidden entry behind a longer directory": (zipped(A, B, members=1), "does not end as a bundle does"),
    "more members than entries": (zipped(A, here=2, members=2), "ends before member 2"),
    "several disks": (zipped(A, disk=1), "does not end as a bundle does"),
    "a directory on another disk": (zipped(A, first=1), "does not end as a bundle does"),
    "zip64 in the end": (zipped(A, here=0xFFFF, members=0xFFFF, length=0xFFFFFFFF), "does not end as a bundle does"),
    "a huge number of members": (zipped(A, here=60_000, members=60_000), "60,000 members"),
    "a huge directory": (zipped(Entry("a", note=b"n" * 1000)), "a directory of 1 members and 1,047 bytes"),
    "two members of one name": (zipped(A, Entry("a", b"evil")), "a occurs more than once"),
    "case twins": (zipped(A, Entry("A")), "A and a are one and the same"),
    "a folder that is a file": (zipped(A, Entry("a/b")), "a: both a file and a folder"),
    "a way up": (zipped(Entry("../a")), "'../a' cannot be the name"),
    "an absolute name": (zipped(Entry("/etc/passwd")), "'/etc/passwd' cannot be the name"),
    "a backslash": (zipped(Entry("..\\a")), "cannot be the name"),
    "a drive": (zipped(Entry("C:a")), "cannot be the name"),
    "a name of two lines": (zipped(Entry("a\n::error::")), r"'a\n::error::' cannot be the name"),
    "a folder": (zipped(Entry("a/", b"")), "cannot be the name"),
    "no name": (zipped(Entry("")), "cannot be the name"),
    "a long name": (zipped(Entry("a" * 300)), "a directory of 1 members and 346 bytes"),
    "a long name beside a short one": (zipped(A, Entry("b" * 256)), "length of the name 256, where a bundle has 255"),
    "a name that is not UTF-8": (zipped(Entry("a", both={"name": b"\xff"})), "member 1 is not UTF-8"),
    "a name of the longest length": (zipped(Entry("a", central={"name": b"b" * 65_535})), "bytes is larger than any"),
    "another name before the content": (zipped(Entry("a", local={"name": b"b"})), "what stands before a differs"),
    "a longer name before the content": (zipped(Entry("a", local={"name": b"bb"})), "between its last member"),
    "a link": (zipped(Entry("a", central={"external": 0o120777 << 16})), "a: external attributes"),
    "a device": (zipped(Entry("a", central={"external": 0o020666 << 16})), "a: external attributes"),
    "a program": (zipped(Entry("a", central={"external": 0o104755 << 16})), "a: external attributes"),
    "an attribute of DOS": (zipped(Entry("a", central={"external": 0x10})), "a: external attributes"),
    "a note of text": (zipped(Entry("a", central={"internal": 1})), "a: internal attributes"),
    "a member on another disk": (zipped(Entry("a", central={"disk": 1})), "a: disk"),
    "made elsewhere": (zipped(Entry("a", central={"made_by": 20})), "a: version made by"),
    "for a later version": (zipped(Entry("a", both={"needed": 45})), "a: version needed"),
    "encrypted": (zipped(Entry("a", both={"flags": 0x801})), "a: flags 2049, where a bundle has 2048"),
    "encrypted, says the header alone": (zipped(Entry("a", local={"flags": 0x801})), "what stands before a"),
    "a data descriptor": (zipped(Entry("a", both={"flags": 0x808})), "a: flags"),
    "names in an old code page": (zipped(Entry("a", both={"flags": 0})), "a: flags"),
    "deflated": (zipped(Entry("a", DEFLATED, {"method": 8, "size": 5000})), "a: compression method 8"),
    "an unknown method": (zipped(Entry("a", both={"method": 99})), "a: compression method 99"),
    "deflated, says the header alone": (zipped(Entry("a", local={"method": 8})), "what stands before a"),
    "made at another time": (zipped(Entry("a", both={"time": 1})), "a: time"),
    "made on another day": (zipped(Entry("a", both={"date": 0x22})), "a: date"),
    "two sizes": (zipped(Entry("a", central={"packed": 3})), "a: packed size 3"),
    "a smaller size": (zipped(Entry("a", both={"packed": 3, "size": 3})), "between its last member and its directory"),
    "a larger size": (zipped(Entry("a", both={"packed": 5, "size": 5})), "a reaches past the end"),
    "zip64 in a member": (zipped(Entry("a", both={"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF})), "a reaches past"),
    "another size before the content": (zipped(Entry("a", local={"size": 3})), "what stands before a"),
    "an extra field": (zipped(Entry("a", extra=b"\1\0\0\0")), "a: length of extra fields"),
    "a comment of a member": (zipped(Entry("a", note=b"n")), "a: length of the comment"),
    "an offset into another member": (zipped(A, Entry("b", central={"offset": 0})), "b: offset"),
    "another signature of an entry": (zipped(A).replace(b"PK\1\2", b"PK\1\3"), "a: signature"),
    "another signature of a member": (zipped(A).replace(b"PK\3\4", b"PK\7\x08"), "what stands before a"),
    "another signature of the end": (zipped(A).replace(b"PK\5\6", b"PK\6\6"), "cut off"),
    "another CRC": (zipped(Entry("a", both={"crc": 7})), "a is damaged: its CRC is adf3f363, not 00000007"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_every_other_form_is_refused_and_the_member_named(kind):
    data, problem = HOSTILE[kind]
    said = refusal(data)
    assert problem in said
    assert said.isprintable()


def test_members_in_another_order_than_their_entries():
    whole = zipped(A, B)
    (start,) = struct.unpack_from("<I", whole, len(whole) - 6)
    first, second = whole[start : start + 47], whole[start + 47 : start + 94]
    assert "b: offset" in refusal(whole[:start] + second + first + whole[start + 94 :])


@pytest.mark.parametrize("kind", ["deflated", "stored", "streamed", "zip64"])
def test_what_other_writers_write_is_refused(kind):
    """zipfile notes another system's attributes, deflates, or leaves sizes for later."""

    class Stream(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

    target = Stream() if kind == "streamed" else io.BytesIO()
    method = zipfile.ZIP_DEFLATED if kind == "deflated" else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", method) as other, other.open("a", "w", force_zip64=kind == "zip64") as member:
        member.write(b"x" * 1000)
    assert "a: " in refusal(target.getvalue())


def test_no_byte_can_change_unnoticed(tmp_path):
    good = write(tmp_path / "x.zip").read_bytes()
    rng = random.Random(5)
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= rng.randrange(1, 256)
        refusal(bytes(bad))


def test_no_part_can_be_cut_out_unnoticed(tmp_path):
    good = write(tmp_path / "x.zip").read_bytes()
    rng = random.Random(6)
    for _ in range(200):
        start, end = sorted(rng.sample(range(len(good)), 2))
        refusal(good[:start] + good[end:])


def test_a_size_that_no_bundle_has_is_refused_before_anything_is_read(tmp_path):
    path = tmp_path / "x.zip"
    with path.open("wb") as file:
        file.truncate(archives.MAX_BYTES + 1)
    with pytest.raises(InputError, match="2,147,483,649 bytes, more than"):
        read(path)


def test_more_than_fits_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 132)
    with (tmp_path / "x").open("w+b") as file:
        writer = Writer(file)
        writer.add("a", [b"x" * 50])
        writer.add("b", [b"x" * 20])
        assert file.tell() == 132
    with (tmp_path / "x").open("w+b") as file:
        writer = Writer(file)
        writer.add("a", [b"x" * 50])
        with pytest.raises(InputError, match="with b the bundle has more than"):
            writer.add("b", [b"x" * 20, b"x"])


def test_a_disk_that_fails_is_said(tmp_path):
    class Faulty(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match=r"x\.zip: cannot be read: Input/output error"):
        archives.Archive(Faulty(), 100, "x.zip", "")
