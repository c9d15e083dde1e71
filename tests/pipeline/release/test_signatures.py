"""Signatures: ours for the format's own package, its for us, and whose they are."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from ghostface_edge.pipeline.release.bundle import write_bundle
from ghostface_edge.pipeline.release.check import check_bundle
from ghostface_edge.pipeline.release.signatures import MODEL_SIGNATURE, VERDICT_SIGNATURE, model_statement, same_verdict
from ghostface_edge.pipeline.support.dsse import Signer, is_encrypted, read_public_key
from ghostface_edge.reports.errors import InputError

from .forging import content, pack, refusal

KINDS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


def write_key(folder, kind, passphrase=None, name="key"):
    """A key pair as PEM files."""
    key = KINDS[kind]()
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture(params=["p256", "ed25519"])
def keys(request, tmp_path):
    return write_key(tmp_path, request.param)


@pytest.fixture
def signed_bundle(run_dir, tmp_path, keys):
    write_bundle(run_dir, tmp_path / "signed.zip", signer=Signer.read(keys[0], None))
    return tmp_path / "signed.zip"


def payload_of(data):
    return json.loads(base64.b64decode(json.loads(data)["dsseEnvelope"]["payload"]))


def test_who_signed_is_told_and_with_the_key_believed(signed_bundle, bundle, keys):
    key = read_public_key(keys[1])
    checked = check_bundle(signed_bundle, key)
    assert checked.is_believed
    assert checked.signed_by == check_bundle(signed_bundle).signed_by is not None
    assert not check_bundle(signed_bundle).is_believed
    assert check_bundle(bundle).signed_by is None
    assert "nobody has signed it" in refusal(bundle, key=key)


def test_the_same_key_gives_the_same_bytes(signed_bundle, run_dir, tmp_path, keys):
    write_bundle(run_dir, tmp_path / "again.zip", signer=Signer.read(keys[0], None))
    assert (tmp_path / "again.zip").read_bytes() == signed_bundle.read_bytes()


def test_another_key(signed_bundle, tmp_path):
    _, public = write_key(tmp_path, "p256", name="other")
    assert "was signed by another key" in refusal(signed_bundle, key=read_public_key(public))


def test_a_signature_under_a_borrowed_name(signed_bundle, tmp_path, keys):
    """The hint names our key, the signature is somebody else's."""
    files = content(signed_bundle)
    kind = "p256" if b"EC" in keys[0].read_bytes() or len(keys[1].read_bytes()) > 150 else "ed25519"
    other = Signer.read(write_key(tmp_path, kind, name="other")[0], None)
    document = json.loads(files[MODEL_SIGNATURE])
    payload = base64.b64decode(document["dsseEnvelope"]["payload"])
    document["dsseEnvelope"]["signatures"][0]["sig"] = other.sign(payload).dsse_envelope.signatures[0].sig
    files[MODEL_SIGNATURE] = json.dumps(document).encode()
    pack(signed_bundle, files)
    assert "is not what that key has signed" in refusal(signed_bundle, key=read_public_key(keys[1]))


def test_the_signature_of_another_bundle(signed_bundle, run_dir, tmp_path, keys):
    write_bundle(run_dir, tmp_path / "part.zip", variants=["openvino-int8"], signer=Signer.read(keys[0], None))
    files, others = content(signed_bundle), content(tmp_path / "part.zip")
    pack(signed_bundle, files | {MODEL_SIGNATURE: others[MODEL_SIGNATURE]})
    assert "is not what model.sig was made for" in refusal(signed_bundle)
    pack(signed_bundle, files | {VERDICT_SIGNATURE: others[VERDICT_SIGNATURE]})
    assert "verdict.sig states another verdict" in refusal(signed_bundle)


def test_one_signature_alone(signed_bundle):
    files = content(signed_bundle)
    pack(signed_bundle, {name: data for name, data in files.items() if name != VERDICT_SIGNATURE})
    assert "it has model.sig alone" in refusal(signed_bundle)
    pack(signed_bundle, {name: data for name, data in files.items() if name != MODEL_SIGNATURE})
    assert "it has verdict.sig alone" in refusal(signed_bundle)


def test_two_keys(signed_bundle, tmp_path):
    files = content(signed_bundle)
    del files[MODEL_SIGNATURE]
    other = Signer.read(write_key(tmp_path, "p256", name="other")[0], None)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[MODEL_SIGNATURE] = other.sign(model_statement("net", hashes)).to_json().encode()
    pack(signed_bundle, files)
    assert "were signed by two keys" in refusal(signed_bundle)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda document: document.update(mediaType="text/plain"), "is no signature"),
        (lambda document: document["dsseEnvelope"].update(payloadType="text/plain"), "is no signature"),
        (lambda document: document["dsseEnvelope"].update(payload="%"), "not base64"),
        (lambda document: document["dsseEnvelope"].update(payload=""), "model.sig"),
        (lambda document: document["dsseEnvelope"].update(signatures=[]), "is no signature"),
        (lambda document: document["dsseEnvelope"]["signatures"].append({"sig": "", "keyid": ""}), "is no signature"),
        (lambda document: document["dsseEnvelope"]["signatures"][0].update(sig="%"), "not base64"),
        (lambda document: document["dsseEnvelope"]["signatures"][0].update(sig="AAAA"), "is not what that key"),
        (lambda document: document.update(more=1), "is no signature"),
    ],
)
def test_envelopes_that_are_none(signed_bundle, keys, change, said):
    files = content(signed_bundle)
    document = json.loads(files[MODEL_SIGNATURE])
    change(document)
    pack(signed_bundle, files | {MODEL_SIGNATURE: json.dumps(document).encode()})
    assert said in refusal(signed_bundle, key=read_public_key(keys[1]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda said: said.update(predicateType="https://example.org/other"), "no signature of a model's files"),
        (lambda said: said.pop("subject"), "no signature of a model's files"),
        (lambda said: said["predicate"].update(resources=5), "no signature of a model's files"),
        (lambda said: said["predicate"]["serialization"].update(hash_type="blake2b"), "other than whole files"),
        (lambda said: said["predicate"]["serialization"].update(allow_symlinks=True), "other than whole files"),
        (lambda said: said["subject"][0]["digest"].update(sha256="0" * 64), "do not add up"),
        (lambda said: said["predicate"]["resources"].append(said["predicate"]["resources"][0]), "do not add up"),
        (lambda said: said["predicate"]["resources"][0].update(digest="xyz"), "no signature of a model's files"),
    ],
)
def test_statements_that_are_none(signed_bundle, keys, change, said):
    files = content(signed_bundle)
    statement = payload_of(files[MODEL_SIGNATURE])
    change(statement)
    again = Signer.read(keys[0], None).sign(json.dumps(statement).encode()).to_json().encode()
    pack(signed_bundle, files | {MODEL_SIGNATURE: again})
    assert said in refusal(signed_bundle, key=read_public_key(keys[1]))


def test_the_verdict_of_a_file_can_be_asked_for_by_its_hash(signed_bundle):
    files = content(signed_bundle)
    said = payload_of(files[VERDICT_SIGNATURE])
    Statement.copy_from_pb(ParseDict(said, statement_pb2.Statement())).validate()
    manifest = json.loads(files["manifest.json"])
    subject = {one["name"]: one["digest"]["sha256"] for one in said["subject"]}
    assert subject["models/net-openvino-int8.bin"] == manifest["files"]["models/net-openvino-int8.bin"]["sha256"]
    assert said["predicate"]["result"] == "PASSED"
    assert said["predicate"]["configuration"][0]["digest"]["sha256"] == manifest["verdict"]["policy_sha256"]
    figures = said["predicate"]["variants"]["openvino-int8"]["figures"]
    assert {one["check"] for one in figures} >= {"measured", "size_ratio", "drop_pp"}
    assert said["predicate"]["failedTests"] == []


def test_a_verdict_in_the_words_of_another_release(signed_bundle):
    due = base64.b64decode(json.loads(content(signed_bundle)[VERDICT_SIGNATURE])["dsseEnvelope"]["payload"])
    said = json.loads(due)
    said["predicate"]["variants"] = {}
    assert same_verdict(json.dumps(said).encode(), due, "a test", "none")
    said["predicate"]["result"] = "FAILED"
    assert not same_verdict(json.dumps(said).encode(), due, "a test", "none")
    for none in (b"[]", b"{}"):
        with pytest.raises(InputError, match="no statement of a verdict"):
            same_verdict(none, due, "a test", "none")


def test_an_encrypted_key(run_dir, tmp_path):
    private, public = write_key(tmp_path, "p256", "open sesame")
    assert is_encrypted(private)
    write_bundle(run_dir, tmp_path / "x.zip", signer=Signer.read(private, "open sesame"))
    assert check_bundle(tmp_path / "x.zip", read_public_key(public)).is_believed
    for wrong in (None, "close sesame"):
        with pytest.raises(InputError, match="no private key that can be read"):
            Signer.read(private, wrong)


@pytest.mark.parametrize("kind", ["p384", "rsa"])
def test_keys_of_other_kinds(tmp_path, kind):
    private, public = write_key(tmp_path, kind)
    with pytest.raises(InputError, match="a key of another kind"):
        Signer.read(private, None)
    with pytest.raises(InputError, match="a key of another kind"):
        read_public_key(public)


def test_what_is_no_key(tmp_path):
    (tmp_path / "key").write_bytes(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    with pytest.raises(InputError, match="is no public key"):
        read_public_key(tmp_path / "key")
    with pytest.raises(InputError, match="no private key"):
        Signer.read(tmp_path / "key", None)


def model_signing(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "model_signing", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_model_signing_verifies_ours_and_we_its(run_dir, tmp_path):
    private, public = write_key(tmp_path, "p256")
    ours = tmp_path / "signed.zip"
    write_bundle(run_dir, ours, signer=Signer.read(private, None))
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(ours) as archive:
        archive.extractall(folder)
    checking = ("verify", "key", folder, "--signature", folder / MODEL_SIGNATURE, "--public_key", public)
    done = model_signing(*checking)
    assert done.returncode == 0, done.stderr
    shutil.copyfile(folder / "README.md", folder / "added.md")
    assert model_signing(*checking).returncode != 0
    (folder / "added.md").unlink()
    done = model_signing("sign", "key", folder, "--signature", folder / MODEL_SIGNATURE, "--private_key", private)
    assert done.returncode == 0, done.stderr
    files = content(ours)
    theirs = (folder / MODEL_SIGNATURE).read_bytes()
    assert payload_of(theirs) != payload_of(files[MODEL_SIGNATURE])
    pack(ours, files | {MODEL_SIGNATURE: theirs})
    assert check_bundle(ours, read_public_key(public)).is_believed
