"""Mutations that keep a format's structure, for parsers that refuse plain noise at once.

Each takes an input, the largest size and a seed, and gives the next input; half of the time each hands the bytes to
libFuzzer's own mutations, so that broken structure is tried too.
"""

import io
import json
import pickletools
import random
import zipfile
from collections.abc import Callable
from typing import Any

from ghostface_edge.pipeline.release.archive import Writer

Mutator = Callable[[bytes, int, int], bytes]

NUMBERS = (0, 1, -1, 2, 7, 127, 128, 255, 65_535, 2**31 - 1, 2**31, -(2**31), 2**32, 2**63 - 1, 2**63, 2**64, 10**20)
FLOATS = (0.0, -0.0, 0.5, 1e-320, 1e308, -1e308, float("nan"), float("inf"), float("-inf"))
TEXTS = (
    "",
    " ",
    ".",
    "..",
    "/",
    "../x",
    "\\",
    "\0",
    "\n::error::x",
    "\x1b[31m",
    "é",
    "\ud800",
    "*",
    "nan",
    "1e999",
    "A" * 300,
)


def bytewise(data: bytes, size: int, seed: int) -> bytes:
    """What libFuzzer does by itself."""
    import atheris

    return atheris.Mutate(data, size)


def or_bytewise(mutate: Callable[[bytes, random.Random], bytes]) -> Mutator:
    """A structured mutation, with plain ones in between."""

    def chosen(data: bytes, size: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.25:
            return bytewise(data, size, seed)
        try:
            for _ in range(chance.choice((1, 1, 1, 2, 4))):
                data = mutate(data, chance)
        except Exception:  # what noise has broken has no structure left
            return bytewise(data, size, seed)
        return data[:size]

    return chosen


def value(chance: random.Random, depth: int = 2) -> Any:
    """A JSON value that parsers trip over."""
    if depth and chance.random() < 0.25:
        inner = [value(chance, depth - 1) for _ in range(chance.randrange(4))]
        return inner if chance.random() < 0.5 else {chance.choice(TEXTS): part for part in inner}
    kind = chance.choice(
        (NUMBERS, NUMBERS, FLOATS, TEXTS, (None, True, False), ("name", 1.5, -3, "0.001", "2026-01-01"))
    )
    return chance.choice(kind)


def places(tree: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        found.append((tree, key))
        places(tree[key], found)
    return found


def mutate_tree(tree: Any, chance: random.Random) -> Any:
    """Replace, remove, add, copy or swap one part of a JSON tree."""
    spots = places(tree, [])
    if not spots:
        return value(chance)
    holder, key = chance.choice(spots)
    other, place = chance.choice(spots)
    match chance.randrange(7):
        case 0:
            del holder[key]
        case 1:
            holder[key] = json.loads(json.dumps(other[place]))
        case 2 if isinstance(holder, dict):
            holder[chance.choice((*TEXTS, str(place)))] = value(chance)
        case 2:
            holder.insert(key, json.loads(json.dumps(holder[key])))
        case 3 if isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] = chance.choice((holder[key] + 1, -holder[key], holder[key] * 1e6, str(holder[key])))
        case _:
            holder[key] = value(chance)
    return tree


def _json(data: bytes, chance: random.Random) -> bytes:
    return json.dumps(mutate_tree(json.loads(data), chance)).encode()


OPCODES = (
    b"(", b".", b"0", b"1", b"2", b"N", b"]", b"}", b")", b"l", b"d", b"t", b"a", b"e", b"s", b"u", b"b", b"R", b"\x81",
    b"\x85", b"\x86", b"\x87", b"\x88", b"\x89", b"\x8f", b"\x90", b"\x91", b"\x93", b"\x94", b"Q", b"\x98",
    b"K\x02", b"M\xff\xff", b"J\xff\xff\xff\xff", b"\x8a\x08" + bytes(7) + b"\x40", b"I10\n", b"L5L\n", b"F1.5\n",
    b"G" + bytes(8), b"q\x01", b"h\x00", b"h\x01", b"r\x05\0\0\0", b"j\x00\0\0\0", b"p3\n", b"g0\n", b"C\x03abc",
    b"U\x02u1", b"X\x02\0\0\0b1", b"\x8c\x02u1", b"\x80\x02", b"\x95" + bytes(8), b"\x82\x01", b"Pid\n",
    b"\x96" + bytes(8),
    b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"c_codecs\nencode\n",
    b"cnumpy.core.multiarray\nscalar\n", b"cnumpy._core.numeric\n_frombuffer\n", b"cbuiltins\nbytes\n",
    b"cos\nsystem\n", b"inumpy\ndtype\n", b"onumpy\ndtype\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n", b"ccollections\nOrderedDict\n",
    b"Q", b"X\x07\0\0\0storage",
)  # fmt: skip


def _pickle(data: bytes, chance: random.Random) -> bytes:
    starts = [position for _, _, position in pickletools.genops(data)]
    parts = [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
    at = chance.randrange(len(parts))
    end = min(len(parts), at + chance.randrange(1, 6))
    match chance.randrange(5):
        case 0:
            del parts[at:end]
        case 1:
            parts[at:at] = parts[at:end] * chance.choice((1, 1, 2, 40))
        case 2:
            other = chance.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        case 3:
            parts[at] = chance.choice(OPCODES)
        case _:
            parts.insert(at, chance.choice(OPCODES))
    return b"".join(parts)


def _protobuf(message_type: Callable[[], Any]) -> Callable[[bytes, random.Random], bytes]:
    def mutate(data: bytes, chance: random.Random) -> bytes:
        message = message_type()
        message.ParseFromString(data)
        owner = message
        while True:  # down to a random message
            inner = [
                part for field, held in owner.ListFields() if field.message_type for part in _messages(field, held)
            ]
            if not inner or (owner is not message and chance.random() < 0.3):
                break
            owner = chance.choice(inner)
        _mutate_message(owner, chance)
        return message.SerializeToString()

    return mutate


def _messages(field: Any, held: Any) -> list[Any]:
    return list(held) if field.is_repeated else [held]


def _mutate_message(owner: Any, chance: random.Random) -> None:
    field = chance.choice([field for field, _ in owner.ListFields()] + list(owner.DESCRIPTOR.fields)[:4])
    if chance.random() < 0.15:
        owner.ClearField(field.name)
    elif field.is_repeated:
        held = getattr(owner, field.name)
        if held and chance.random() < 0.4:
            del held[chance.randrange(len(held))]
        elif held and field.message_type:
            held.add().CopyFrom(chance.choice(held))
        elif field.message_type:
            held.add()
        else:
            held.append(_scalar(field, chance, list(held)))
    elif field.message_type:
        getattr(owner, field.name).SetInParent()
    else:
        setattr(owner, field.name, _scalar(field, chance, [getattr(owner, field.name)]))


def _scalar(field: Any, chance: random.Random, near: list[Any]) -> Any:
    if field.cpp_type == field.CPPTYPE_STRING:
        if field.type == field.TYPE_BYTES:
            return (near[0] if near else b"") + bytes(chance.randrange(9))
        names = ("", "faces", "map", "weight", "scale", "zero", "faces.q", "Conv", "Loop", "If", "Constant", "strides")
        return chance.choice((*names, "DequantizeLinear", "Identity", "\0", "../x"))
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return chance.choice((0.0, -1.0, 1e-30, 1e30, float("nan"), float("inf")))
    if field.cpp_type == field.CPPTYPE_ENUM:
        return chance.choice([item.number for item in field.enum_type.values])
    limit = 2**63 - 1 if field.cpp_type == field.CPPTYPE_INT64 else 2**31 - 1
    return chance.choice([0, 1, 2, 3, 7, 16, 1000, 65_536, limit, *(min(abs(int(one)) + 1, limit) for one in near[:1])])


def _zip(data: bytes, chance: random.Random) -> bytes:
    """Change a bundle's members and, half of the time, make the manifest agree with them."""
    import hashlib

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    at = chance.randrange(len(members))
    name, content = members[at]
    match chance.randrange(6):
        case 0:
            del members[at]
        case 1:
            members.append((name, chance.choice((b"", content, b"{}", content[: len(content) // 2]))))
        case 2:
            members[at] = (chance.choice((*TEXTS[:10], f"{name}/", f"/{name}", name.upper(), f"./{name}")), content)
        case 3 if name.endswith(".json"):
            members[at] = (name, _json(content, chance))
        case _:
            members[at] = (name, bytewise(content or b"x", 4096, chance.randrange(2**31)))
    if chance.random() < 0.5:
        files = {
            name: {"bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()}
            for name, part in members
            if name != "manifest.json"
        }
        members = [(name, _agreeing(part, files) if name == "manifest.json" else part) for name, part in members]
    buffer = io.BytesIO()
    if chance.random() < 0.7:
        writer = Writer(buffer)
        for name, part in members:
            writer.add(name, [part])
        writer.finish()
        return buffer.getvalue()
    with zipfile.ZipFile(buffer, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, part in members:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = chance.choice((0o644, 0o644, 0o644, 0o120777, 0o40755)) << 16
            archive.writestr(entry, part)
    return buffer.getvalue()


def _agreeing(manifest: bytes, files: dict[str, dict[str, object]]) -> bytes:
    """A manifest that names these files, if it is still one."""
    try:
        said = json.loads(manifest)
        said["files"] = dict(sorted(files.items()))
    except (ValueError, TypeError):
        return manifest
    return json.dumps(said, indent=2, ensure_ascii=False).encode(errors="replace") + b"\n"


def _torch(data: bytes, chance: random.Random) -> bytes:
    """Change the program of a PyTorch file, or one of its members."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    at = chance.randrange(len(members))
    if chance.random() < 0.75:
        at = next((place for place, (name, _) in enumerate(members) if name.endswith("data.pkl")), at)
    name, content = members[at]
    if name.endswith("data.pkl"):
        members[at] = (name, _pickle(content, chance))
    elif chance.random() < 0.4:
        del members[at]
    else:
        members[at] = (chance.choice((name, f"{name}/", "data.pkl", "a/data/0")), content[: chance.randrange(40)])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", chance.choice((zipfile.ZIP_STORED,) * 4 + (zipfile.ZIP_DEFLATED,))) as archive:
        for name, part in members:
            archive.writestr(name, part)
    return buffer.getvalue()


def _framed_json(data: bytes, chance: random.Random) -> bytes:
    """Change the JSON behind a length of 4 or 8 bytes, and make the length agree with it."""
    width = 8 if data[4:8] == bytes(4) else 4
    end = width + int.from_bytes(data[:width], "little")
    header = _json(data[width:end], chance)
    return len(header).to_bytes(width, "little") + header + data[end:]


def _lines(data: bytes, chance: random.Random) -> bytes:
    """Change lines and fields of a table."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    fields = lines[at].replace(b",", b"\t").split(b"\t")
    field = chance.randrange(len(fields))
    match chance.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, chance.choice(lines))
        case 2:
            del fields[field]
        case _:
            fields[field] = chance.choice(
                (*(text.encode(errors="surrogatepass") for text in TEXTS), *(str(one).encode() for one in NUMBERS))
            )
    if lines and at < len(lines):
        lines[at] = (b"," if b"," in lines[at] else b"\t").join(fields)
    return b"\n".join(lines)


def onnx_model(data: bytes, chance: random.Random) -> bytes:
    """Change one field of a model or of what it holds."""
    from onnx import ModelProto

    return _protobuf(ModelProto)(data, chance)


json_tree = or_bytewise(_json)
pickle_program = or_bytewise(_pickle)
bundle_members = or_bytewise(_zip)
torch_zip = or_bytewise(_torch)
framed_json = or_bytewise(_framed_json)
table = or_bytewise(_lines)
onnx_graph = or_bytewise(onnx_model)
