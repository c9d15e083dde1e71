"""Diagnosis of embeddings that barely separate people: the usual mistakes, each undone in turn to see which one it was.

In: anything that turns RGB uint8 faces into embeddings under the official preprocessing, and labelled pairs. Out: how
well each remedy verifies. A remedy changes the pixels, not the network, so it works on every artifact of every runtime.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import MEAN, SCALE
from ghostface_edge.pipeline.network.preprocessing import ColourOrder, Preprocessing
from ghostface_edge.reports.metrics import cosine_scores, decided_rightly
from ghostface_edge.targets.protocol import Embeddings, Faces

BARELY = 0.85
"""Verification accuracy under which a GhostFaceNet on aligned faces is not doing its work."""
_MAX_PAIRS = 2000
_UNIT_SCALE = 255.0
_CAUSES = (
    "faces in BGR instead of RGB, a network trained on [0, 1] instead of (x - 127.5) / 128, "
    "or faces that are not aligned to the ArcFace template"
)


@dataclass(frozen=True, slots=True)
class Remedy:
    """One mistake, undone."""

    cause: str
    """What would be the matter, if this helps."""
    advice: str
    preprocessing: Preprocessing | None
    """What the checkpoint should declare then; None where its declaration is not the matter."""
    undo: Callable[[Faces], Faces]


@dataclass(frozen=True, slots=True)
class Finding:
    """A remedy and what it gave."""

    remedy: Remedy
    right: NDArray[np.bool_]
    """(P,), whether each pair was decided rightly, at the threshold that the other folds chose."""

    @property
    def accuracy(self) -> float:
        """Of all pairs, a fraction."""
        return float(self.right.mean())

    def beats(self, other: "Finding") -> bool:
        """Whether more pairs were mended than broken by more than two standard deviations (McNemar's test)."""
        mended, broken = int((self.right & ~other.right).sum()), int((other.right & ~self.right).sum())
        return mended - broken > 2 * float(np.sqrt(mended + broken))


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, the faces as they are first."""

    findings: tuple[Finding, ...]

    @property
    def best(self) -> Finding:
        """The first finding that no other one beats: where the figures cannot tell, the one that changes less."""
        return next(finding for finding in self.findings if not any(other.beats(finding) for other in self.findings))

    @property
    def advice(self) -> str:
        """What to do, in one sentence."""
        given, best = self.findings[0], self.best
        if best is not given:
            change = f"{100 * given.accuracy:.2f} % becomes {100 * best.accuracy:.2f} %"
            return f"{best.remedy.cause}: {change}; {best.remedy.advice}"
        if given.accuracy >= BARELY:
            return "nothing is wrong with the input"
        return "none of the usual causes fits; the weights themselves may be untrained or of another network"


def separation_warning(accuracy: float) -> str | None:
    """What to say where embeddings barely separate the pairs, None where they do.

    Args:
        accuracy: mean fold accuracy, a fraction.
    """
    if accuracy >= BARELY:
        return None
    return (
        f"embeddings barely separate the pairs ({100 * accuracy:.1f} %); usual causes: {_CAUSES}; "
        "`evaluate --diagnose` tries them"
    )


def diagnose(
    embed: Callable[[Faces], Embeddings],
    faces: Faces,
    index: NDArray[np.integer],
    same: NDArray[np.bool_],
    folds: int = 10,
) -> Diagnosis:
    """Try every remedy on up to 2,000 of the pairs, spread evenly over the set.

    Args:
        embed: RGB uint8 faces to embeddings, as any embedder of this project takes them.
        faces: RGB uint8 (N, S, S, 3).
        index: (P, 2), into `faces`.
        same: (P,), true where both show one person.
        folds: contiguous folds of the protocol.
    """
    chosen = np.linspace(0, len(same) - 1, min(len(same), _MAX_PAIRS)).round().astype(np.intp)
    used, position = np.unique(index[chosen], return_inverse=True)
    pairs = position.reshape(-1, 2)
    findings = []
    for remedy in REMEDIES:
        scores = cosine_scores(embed(remedy.undo(faces[used])), pairs)
        findings.append(Finding(remedy, decided_rightly(scores, same[chosen], folds)))
    return Diagnosis(tuple(findings))


def _swapped(faces: Faces) -> Faces:
    return np.ascontiguousarray(faces[..., ::-1])


def _unit_scaled(faces: Faces) -> Faces:
    """Pixels that become x / 255 when the official preprocessing is applied to them, to half a grey level."""
    moved = np.minimum(MEAN + faces.astype(np.float32) * np.float32(SCALE / _UNIT_SCALE), 255.0)
    return np.asarray(np.rint(moved), np.uint8)


def _enlarged(factor: float) -> Callable[[Faces], Faces]:
    """The middle of every face, enlarged; below 1 the face, made smaller with its edge repeated around."""

    def change(faces: Faces) -> Faces:
        import cv2

        side = faces.shape[1]
        onto = np.array(((factor, 0, (1 - factor) * (side - 1) / 2), (0, factor, (1 - factor) * (side - 1) / 2)))
        moved = [cv2.warpAffine(face, onto, (side, side), borderMode=cv2.BORDER_REPLICATE) for face in faces]
        return np.asarray(np.stack(moved), np.uint8)

    return change


_DECLARE = "declare it with the checkpoint"
_ALIGN = "align the photographs with `ghostface-edge align`"
REMEDIES = (
    Remedy("nothing", "leave it as it is", None, lambda faces: faces),
    Remedy("BGR and RGB are mixed up", _DECLARE, Preprocessing(colour=ColourOrder.BGR), _swapped),
    Remedy("the network wants [0, 1]", _DECLARE, Preprocessing(mean=0.0, scale=_UNIT_SCALE), _unit_scaled),
    Remedy(
        "the network wants BGR in [0, 1]",
        _DECLARE,
        Preprocessing(ColourOrder.BGR, 0.0, _UNIT_SCALE),
        lambda faces: _unit_scaled(_swapped(faces)),
    ),
    Remedy("faces are too small in their frame, not aligned", _ALIGN, None, _enlarged(1.25)),
    Remedy("faces are far too small in their frame, not aligned", _ALIGN, None, _enlarged(1.8)),
    Remedy("faces are too large in their frame, not aligned", _ALIGN, None, _enlarged(0.8)),
)
"""Tried in this order; the first is the faces as they are."""
