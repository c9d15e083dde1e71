"""Keys in tokens, on SoftHSM: signatures like any other, and what is said where one cannot be made."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from ghostface_edge.pipeline.release.bundle import write_bundle
from ghostface_edge.pipeline.release.check import check_bundle
from ghostface_edge.pipeline.release.signatures import MODEL_SIGNATURE
from ghostface_edge.pipeline.release.token_key import token_signer
from ghostface_edge.pipeline.support.dsse import read_public_key
from ghostface_edge.reports.errors import InputError, RuntimeMissingError, ToolError

MODULES = (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib64/pkcs11/libsofthsm2.so"))
"""Where Debian and Fedora have it."""
MODULE = next(filter(Path.is_file, MODULES), None)
PIN = "735190"
KEYS = {"release": "EC:prime256v1", "large": "EC:secp384r1", "other": "rsa:2048", "twin": "EC:prime256v1"}


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """Two tokens, the first with key pairs of every kind, two of them under one name."""
    if MODULE is None or not shutil.which("pkcs11-tool") or not shutil.which("softhsm2-util"):
        pytest.skip("SoftHSM and OpenSC are not installed: apt-get install softhsm2 opensc")
    pytest.importorskip("pkcs11", reason="pip install python-pkcs11")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    for label in ("edge", "second one"):
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "0000", "--pin", PIN]
        subprocess.run(command, check=True, capture_output=True)
    for number, (label, kind) in enumerate([*KEYS.items(), ("twin", "EC:prime256v1")]):
        tool("--keypairgen", "--key-type", kind, "--label", label, "--id", f"0{number}")
    yield folder
    del os.environ["SOFTHSM2_CONF"]


def tool(*arguments):
    command = ["pkcs11-tool", "--module", MODULE, "--token-label", "edge", "--login", "--pin", PIN, *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def public(token):
    der = token / "public.der"
    tool("--read-object", "--type", "pubkey", "--label", "release", "--output-file", der)
    pem = load_der_public_key(der.read_bytes()).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (token / "public.pem").write_bytes(pem)
    return token / "public.pem"


def uri(key="object=release", token="token=edge", module=MODULE):
    return f"pkcs11:{token};{key}?module-path={module}"


def knows(pin):
    return lambda _label: pin


def refused(name, pin=PIN, kind=InputError):
    with pytest.raises(kind) as raised, token_signer(name, knows(pin)):
        pass
    assert pin not in str(raised.value)
    return str(raised.value)


def test_a_bundle_that_a_token_signed(run_dir, tmp_path, public):
    import pkcs11

    asked = []
    (edge,) = pkcs11.lib(str(MODULE.resolve())).get_tokens(token_label="edge")
    whole = f"model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial={edge.serial.decode()};token=edge"
    name = uri("id=%00;object=release;type=private", whole)
    with token_signer(name, lambda label: asked.append(label) or PIN) as signer:
        write_bundle(run_dir, tmp_path / "x.zip", signer=signer)
    assert asked == ["edge"]
    assert check_bundle(tmp_path / "x.zip", read_public_key(public)).is_believed
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(folder)
    command = [sys.executable, "-m", "model_signing", "verify", "key", folder, "--public_key", public]
    done = subprocess.run([*command, "--signature", folder / MODEL_SIGNATURE], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_the_verb_takes_a_uri_and_says_no_pin(run_dir, tmp_path, public):
    def bundle(pin):
        command = [sys.executable, "-m", "ghostface_edge.pipeline", "bundle", run_dir, "-o", tmp_path / "x.zip"]
        return subprocess.run(
            [*command, "--sign", uri()],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "GHOSTFACE_EDGE_PIN": pin},
        )

    done = bundle("864209")
    assert done.returncode == 2
    assert "token edge refuses the PIN" in done.stderr
    assert "864209" not in done.stdout + done.stderr
    assert not (tmp_path / "x.zip").exists()
    done = bundle(PIN)
    assert done.returncode == 0, done.stderr
    assert PIN not in done.stdout + done.stderr
    assert check_bundle(tmp_path / "x.zip", read_public_key(public)).is_believed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (uri(token="token=nowhere"), "no initialized token fits"),
        (uri(token="manufacturer=SoftHSM%20project"), "2 initialized tokens fit"),
        (uri(token="token=second%20one"), "no ECDSA private key fits"),
        (uri("object=nothing"), "no ECDSA private key fits"),
        (uri("object=other"), "no ECDSA private key fits"),
        (uri("object=release;id=%01"), "no ECDSA private key fits"),
        (uri("object=twin"), "2 ECDSA private keys fit"),
        (uri("object=large"), "not on P-256"),
    ],
)
def test_what_is_not_in_the_token(token, name, said):
    assert said in refused(name)


def test_pins_that_are_none(token):
    for pin in ("111111", "1", "\udcff\udcff"):
        assert "token edge refuses the PIN" in refused(uri(), pin=pin)


def test_a_public_key_that_is_missing_or_of_another_pair(token):
    tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "lone", "--id", "77")
    tool("--read-object", "--type", "pubkey", "--label", "release", "--output-file", token / "another.der")
    tool("--delete-object", "--type", "pubkey", "--label", "lone")
    assert "no public key with the id of the private key fits" in refused(uri("object=lone"))
    tool("--write-object", token / "another.der", "--type", "pubkey", "--label", "lone", "--id", "77")
    with (
        token_signer(uri("object=lone"), knows(PIN)) as signer,
        pytest.raises(InputError, match="does not belong to its private key"),
    ):
        signer.sign(b"{}")


def test_a_token_that_fails(token):
    tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "brief", "--id", "78")

    def sign():
        with token_signer(uri("object=brief"), knows(PIN)) as signer:
            tool("--delete-object", "--type", "privkey", "--label", "brief")
            signer.sign(b"{}")

    with pytest.raises(ToolError, match=r"token of pkcs11:token=edge;object=brief\S+ failed: \w+") as raised:
        sign()
    assert PIN not in str(raised.value)


def test_modules_that_are_none(token, tmp_path):
    assert "there is no PKCS#11 module" in refused(uri(module=tmp_path / "none.so"))
    (tmp_path / "text.so").write_text("no library")
    assert "is no PKCS#11 module that works here" in refused(uri(module=tmp_path / "text.so"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (f"pkcs11:object=a?module-path=/x.so&pin-value={PIN}", "a PIN stands in the PKCS#11 URI"),
        (f"pkcs11:object=a;pin-value={PIN}?module-path=/x.so", "a PIN stands in the PKCS#11 URI"),
        ("pkcs11:object=a?pin-source=/pin&module-path=/x.so", "a PIN stands in the PKCS#11 URI"),
        ("pkcs11:object=a?module-name=x", "module-name in a PKCS#11 URI is not understood"),
        ("pkcs11:object=a;object=b?module-path=/x.so", "object in a PKCS#11 URI is not understood, or twice"),
        ("pkcs11:object=a", "does not name a module and a private key"),
        ("pkcs11:token=a?module-path=/x.so", "does not name a module and a private key"),
        ("pkcs11:object=a;type=cert?module-path=/x.so", "does not name a module and a private key"),
    ],
)
def test_uris_that_are_none(name, said):
    pytest.importorskip("pkcs11", reason="pip install python-pkcs11")
    assert said in refused(name)


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    assert "pip install 'ghostface-edge[pkcs11]'" in refused(uri(), kind=RuntimeMissingError)
