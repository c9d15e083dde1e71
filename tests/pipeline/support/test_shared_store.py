"""The shared store, in a folder and in a bucket: what is whole and believed is used, nothing else, and that is said."""

import base64
import hashlib
import io
import json
import secrets
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from s3fs import S3FileSystem

from ghostface_edge.pipeline.support import manifest, shared_store
from ghostface_edge.pipeline.support.depot_bucket import DepotBucket
from ghostface_edge.pipeline.support.depot_folder import DepotFolder
from ghostface_edge.pipeline.support.dsse import Signer
from ghostface_edge.pipeline.support.seal import Seal
from ghostface_edge.pipeline.support.shared_store import SharedStore, open_store
from ghostface_edge.reports.errors import InputError

from ...shared_store.bucket_server import bucket_server

NAME, OTHER = "stage-" + "0" * 32, "stage-" + "1" * 32
FILES = {"model.onnx": b"network" * 100, "notes/facts.json": b"{}", "empty.npy": b""}


@pytest.fixture(scope="module")
def server():
    with bucket_server("faces") as variables:
        yield variables


@pytest.fixture(params=["folder", "bucket"])
def url(request, tmp_path, monkeypatch):
    if request.param == "folder":
        (tmp_path / "shared").mkdir()
        return str(tmp_path / "shared")
    for name, value in request.getfixturevalue("server").items():
        monkeypatch.setenv(name, value)
    return f"s3://faces/{secrets.token_hex(4)}"


@pytest.fixture
def depot(url):
    return DepotBucket(url) if url.startswith("s3:") else DepotFolder(Path(url))


@pytest.fixture
def keys(tmp_path):
    return {name: write_key(tmp_path / name) for name in ("ours", "theirs")}


def write_key(folder, passphrase=None):
    folder.mkdir()
    key = ed25519.Ed25519PrivateKey.generate()
    how = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    return folder / "key.pem"


def outcome(folder, files=FILES):
    """A finished outcome, as the local store keeps it."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "nothing/in here").mkdir(parents=True)
    manifest.write_manifest(folder, NAME, Seal(bytes(32)))
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def raw(depot, key):
    with depot.open(key) as source:
        return source.read()


def overwrite(depot, key, data):
    depot.put(key, io.BytesIO(data), replace=True)


def blob(content):
    return f"blobs/{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize("key", [None, "ours"])
def test_an_outcome_goes_from_one_machine_to_the_next(url, keys, key, tmp_path):
    key, said = keys.get(key), []
    open_store(url, key).put(NAME, outcome(tmp_path / "one"), said.append)
    assert not said
    assert open_store(url, key).fetch(NAME, tmp_path / "two", said.append)
    assert contents(tmp_path / "two") == FILES
    assert (tmp_path / "two/nothing/in here").is_dir()
    assert said == [f"{NAME} taken from the shared store"]


def test_what_is_not_there_is_not_taken_and_nothing_is_said(url, tmp_path):
    said = []
    assert not open_store(url).fetch(NAME, tmp_path / "two", said.append)
    assert not said


def test_a_public_key_reads_and_writes_nothing(url, keys, tmp_path):
    said = []
    reader = open_store(url, keys["ours"].with_name("public.pem"))
    reader.put(NAME, outcome(tmp_path / "one"), said.append)
    assert not reader.fetch(NAME, tmp_path / "two", said.append)
    assert not said
    open_store(url, keys["ours"]).put(NAME, tmp_path / "one", said.append)
    assert reader.fetch(NAME, tmp_path / "three", said.append)


def change_blob(change):
    def harm(depot, keys):
        content = FILES["model.onnx"]
        overwrite(depot, blob(content), change(content))

    return harm


def change_binding(change, signer="ours"):
    """What the owner of a key could sign, so that the guards behind the signature are tried as well."""

    def harm(depot, keys):
        said = json.loads(payload(raw(depot, f"bindings/{NAME}")))
        change(said)
        overwrite(depot, f"bindings/{NAME}", signed(keys[signer], json.dumps(said).encode()))

    return harm


def signed(key, statement, kind="application/vnd.ghostface-edge.binding+json"):
    return Signer.read(key, None).sign(statement, kind).to_json().encode()


def payload(data):
    return base64.b64decode(json.loads(data)["dsseEnvelope"]["payload"])


def swap(depot, keys):
    """Whole and signed by the right key, for another outcome."""
    said = json.loads(payload(raw(depot, f"bindings/{NAME}"))) | {"name": OTHER}
    overwrite(depot, f"bindings/{NAME}", signed(keys["ours"], json.dumps(said).encode()))


def unsign(depot, keys):
    overwrite(depot, f"bindings/{NAME}", payload(raw(depot, f"bindings/{NAME}")))


def sign_by_another(depot, keys):
    overwrite(depot, f"bindings/{NAME}", signed(keys["theirs"], payload(raw(depot, f"bindings/{NAME}"))))


def forge(depot, keys):
    """Another's contents under the right key's signature."""
    document = json.loads(raw(depot, f"bindings/{NAME}"))
    said = json.loads(payload(json.dumps(document)))
    said["files"][0]["sha256"] = hashlib.sha256(b"evil").hexdigest()
    theirs = json.loads(signed(keys["theirs"], json.dumps(said).encode()))
    document["dsseEnvelope"]["payload"] = theirs["dsseEnvelope"]["payload"]
    overwrite(depot, f"bindings/{NAME}", json.dumps(document).encode())


def of_a_release(depot, keys):
    """A statement of another kind, by the right key."""
    statement = payload(raw(depot, f"bindings/{NAME}"))
    overwrite(depot, f"bindings/{NAME}", signed(keys["ours"], statement, "application/vnd.in-toto+json"))


def first_file(**changed):
    return change_binding(lambda said: said["files"][0].update(changed))


HARMS = {
    "a flipped byte": (change_blob(lambda old: bytes([old[0] ^ 1]) + old[1:]), "model.onnx was changed"),
    "truncated": (change_blob(lambda old: old[:-1]), "model.onnx ends too early"),
    "empty": (change_blob(lambda _: b""), "model.onnx ends too early"),
    "longer": (change_blob(lambda old: old + b"x"), "model.onnx is longer than it may be"),
    "a content that is not there": (first_file(sha256="0" * 64, size=700), "empty.npy is missing"),
    "swapped": (swap, f"its binding is that of {OTHER}"),
    "unsigned": (unsign, "nobody has signed it"),
    "signed by another": (sign_by_another, "its binding was signed by another key"),
    "forged": (forge, "its binding is not what that key has signed"),
    "a release's statement": (of_a_release, "its binding is no signature of such a statement"),
    "a path that leads out": (first_file(path="../x"), "'../x' cannot be the name"),
    "an absolute path": (first_file(path="/etc/x"), "'/etc/x' cannot be the name"),
    "a folder that leads out": (change_binding(lambda said: said.update(empty_folders=["a/../../x"])), "cannot be"),
    "the manifest": (first_file(path="manifest.json"), "manifest.json is no file of an outcome"),
    "one path twice": (
        change_binding(lambda said: said["files"].append(said["files"][0])),
        "occurs more than once",
    ),
    "a file in a file": (first_file(path="model.onnx/x"), ""),
    "too large": (first_file(size=2**33), "more than 4,294,967,296 bytes"),
    "a size below nothing": (first_file(size=-1), "its binding is none: files.0.size"),
    "a hash that is a path": (first_file(sha256="../../bindings"), "its binding is none: files.0.sha256"),
    "a field more": (change_binding(lambda said: said.update(more=1)), "its binding is none: more"),
    "too many files": (
        change_binding(lambda said: said.update(files=[said["files"][0] | {"path": f"{n}"} for n in range(10_001)])),
        "its binding is none: files",
    ),
    "no binding": (lambda depot, _: overwrite(depot, f"bindings/{NAME}", b"\xff"), "its binding is no JSON"),
    "a binding of brackets": (lambda depot, _: overwrite(depot, f"bindings/{NAME}", b"[" * 9999), "its binding"),
    "an endless binding": (lambda depot, _: overwrite(depot, f"bindings/{NAME}", b" " * (4 << 20 | 1)), "longer"),
}


IN_A_BUCKET = ("a flipped byte", "truncated", "longer", "a content that is not there", "swapped", "unsigned")


@pytest.mark.parametrize(
    ("url", "harm"),
    [*(("folder", harm) for harm in HARMS), *(("bucket", harm) for harm in IN_A_BUCKET)],
    indirect=["url"],
)
def test_what_is_damaged_or_nobody_stands_for_is_not_used_and_that_is_said(url, depot, keys, harm, tmp_path):
    writer, said = open_store(url, keys["ours"]), []
    writer.put(NAME, outcome(tmp_path / "one"), said.append)
    harm, why = HARMS[harm]
    harm(depot, keys)
    reader = open_store(url, keys["ours"])
    (tmp_path / "in").mkdir()
    assert not reader.fetch(NAME, tmp_path / "in/two", said.append)
    (line,) = said
    assert line.startswith(f"{NAME} in the shared store is not used and made again: ")
    assert why in line
    assert {path.name for path in (tmp_path / "in").iterdir()} <= {"two"}, "nothing is written elsewhere"
    assert not (tmp_path / "x").exists()
    reader.put(NAME, tmp_path / "one", said.append)
    assert open_store(url, keys["ours"]).fetch(NAME, tmp_path / "three", said.append), "what was made again mends it"
    assert contents(tmp_path / "three") == FILES


def test_without_a_key_hashes_are_held_and_whoever_may_write_is_believed(url, depot, tmp_path):
    said = []
    open_store(url).put(NAME, outcome(tmp_path / "one"), said.append)
    document = json.loads(raw(depot, f"bindings/{NAME}"))
    evil = b"evil"
    overwrite(depot, blob(evil), evil)
    document["files"] = [{"path": "model.onnx", "size": len(evil), "sha256": hashlib.sha256(evil).hexdigest()}]
    overwrite(depot, f"bindings/{NAME}", json.dumps(document).encode())
    assert open_store(url).fetch(NAME, tmp_path / "two", said.append), "docs/fleet-store.md says so"
    overwrite(depot, blob(evil), b"EVIL")
    assert not open_store(url).fetch(NAME, tmp_path / "three", said.append)
    assert "model.onnx was changed" in said[-1]


def test_what_the_stage_cannot_read_is_not_used_and_replaced(url, tmp_path):
    said = []
    open_store(url).put(NAME, outcome(tmp_path / "one"), said.append)
    store = open_store(url)
    assert store.fetch(NAME, tmp_path / "two", said.append, lambda folder: [*folder.iterdir()])
    assert not store.fetch(NAME, tmp_path / "three", said.append, lambda _: json.loads("["))
    assert "is not used and made again: it is no outcome of that stage (JSONDecodeError)" in said[-1]


def test_a_signed_store_can_be_read_without_a_key(url, keys, tmp_path):
    said = []
    open_store(url, keys["ours"]).put(NAME, outcome(tmp_path / "one"), said.append)
    assert open_store(url).fetch(NAME, tmp_path / "two", said.append)


def test_what_a_reader_would_refuse_is_not_put_there(depot, url, tmp_path):
    said = []
    open_store(url).put(NAME, outcome(tmp_path / "one", FILES | {"con": b"x"}), said.append)
    open_store(url).put(NAME, outcome(tmp_path / "two", FILES), said.append)
    (line,) = said
    assert line.startswith(f"{NAME} cannot be put into the shared store: ")
    assert "'con' cannot be the name of a file" in line
    assert json.loads(raw(depot, f"bindings/{NAME}"))["name"] == NAME


WRITER = """
import sys
from pathlib import Path
from threading import Event
from ghostface_edge.pipeline.support.shared_store import open_store

store = open_store(sys.argv[1])
sys.stdin.readline()
for number in range(4):
    store.put(f"stage-{number:032}", Path(sys.argv[2]), print)
"""


def test_two_writers_of_one_key_at_once_leave_one_whole_outcome(url, tmp_path):
    """Outcomes that differ, as those do that hold times."""
    several = [FILES | {"seconds.json": bytes(str(number), "ascii") * 200_000} for number in range(2)]
    folders = [outcome(tmp_path / f"outcome-{number}", files) for number, files in enumerate(several)]
    command = [sys.executable, "-c", WRITER, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen([*command, folder], **pipes) for folder in folders]
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [writer.communicate()[0] for writer in writers] == ["", ""]
    assert [writer.returncode for writer in writers] == [0, 0]
    said = []
    for number in range(4):
        assert open_store(url).fetch(f"stage-{number:032}", tmp_path / f"{number}", said.append)
        assert contents(tmp_path / f"{number}") in several


def away(tmp_path, monkeypatch, kind):
    if kind == "folder":
        return str(tmp_path / "not mounted")
    for name, value in {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    S3FileSystem.clear_instance_cache()
    return "s3://faces/prefix"


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_a_store_that_is_away_is_said_once_and_left_alone_for_a_while(kind, tmp_path, monkeypatch):
    url, said = away(tmp_path, monkeypatch, kind), []
    store = open_store(url)
    for _ in range(2):
        assert not store.fetch(NAME, tmp_path / "two", said.append)
    (line,) = said
    assert line.startswith(f"the shared store {url} is not used, the run goes on without it: ")
    outcome(tmp_path / "one")
    for _ in range(2):
        store.put(NAME, tmp_path / "one", said.append)
    assert len(said) == 2
    assert said[1].startswith(f"nothing can be put into the shared store {url}, the run goes on: ")
    if kind == "folder":
        assert not (tmp_path / "not mounted").exists(), "a folder of this name on the disk below is no shared one"
        (tmp_path / "not mounted").mkdir()
        open_store(url).put(NAME, tmp_path / "one", said.append)
        assert not store.fetch(NAME, tmp_path / "two", said.append)
        monkeypatch.setattr(time, "monotonic", partial(float, "inf"))
        assert store.fetch(NAME, tmp_path / "two", said.append)


class Stuck:
    """A place that answers nothing, as a mount whose server is gone."""

    def __init__(self, until):
        self.until = until

    def open(self, key):
        self.until.wait()


def test_a_store_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_store, "_ANSWER_S", 0.01)
    said, until = [], Event()
    assert not SharedStore("x", Stuck(until)).fetch(NAME, tmp_path / "two", said.append)
    until.set()
    assert said == ["the shared store x is not used, the run goes on without it: no answer within 0.01 s"]


def test_a_store_is_named_by_the_environment_as_well(tmp_path, monkeypatch):
    assert open_store() is None
    monkeypatch.setenv("GHOSTFACE_EDGE_STORE", str(tmp_path))
    monkeypatch.setenv("GHOSTFACE_EDGE_STORE_KEY", str(write_key(tmp_path / "keys", "sesame")))
    with pytest.raises(InputError, match="no private key that can be read"):
        open_store()
    monkeypatch.setenv("GHOSTFACE_EDGE_PASSPHRASE", "sesame")
    said = []
    open_store().put(NAME, outcome(tmp_path / "one"), said.append)
    assert "dsseEnvelope" in (tmp_path / "bindings" / NAME).read_text()


@pytest.mark.parametrize(
    "url", ["http://host/x", "s3://", "s3://a", "s3://key:secret@bucket/x", "s3://bucket/../x", "file:///x"]
)
def test_other_kinds_of_stores_are_refused(url):
    with pytest.raises(InputError, match="is no store that can be used"):
        open_store(url)


def test_a_key_without_a_store_is_wrong_use(tmp_path):
    with pytest.raises(InputError, match="none is named"):
        open_store(None, tmp_path / "key.pem")


def test_a_key_that_is_none_is_refused(tmp_path):
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(InputError, match="is no public key"):
        open_store(str(tmp_path), tmp_path / "key.pem")
