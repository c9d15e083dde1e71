"""Public checkpoints and test sets by name: downloaded, resumed, verified and cached, or taken from a local mirror.

Only addresses that the official repository or scikit-learn publish are listed; what has no public address says so. A
digest is listed where it is published or a copy was at hand; without one the file is accepted as it comes and its
digest is said.
"""

import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from ghostface_edge.pipeline.support.store import file_sha256
from ghostface_edge.reports.errors import InputError, ToolError

_RELEASES = "https://github.com/HamadYA/GhostFaceNets/releases/download"
_CHUNK = 1 << 20
_TIMEOUT_SECONDS = 30
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206


@dataclass(frozen=True, slots=True)
class Source:
    """One public file."""

    file: str
    """Name in the cache and in a mirror."""
    address: str | None
    """None where its owners publish no direct address."""
    sha256: str | None
    what: str


KNOWN = MappingProxyType(
    {
        "v1-0.5-2": Source(
            "GN_W0.5_S2_ArcFace_epoch16.h5",
            f"{_RELEASES}/v1.0/GN_W0.5_S2_ArcFace_epoch16.h5",
            "2beca52a2aeadfa81ed5ebab35e2a58f7c79e3c1ffda80a31511861870151715",
            "GhostFaceNetV1-0.5-2, ArcFace, MS1MV2",
        ),
        "v1-1-2": Source(
            "GN_W1_S2_ArcFace_epoch18.h5",
            f"{_RELEASES}/v1.1/GN_W1_S2_ArcFace_epoch18.h5",
            None,
            "GhostFaceNetV1-1-2, ArcFace, MS1MV2",
        ),
        "v1-1.3-1": Source(
            "GhostFaceNet_W1.3_S1_ArcFace.h5",
            f"{_RELEASES}/v1.2/GhostFaceNet_W1.3_S1_ArcFace.h5",
            None,
            "GhostFaceNetV1-1.3-1, ArcFace, MS1MV3",
        ),
        "v1-1.3-2": Source(
            "GhostFaceNet_W1.3_S2_ArcFace.h5",
            f"{_RELEASES}/v1.3/GhostFaceNet_W1.3_S2_ArcFace.h5",
            None,
            "GhostFaceNetV1-1.3-2, ArcFace, MS1MV3",
        ),
        "v1-1.3-1-ms1mv2": Source(
            "GN_W1.3_S1_ArcFace_epoch46.h5",
            f"{_RELEASES}/v1.4/GN_W1.3_S1_ArcFace_epoch46.h5",
            None,
            "GhostFaceNetV1-1.3-1, ArcFace, MS1MV2",
        ),
        "v1-1.3-2-ms1mv2": Source(
            "GN_W1.3_S2_ArcFace_epoch48.h5",
            f"{_RELEASES}/v1.5/GN_W1.3_S2_ArcFace_epoch48.h5",
            None,
            "GhostFaceNetV1-1.3-2, ArcFace, MS1MV2",
        ),
        "v1-1.3-1-cosface": Source(
            "GhostFaceNet_W1.3_S1_CosFace.h5",
            f"{_RELEASES}/v1.6/epoch17.h5",
            None,
            "GhostFaceNetV1-1.3-1, CosFace, MS1MV2; published as epoch17.h5",
        ),
        "v1-1.3-2-subcenter": Source(
            "GhostFaceNet_W1.3_S2_SubcenterArcFace.h5",
            f"{_RELEASES}/v1.7/epoch17.h5",
            None,
            "GhostFaceNetV1-1.3-2, sub-center ArcFace, MS1MV2; published as epoch17.h5",
        ),
        "lfw": Source(
            "lfw.bin",
            "https://github.com/leondgarse/Keras_insightface/releases/download/v1.0.0/lfw.bin",
            None,
            "LFW View 2, 6,000 aligned pairs, as the official repository links it",
        ),
        "lfw-raw": Source(
            "lfw.tgz",
            "https://ndownloader.figshare.com/files/5976018",
            "055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0",
            "LFW's 13,233 photographs, at the address and with the digest that scikit-learn has",
        ),
        "lfw-pairs": Source(
            "pairs.txt",
            "https://ndownloader.figshare.com/files/5976006",
            "ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592",
            "LFW's protocol file, at the address and with the digest that scikit-learn has",
        ),
        "v2-1.3-1": Source(
            "GhostFaceNetV2-1.3-1",
            None,
            None,
            "no weights of V2 have been published; `ghostface-edge train` makes them",
        ),
    }
)


def find(name: str) -> Source:
    """A known source.

    Raises:
        InputError: no such name; the message suggests the nearest.
    """
    if name not in KNOWN:
        near = get_close_matches(name, KNOWN, n=1)
        raise InputError(
            f"nothing is known by the name '{name}'",
            fix=f"did you mean '{near[0]}'?" if near else f"choose from {', '.join(KNOWN)}",
        )
    return KNOWN[name]


def fetch(
    source: Source, *, cache: Path, mirror: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> Path:
    """Put a source's file into the cache, unless it lies there whole already.

    Args:
        source: what to fetch.
        cache: a folder; made if it is not there.
        mirror: a folder that holds the file; nothing is downloaded then.
        say: gets a line about what happens.

    Returns:
        The file's path in the cache.

    Raises:
        InputError: the mirror does not hold the file, or there is no connection; the message says what to put where.
        ToolError: what came is not what was published.
    """
    cache.mkdir(parents=True, exist_ok=True)
    final = cache / source.file
    if final.exists() and _digest_fits(source, final):
        say(f"{final} is there already")
        return final
    partial = final.with_name(f"{final.name}.partial")
    if mirror is not None:
        if not (mirror / source.file).is_file():
            raise InputError(f"{mirror} holds no {source.file}", fix=f"put {source.address or source.what} there")
        shutil.copyfile(mirror / source.file, partial)
    else:
        _download(source, partial, final, say)
    if not _digest_fits(source, partial):
        partial.unlink()
        raise ToolError(
            f"{source.file} is not the published file: its SHA-256 is not {source.sha256}",
            fix="fetch it again; if that does not help, the source has changed and must not be trusted",
        )
    partial.replace(final)
    say(f"{final}: SHA-256 {file_sha256(final)}{'' if source.sha256 else ', nothing known to compare it with'}")
    return final


def _download(source: Source, partial: Path, final: Path, say: Callable[[str], None]) -> None:
    by_hand = (
        f"download {source.address or source.what} elsewhere and put it at {final}, or name its folder with --from"
    )
    if source.address is None:
        raise InputError(f"{source.file} has no public address: {source.what}", fix=f"put a file at {final}")
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(source.address, headers=headers)  # noqa: S310 - the table above names it
    say(f"{source.address}{f', from byte {have}' if have else ''}")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            resumed = answer.status == _PARTIAL_CONTENT
            with partial.open("ab" if resumed else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
    except urllib.error.HTTPError as error:
        if error.code != _RANGE_NOT_SATISFIABLE:  # which says that all of it is here
            raise InputError(
                f"{source.address}: the server answers {error.code} {error.reason}", fix=by_hand
            ) from error
    except OSError as error:
        raise InputError(f"{source.address} cannot be reached ({error})", fix=by_hand) from error


def _digest_fits(source: Source, path: Path) -> bool:
    return source.sha256 is None or file_sha256(path) == source.sha256
