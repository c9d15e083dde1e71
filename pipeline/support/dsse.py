"""Signed envelopes: a statement, a signature over it, and which key made that, as Sigstore's bundles hold them.

In: a statement's bytes and a private key; or such a file and a public key. Out: the file; or the statement, believed.
What kind of statement it is, is signed with it: one kind cannot be given out as another.
Keys are ECDSA on P-256 or Ed25519, in PEM: the same and the same statement give the same bytes. A signer may have its
key elsewhere.
Source: DSSE, protocol v1.0.0; Sigstore bundle v0.3; model-signing 1.1, for the hint and for what it accepts.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.json_text import parse_json, to_json
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.read import read_bytes
from ghostface_edge.reports.record import Record, Text, first_problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    PrivateKey: TypeAlias = EllipticCurvePrivateKey | Ed25519PrivateKey
    PublicKey: TypeAlias = EllipticCurvePublicKey | Ed25519PublicKey

IN_TOTO: Final = "application/vnd.in-toto+json"
"""Statements of a release."""
MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_ENVELOPE_BYTES: Final = 4 * 2**20
_MAX_KEY_BYTES: Final = 64 * 2**10
_KINDS: Final = "an ECDSA key on P-256 or an Ed25519 key, in PEM"
_MAKE_ONE: Final = f"give {_KINDS}: `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY.pem`"


class Attested(Record):
    """A part of a statement or its envelope, with its fields spelt as in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


class Signature(Attested):
    """One signature of an envelope."""

    sig: str
    keyid: str = ""


class Envelope(Attested):
    """What was signed."""

    payload: str
    payload_type: Text
    signatures: tuple[Signature] = Field(max_length=1)


class PublicKeyIdentifier(Attested):
    """Which key signed."""

    hint: str


class VerificationMaterial(Attested):
    """How to find the key; nothing of it is believed."""

    public_key: PublicKeyIdentifier
    tlog_entries: tuple[()] = ()


class SignedStatement(Attested):
    """A file of a signature."""

    media_type: Literal["application/vnd.dev.sigstore.bundle.v0.3+json"] = MEDIA_TYPE
    verification_material: VerificationMaterial
    dsse_envelope: Envelope

    def to_json(self) -> str:
        """Write as JSON, in one form."""
        return to_json(self.model_dump(mode="json")) + "\n"

    @property
    def hint(self) -> str:
        """SHA-256 of the public key that is said to have signed."""
        return self.verification_material.public_key.hint

    def payload(self, source: str, fix: str) -> bytes:
        """The statement, which nobody vouches for yet.

        Raises:
            InputError: not base64.
        """
        return _decoded(self.dsse_envelope.payload, source, fix)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, wherever it is, ready to sign."""

    public_key: "PublicKey"
    sign_message: Callable[[bytes], bytes]

    @classmethod
    def read(cls, path: Path, passphrase: str | None) -> "Signer":
        """Read a private key.

        Raises:
            InputError: no key of these kinds, or another passphrase.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        data = read_bytes(path, fix=_MAKE_ONE, at_most=_MAX_KEY_BYTES)
        try:
            key = load_pem_private_key(data, None if passphrase is None else passphrase.encode())
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise InputError(f"{path} is no private key that can be read: {error}", fix=_MAKE_ONE) from None
        _require_kind(key.public_key(), path)
        return cls(key.public_key(), partial(_sign, key))  # type: ignore[arg-type]

    def sign(self, statement: bytes, kind: str = IN_TOTO) -> SignedStatement:
        """Sign a statement of a kind."""
        signature = self.sign_message(_encoded(statement, kind))
        return SignedStatement(
            verification_material=VerificationMaterial(public_key=PublicKeyIdentifier(hint=_hint(self.public_key))),
            dsse_envelope=Envelope(
                payload=base64.b64encode(statement).decode(),
                payload_type=kind,
                signatures=(Signature(sig=base64.b64encode(signature).decode()),),
            ),
        )


def is_encrypted(path: Path) -> bool:
    """Whether a private key needs a passphrase."""
    return b"ENCRYPTED" in read_bytes(path, fix=_MAKE_ONE, at_most=_MAX_KEY_BYTES)


def is_private(path: Path) -> bool:
    """Whether a key is, or says that it is, a private one."""
    return b"PRIVATE KEY" in read_bytes(path, fix=_MAKE_ONE, at_most=_MAX_KEY_BYTES)


def read_public_key(path: Path) -> "PublicKey":
    """Read a public key.

    Raises:
        InputError: no key of these kinds.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    fix = f"give the public half of {_KINDS}: `openssl pkey -in KEY.pem -pubout -out PUBLIC.pem`"
    try:
        key = load_pem_public_key(read_bytes(path, fix=fix, at_most=_MAX_KEY_BYTES))
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"{path} is no public key", fix=fix) from None
    _require_kind(key, path)
    return key  # type: ignore[return-value]


def parse_signed(data: bytes, source: str, fix: str, kind: str = IN_TOTO) -> SignedStatement:
    """Read a signature's file, without believing it.

    Raises:
        InputError: it is none, or one of a statement of another kind.
    """
    parse_json(data, source, fix=fix)
    try:
        signed = SignedStatement.model_validate_json(data, strict=True)
    except ValidationError as error:
        raise InputError(f"{source} is no signature: {first_problem(error)}", fix=fix) from None
    if (found := signed.dsse_envelope.payload_type) != kind:
        raise InputError(f"{source} is no signature of such a statement but of {shortened(found)}", fix=fix)
    return signed


def require_signed_by(signed: SignedStatement, key: "PublicKey", source: str, fix: str) -> None:
    """Believe a statement that this key has signed.

    Raises:
        InputError: it has not.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if signed.hint != _hint(key):
        raise InputError(f"{source} was signed by another key: {signed.hint[:16]}, not {_hint(key)[:16]}", fix=fix)
    (one,) = signed.dsse_envelope.signatures
    signature = _decoded(one.sig, source, fix)
    message = _encoded(signed.payload(source, fix), signed.dsse_envelope.payload_type)
    try:
        if isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, message, ECDSA(SHA256()))
        else:
            key.verify(signature, message)
    except InvalidSignature:
        raise InputError(f"{source} is not what that key has signed", fix=fix) from None


def _require_kind(key: object, path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    is_p256 = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    if not is_p256 and not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path} is a key of another kind", fix=_MAKE_ONE)


def _sign(key: "PrivateKey", message: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

    if isinstance(key, EllipticCurvePrivateKey):
        return key.sign(message, ECDSA(SHA256(), deterministic_signing=True))
    return key.sign(message)


def _encoded(statement: bytes, kind: str) -> bytes:
    """What is signed: the payload with its type and both lengths before it."""
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(statement), statement)


def _hint(key: "PublicKey") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _decoded(text: str, source: str, fix: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"{source} is no signature: not base64", fix=fix) from None
