"""Bundles that somebody changed: one byte anywhere, or their structure; every one has to be refused, its file named.

`python -m tests.pipeline.release.tampering BUNDLE PUBLIC_KEY [--changes 1000]` (`nox -s tampering`) tries them on a
signed bundle, says how many were refused, how many of them by the name of the file, and how long that took at most.
The test suite tries a sample on a small one.
"""

import argparse
import hashlib
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.pipeline.release.archive import Member, Writer
from ghostface_edge.pipeline.release.check import check_bundle
from ghostface_edge.pipeline.support.dsse import read_public_key
from ghostface_edge.reports.errors import InputError

Files = dict[str, bytes]


@dataclass(frozen=True)
class Change:
    """A changed bundle."""

    what: str
    data: bytes
    names: tuple[str, ...]
    """Words of which the refusal must hold one."""


def read(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(members: list[tuple[str, bytes]]) -> bytes:
    """An archive of a bundle's form."""
    buffer = io.BytesIO()
    writer = Writer(buffer)
    for name, content in members:
        writer.add(name, [content])
    writer.finish()
    return buffer.getvalue()


def byte_changes(data: bytes, count: int, seed: int) -> Iterator[Change]:
    """One byte each: a third anywhere, a third in what stands before members, a third in the directory and its end."""
    chance = random.Random(seed)
    files = read(data)
    places, offset = [], 0
    for name, content in files.items():
        header = len(Member(name, 0, len(content), offset).header)
        places.append((offset, offset + header, name))
        offset += header + len(content)
    directory = offset
    for number in range(count):
        if number % 3 == 0:
            at = chance.randrange(len(data))
        elif number % 3 == 1:
            first, last, _ = chance.choice(places)
            at = chance.randrange(first, last)
        else:
            at = chance.randrange(directory, len(data))
        changed = bytearray(data)
        changed[at] ^= chance.randrange(1, 256)
        owner = [name for first, _, name in places if first <= at < directory][-1:] if at < directory else []
        yield Change(f"byte {at}", bytes(changed), tuple(owner) or ("member", "directory", "end", "name", *files))


def structural_changes(data: bytes, other: bytes | None = None) -> Iterator[Change]:
    """Everything that two readers could take for two things, and what does not belong.

    Args:
        data: a signed bundle.
        other: another one, signed by the same key.
    """
    files = read(data)
    members = [*files.items()]
    model = next(name for name in files if name.startswith("models/") and not name.endswith((".json", ".sha256")))
    where = next(number for number, (name, _) in enumerate(members) if name == model)

    def with_member(name: str, content: bytes = b"x") -> bytes:
        return written([*members[:where], (name, content), *members[where:]])

    yield Change("a duplicate", with_member(model), (model,))
    yield Change("a duplicate of the manifest", with_member("manifest.json", b"{}"), ("manifest.json",))
    renamed = [(f"{name}x" if name == model else name, content) for name, content in members]
    yield Change("renamed", written(renamed), (model, f"{model}x"))
    yield Change("missing", written([one for one in members if one[0] != model]), (model,))
    yield Change("added", with_member("models/added.onnx"), ("models/added.onnx",))
    yield Change("a nested zip", with_member("models/inner.zip", data[:1000]), ("models/inner.zip",))
    for name in ("/etc/passwd", "../secret", "models/../../secret", "models\\net", "C:net", "models/", "nul", "a\nb"):
        yield Change(f"named {name!r}", with_member(name), (ascii(name).strip("'"), name.split("/")[-1] or "models"))
    twin = f"models/{model.partition('/')[2].upper()}"
    yield Change("a case twin", with_member(twin), (model, twin))
    yield Change("a twin by normal form", with_member("models/cafe\u0301"), ("cafe\\u0301",))
    yield Change("another order", written(members[::-1]), ("order",))
    yield Change("bytes before", b"x" + data, ("before",))
    yield Change("bytes after", data + b"x", ("end",))
    yield Change("a comment", data[:-2] + b"\1\0x", ("end",))
    yield Change("cut", data[:-30], ("end",))
    link = bytearray(data)
    entry = data.index(b"PK\1\2")
    link[entry + 38 : entry + 42] = (0o120777 << 16).to_bytes(4, "little")
    yield Change("a link", bytes(link), (members[0][0],))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    yield Change("deflated, as a bomb is", packed.getvalue(), (members[0][0],))
    yield Change("one file, content of another", _with(files, {model: b"evil"}), (model,))
    yield Change("one file, and a manifest that fits", _fitting(files, {model: b"evil"}), (model, "manifest.json"))
    report = files["report.json"].replace(b'"verdict": "fail"', b'"verdict": "pass"')
    report = report if report != files["report.json"] else report.replace(b'"verdict": "pass"', b'"verdict": "fail"')
    yield Change("a forged verdict", _fitting(files, {"report.json": report}), ("report.json",))
    told = json.loads(files["report.json"])
    for variant in told["variants"]:
        if model in variant["files"]:
            evil = b"evil" * 50
            variant["files"][model] = hashlib.sha256(evil).hexdigest()
            if variant["artifact"]["path"] == model:
                variant["artifact"] |= {"sha256": hashlib.sha256(evil).hexdigest(), "bytes": len(evil)}
    swapped = (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()
    both = {model: b"evil" * 50, "report.json": swapped}
    yield Change("a swapped model, its hash in the report", _fitting(files, both), (model, "report.json"))
    for name in ("verdict.sig", "model.sig"):
        yield Change(f"without {name}", written([one for one in members if one[0] != name]), ("alone",))
        if other is not None:
            theirs = read(other)[name]
            yield Change(f"{name} of another bundle", _with(files, {name: theirs}), ("model.sig", "verdict.sig"))


def _with(files: Files, changed: Files) -> bytes:
    return written([*(files | changed).items()])


def _fitting(files: Files, changed: Files) -> bytes:
    """With a manifest that names sizes and hashes of the changed files."""
    manifest = json.loads(files["manifest.json"])
    for name, content in changed.items():
        manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    return _with(files, changed | {"manifest.json": text.encode()})


def refusal_of(change: Change, path: Path, public: Path) -> str | None:
    """What `verify` says of a changed bundle; None if it takes it."""
    path.write_bytes(change.data)
    try:
        check_bundle(path, read_public_key(public))
    except InputError as error:
        return str(error)
    return None


def is_named(change: Change, said: str) -> bool:
    """Whether a refusal names what is at fault."""
    return any(name in said for name in change.names)


def _try(changes: Iterator[Change], public: Path) -> bool:
    refused = named = tried = 0
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for change in changes:
            started = time.monotonic()
            said = refusal_of(change, Path(folder) / "bundle.zip", public)
            slowest = max(slowest, time.monotonic() - started)
            tried += 1
            refused += said is not None
            named += said is not None and is_named(change, said)
            if said is None or not is_named(change, said):
                print(f"  {change.what}: {said or 'TAKEN'}")
    print(f"  {refused} of {tried} refused, {named} with the file named, the slowest after {slowest:.2f} s")
    return refused == named == tried


def main() -> int:
    """Try a campaign on a bundle; 1 if one change was taken or not named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("key", type=Path, help="public key that signed it")
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--other", type=Path, help="another bundle of the same key")
    given = parser.parse_args()
    data, other = given.bundle.read_bytes(), given.other and given.other.read_bytes()
    print(f"one byte of {len(data):,}:")
    bytewise = _try(byte_changes(data, given.changes, seed=18), given.key)
    print("structure:")
    return 0 if _try(structural_changes(data, other), given.key) and bytewise else 1


if __name__ == "__main__":
    sys.exit(main())
