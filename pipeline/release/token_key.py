"""Keys that never leave their token: a smart card or an HSM signs.

In: a PKCS#11 URI, `pkcs11:token=LABEL;object=LABEL?module-path=FILE`, and whoever knows the PIN. Out: a signer, while
the token is open. The key is ECDSA on P-256, its public half lies beside it. Tokens draw a random number for every
signature: its bytes differ each time. The module is the user's own driver and runs in this process.
Source: RFC 7512; PKCS #11 v2.40, mechanism ECDSA.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote, unquote_to_bytes

from ghostface_edge.pipeline.support.dsse import Signer
from ghostface_edge.reports.errors import InputError, RuntimeMissingError, ToolError

if TYPE_CHECKING:
    import pkcs11
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

SCHEME: Final = "pkcs11:"
_TOKEN: Final = MappingProxyType(
    {"token": "label", "serial": "serial", "manufacturer": "manufacturer_id", "model": "model"}
)
"""What a URI calls the facts of a token, and what the library does."""
_PATH: Final = frozenset({*_TOKEN, "object", "id", "type"})
_QUERY: Final = frozenset({"module-path"})
_FORM: Final = "write 'pkcs11:token=LABEL;object=LABEL?module-path=/PATH/MODULE.so', a space in a label as %20"
_LIST: Final = "`pkcs11-tool --module MODULE.so --list-token-slots` and `--login --list-objects` show what there is"
_MAKE_ONE: Final = (
    "make one: `pkcs11-tool --module MODULE.so --login --keypairgen --key-type EC:prime256v1 --label LABEL --id 01`"
)
_Found = TypeVar("_Found")


@contextmanager
def token_signer(uri: str, ask_pin: Callable[[str], str]) -> Iterator[Signer]:
    """Open a token and sign with a key in it.

    Args:
        uri: names the module, the token and the key.
        ask_pin: gives the PIN of the token of that label.

    Raises:
        InputError: not such a URI, no such module, token or key, or another PIN.
        RuntimeMissingError: the library that speaks to modules is not installed.
        ToolError: the token failed.
    """
    try:
        import pkcs11
    except ImportError:
        raise RuntimeMissingError(
            "python-pkcs11, which speaks to tokens, is not installed", fix="pip install 'ghostface-edge[pkcs11]'"
        ) from None
    named = _parse(uri)
    try:
        token = _only(_tokens(named), "initialized token", uri, _LIST)
        with _open(token, ask_pin(token.label)) as session:
            private = _only(_private_keys(session, named), "ECDSA private key", uri, f"{_LIST}; {_MAKE_ONE}")
            public = _public_half(session, private, uri)
            yield Signer(public, partial(_sign, private, public))
    except pkcs11.PKCS11Error as error:
        raise ToolError(
            f"the token of {uri} failed: {_said(error)}", fix="see whether `pkcs11-tool --login --test` works with it"
        ) from None


def _parse(uri: str) -> Mapping[str, str]:
    """Values of a URI by their names, escaped as they are."""
    if "pin-value" in uri or "pin-source" in uri:
        raise InputError(
            "a PIN stands in the PKCS#11 URI", fix="leave it out, it is asked for; change it, others may have seen it"
        )
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    found: dict[str, str] = {}
    for parts, known in ((path.split(";"), _PATH), (query.split("&"), _QUERY)):
        for name, _, value in (part.partition("=") for part in parts if part):
            if name not in known or name in found:
                raise InputError(f"{name} in a PKCS#11 URI is not understood, or twice there", fix=_FORM)
            found[name] = value
    if "module-path" not in found or not found.keys() & {"object", "id"} or found.get("type", "private") != "private":
        raise InputError(f"{uri} does not name a module and a private key", fix=_FORM)
    return found


def _tokens(named: Mapping[str, str]) -> list["pkcs11.Token"]:
    import pkcs11

    module = Path(unquote(named["module-path"])).resolve()
    fix = "give the module that came with the token as module-path, such as /usr/lib/softhsm/libsofthsm2.so"
    if not module.is_file():
        raise InputError(f"there is no PKCS#11 module {module}", fix=fix)
    try:
        library = pkcs11.lib(str(module))
    except pkcs11.PKCS11Error as error:
        raise InputError(f"{module} is no PKCS#11 module that works here: {_said(error)}", fix=fix) from None
    wanted = {fact: unquote_to_bytes(named[name]) for name, fact in _TOKEN.items() if name in named}
    tokens = library.get_tokens(token_flags=pkcs11.TokenFlag.TOKEN_INITIALIZED)
    return [token for token in tokens if all(_bytes(getattr(token, fact)) == due for fact, due in wanted.items())]


def _open(token: "pkcs11.Token", pin: str) -> "pkcs11.Session":
    import pkcs11

    try:
        return token.open(user_pin=pin)
    except pkcs11.PinLocked:
        raise InputError(
            f"the PIN of token {token.label} is locked", fix="unlock it with the security officer's PIN"
        ) from None
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange, UnicodeEncodeError):
        raise InputError(
            f"token {token.label} refuses the PIN", fix="give the user's PIN; mind that a few wrong ones lock it"
        ) from None


def _private_keys(session: "pkcs11.Session", named: Mapping[str, str]) -> list["pkcs11.PrivateKey"]:
    from pkcs11 import Attribute, KeyType, ObjectClass

    wanted: dict[Attribute, object] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.KEY_TYPE: KeyType.EC}
    if "object" in named:
        wanted[Attribute.LABEL] = unquote(named["object"])
    if "id" in named:
        wanted[Attribute.ID] = unquote_to_bytes(named["id"])
    return list(session.get_objects(wanted))  # type: ignore[arg-type]


def _public_half(session: "pkcs11.Session", private: "pkcs11.PrivateKey", uri: str) -> "EllipticCurvePublicKey":
    from cryptography.hazmat.primitives.serialization import load_der_public_key
    from pkcs11 import Attribute, KeyType, ObjectClass
    from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

    kind = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.KEY_TYPE: KeyType.EC}
    same = {Attribute.ID: private.id} if private.id else {Attribute.LABEL: private.label}
    fix = "write it beside the private key, with its id: `pkcs11-tool --write-object PUBLIC.der --type pubkey --id ID`"
    public = _only(list(session.get_objects({**kind, **same})), "public key with the id of the private key", uri, fix)
    if public[Attribute.EC_PARAMS] != encode_named_curve_parameters("secp256r1"):
        raise InputError(f"the key of {uri} is not on P-256", fix=_MAKE_ONE)
    return load_der_public_key(encode_ec_public_key(public))  # type: ignore[arg-type,return-value]


def _sign(private: "pkcs11.PrivateKey", public: "EllipticCurvePublicKey", message: bytes) -> bytes:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256
    from pkcs11 import Mechanism
    from pkcs11.util.ec import encode_ecdsa_signature

    digest = hashlib.sha256(message).digest()
    signature = encode_ecdsa_signature(private.sign(digest, mechanism=Mechanism.ECDSA))  # type: ignore[attr-defined]
    try:
        public.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature:
        raise InputError(
            "the token's public key does not belong to its private key", fix="write the one that does beside it"
        ) from None
    return signature


def _only(found: Sequence[_Found], what: str, uri: str, fix: str) -> _Found:
    if not found:
        raise InputError(f"no {what} fits {uri}", fix=fix)
    if len(found) > 1:
        raise InputError(f"{len(found)} {what}s fit {uri}", fix=f"name one, by serial or id as well; {_LIST}")
    return found[0]


def _bytes(fact: str | bytes) -> bytes:
    return fact.encode() if isinstance(fact, str) else fact


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
