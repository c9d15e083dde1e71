"""Public checkpoints, test sets and the face detector by name.

Only addresses that the official repository, scikit-learn or OpenCV publish are listed; what has no public address says
so. A digest is listed where it is published or a copy was at hand.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from ghostface_edge.reports.errors import InputError

_RELEASES = "https://github.com/HamadYA/GhostFaceNets/releases/download"


@dataclass(frozen=True, slots=True)
class Source:
    """One public file."""

    file: str
    """Name in the cache and in a mirror."""
    address: str | None
    """None where its owners publish no direct address."""
    sha256: str | None
    what: str
    size_bytes: int | None = None


KNOWN = MappingProxyType(
    {
        "v1-0.5-2": Source(
            "GN_W0.5_S2_ArcFace_epoch16.h5",
            f"{_RELEASES}/v1.0/GN_W0.5_S2_ArcFace_epoch16.h5",
            "2beca52a2aeadfa81ed5ebab35e2a58f7c79e3c1ffda80a31511861870151715",
            "GhostFaceNetV1-0.5-2, ArcFace, MS1MV2",
            3_833_672,
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
            "e4182ca2470dac3eb79974f4d5d54f2abdf66d7e231c6f3df4059a90bded1271",
            "GhostFaceNetV1-1.3-1, ArcFace, MS1MV3",
            17_271_840,
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
        "yunet": Source(
            "face_detection_yunet_2026may.onnx",
            "https://media.githubusercontent.com/media/opencv/opencv_zoo/47534e27c9851bb1128ccc0102f1145e27f23f98/"
            "models/face_detection_yunet/face_detection_yunet_2026may.onnx",
            "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
            "YuNet, OpenCV's face detector (MIT), for `--detector` and `match`",
            229_738,
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
