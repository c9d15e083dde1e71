"""Writers of a shared store killed at random moments, and how fast it is: `nox -s store -- [--kills 50] [--mb 8]`.

In a folder and in a bucket of an S3 server on this machine. Each writer puts one outcome of several files; it is killed
somewhere between its start and a little after its end. Then a reader with the key must find the outcome whole or not at
all, silently both times, and the next writer must bring it in. Afterwards outcomes are put and fetched to time them.
"""

import argparse
import os
import random
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ghostface_edge.pipeline.support import manifest
from ghostface_edge.pipeline.support.seal import Seal
from ghostface_edge.pipeline.support.shared_store import SharedStore, open_store

from .bucket_server import bucket_server

_WRITER = """
import sys
from pathlib import Path
from ghostface_edge.pipeline.support.shared_store import open_store

store = open_store(sys.argv[1], Path(sys.argv[2]))
store.fetch("stage-warm", Path(sys.argv[3]) / "warm", print)
print("ready", flush=True)
sys.stdin.readline()
store.put(sys.argv[4], Path(sys.argv[3]), print)
print("done", flush=True)
"""
_FILES = 4


def outcome(folder: Path, size: int) -> Path:
    """A finished outcome of so many random bytes, as the local store keeps it."""
    folder.mkdir()
    for number in range(_FILES):
        (folder / f"{number}.bin").write_bytes(os.urandom(size // _FILES))
    manifest.write_manifest(folder, "stage", Seal(bytes(32)))
    return folder


def same(one: Path, other: Path) -> bool:
    """Whether two outcomes have the same files."""
    return all((one / f"{n}.bin").read_bytes() == (other / f"{n}.bin").read_bytes() for n in range(_FILES))


def kill(url: str, key: Path, folder: Path, whole: Path, after_s: float, name: str) -> str:
    """Kill one writer; returns what it left."""
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, url, key, whole, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        if writer.stdout.readline() != "ready\n":
            return "NOT BEGUN"
        writer.stdin.write("\n")
        writer.stdin.flush()
        try:
            writer.wait(after_s)
        except subprocess.TimeoutExpired:
            writer.kill()
        was_done = "done" in writer.stdout.read()
    said: list[str] = []
    is_there = open_reader(url, key).fetch(name, folder, said.append)
    if is_there and not same(folder, whole):
        return "WRONG"
    if said != [f"{name} taken from the shared store"] * is_there:
        return f"SAID {said}"
    if was_done and not is_there:
        return "LOST"
    shutil.rmtree(folder, ignore_errors=True)
    writer_again = open_reader(url, key)
    writer_again.put(name, whole, said.append)
    if not writer_again.fetch(name, folder, said.append) or not same(folder, whole):
        return f"NOT MENDED {said}"
    shutil.rmtree(folder)
    return ("whole, writer had ended" if was_done else "whole") if is_there else "absent"


def open_reader(url: str, key: Path) -> SharedStore:
    """The store, opened anew."""
    store = open_store(url, key)
    assert store is not None
    return store


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def campaign(url: str, key: Path, scratch: Path, kills: int, size: int) -> bool:
    """Kill writers; says what was found."""
    whole = outcome(scratch / "whole", size)
    store = open_reader(url, key)
    store.fetch("stage-warm", scratch / "warm", print)
    whole_s = timed(lambda: store.put("stage-whole", whole, print))
    found: dict[str, int] = {}
    for number in range(kills):
        for path in whole.glob("*.bin"):
            path.write_bytes(os.urandom(path.stat().st_size))
        (whole / manifest.MANIFEST).unlink()
        manifest.write_manifest(whole, "stage", Seal(bytes(32)))
        moment = random.uniform(0, 1.1 * whole_s)
        what = kill(url, key, scratch / "read", whole, moment, f"stage-{number}")
        found[what] = found.get(what, 0) + 1
    print(f"{kills} writers killed within {1.1 * whole_s:.2f} s: {found}")
    return found.keys() <= {"whole", "absent", "whole, writer had ended"}


def throughput(url: str, key: Path, scratch: Path) -> None:
    """Put and fetch outcomes of several sizes; medians of five."""
    store, said = open_reader(url, key), list[str]()
    for kb in (4, 4_000, 16_000):
        puts, fetches = [], []
        for number in range(5):
            name = f"stage-{kb}-{number}"
            whole = outcome(scratch / name, kb * 1000)
            puts.append(timed(lambda name=name, whole=whole: store.put(name, whole, said.append)))
            fetches.append(timed(lambda name=name: store.fetch(name, scratch / f"{name}-read", said.append)))
            shutil.rmtree(whole)
            if said[-1:] != [f"{name} taken from the shared store"]:
                sys.exit(f"{name}: {said}")
            shutil.rmtree(scratch / f"{name}-read")
        put_s, fetch_s = statistics.median(puts), statistics.median(fetches)
        rates = [f"{kb / 1000 / seconds:.1f} MB/s" for seconds in (put_s, fetch_s)]
        print(f"| {kb:,} kB | {put_s:.3f} s | {rates[0]} | {fetch_s:.3f} s | {rates[1]} |")
    misses = [timed(lambda: store.fetch(f"stage-{secrets.token_hex(8)}", scratch / "x", said.append)) for _ in range(9)]
    print(f"a miss: {statistics.median(misses) * 1000:.1f} ms")


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--mb", type=int, default=8)
    options = parser.parse_args()
    is_good = True
    with bucket_server("faces") as variables, tempfile.TemporaryDirectory() as name:
        os.environ.update(variables)
        root = Path(name)
        key = root / "key.pem"
        private = ed25519.Ed25519PrivateKey.generate()
        key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (root / "shared").mkdir()
        for url in (str(root / "shared"), "s3://faces/prefix"):
            scratch = root / secrets.token_hex(4)
            scratch.mkdir()
            print("folder" if url.startswith("/") else "bucket")
            is_good &= campaign(url, key, scratch, options.kills, options.mb * 10**6)
            throughput(url, key, scratch)
        print(f"left in partial/: {len(list((root / 'shared/partial').iterdir()))}")
    return not is_good


if __name__ == "__main__":
    sys.exit(main())
