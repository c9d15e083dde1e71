"""A comparison as a picture or a page: what was found in both photographs, and where the score lies.

A folder is shown by its most alike photograph, with a table of all.
"""

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ghostface_edge.pipeline.tools.drawing import draw
from ghostface_edge.pipeline.tools.matching import Match, Matching, bound
from ghostface_edge.pipeline.tools.photographs import Found, FoundFace
from ghostface_edge.reports.all_against_all import ScoreHistogram
from ghostface_edge.reports.blocks import Block, Column, Figure, Grid, Note, Picture, Table
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.renderings.html import page
from ghostface_edge.reports.score_histogram import humps, score_among
from ghostface_edge.reports.section import Section
from ghostface_edge.reports.write import write_bytes, write_text

SUFFIXES = (".html", ".png")
_TILE, _GAP, _PLOT = 480, 16, 300
"""Longer side of a photograph; of a picture, the space between, and the height of the histogram; in pixels."""
_QUALITY = 88
_INK, _SOFT, _GENUINE, _IMPOSTOR = (27, 31, 36), (89, 99, 110), (168, 214, 187), (232, 178, 175)
_CAPTION = (
    "Areas: pairs of strangers and of one person among the run's images. Dotted: the threshold. The line with the "
    "number: this pair. The further it lies from the other area, the surer the answer."
)


@dataclass(frozen=True, slots=True)
class _Side:
    """One photograph as it is shown."""

    face: FoundFace
    picture: NDArray[np.uint8]
    """RGB, with what was found drawn into it."""
    aligned: NDArray[np.uint8]
    """RGB (112, 112, 3)."""


def check_show(path: Path | None) -> None:
    """Refuse what a comparison cannot be written as, before it is made.

    Raises:
        InputError: another ending than SUFFIXES.
    """
    if path is not None and path.suffix not in SUFFIXES:
        raise InputError(f"{path} ends in neither {' nor '.join(SUFFIXES)}", fix="name a page or a picture")


def write_shown(path: Path, found: Found, matching: Matching, histogram: ScoreHistogram | None) -> None:
    """Write the first photograph beside the most alike one.

    Raises:
        InputError: it cannot be written.
    """
    best = matching.matches[0]
    sides = tuple(_side(found, face) for face in (matching.face, best.face))
    if path.suffix == ".png":
        write_bytes(path, _png(_canvas(sides, matching, best, histogram)))
    else:
        write_text(path, _html(sides, matching, best, histogram))


def _side(found: Found, face: FoundFace) -> _Side:
    picture, scale = found.picture(face.photo, _TILE)
    draw(picture, face, scale)
    place = found.faces.index(face)
    return _Side(face, picture, found.aligned_face(place))


def _html(sides: tuple[_Side, ...], matching: Matching, best: Match, histogram: ScoreHistogram | None) -> str:
    photos = [
        Figure(
            Markup('<img class="sheet" alt="{}" src="{}">').format("what was found", _uri(side.picture)),
            title=side.face.photo.name,
            caption=_seen(side.face),
            blocks=(Picture(_uri(side.aligned), "the face as the network sees it"),),
        )
        for side in sides
    ]
    sections = [
        Section("photographs", "What was found", (Grid(photos),), nav="Photographs"),
        Section("score", "Where the score lies", _score(matching, best, histogram), nav="Score"),
    ]
    if len(matching.matches) > 1:
        sections.append(Section("folder", "All of the folder", (_table(matching),), nav="Folder"))
    return page(
        sections,
        title=best.answer.capitalize(),
        summary=[Note(f"Score {best.score:.4f}; threshold {matching.deciding}.")],
        lead=f"How sure: {matching.how_sure(best)} · {matching.model.name}",
    )


def _score(matching: Matching, best: Match, histogram: ScoreHistogram | None) -> list[Block]:
    notes = [Note(note) for note in matching.notes]
    if histogram is None or matching.threshold is None:
        return [Note("The run's report holds no histogram of this model: run again to have one."), *notes]
    return [Figure(score_among(histogram, best.score, matching.threshold.cosine), caption=_CAPTION), *notes]


def _table(matching: Matching) -> Table:
    return Table(
        [Column("Photograph"), "Score", Column("Answer"), "FMR at most"],
        [(one.face.photo.name, f"{one.score:.4f}", one.answer, _rate(one)) for one in matching.matches],
        filter="a name",
    )


def _rate(match: Match) -> str:
    return "" if match.certainty is None else bound(match.certainty.fmr)


def _seen(face: FoundFace) -> str:
    others = f"; {len(face.others)} more, in grey, not meant" if face.others else ""
    poor = f"; poor: {', '.join(face.flags)}" if face.flags else ""
    return f"A face, by the detector {100 * face.detector_score:.0f} % sure{others}{poor}. As the network sees it:"


def _uri(pixels: NDArray[np.uint8]) -> str:
    jpeg = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"


def _canvas(
    sides: tuple[_Side, ...], matching: Matching, best: Match, histogram: ScoreHistogram | None
) -> NDArray[np.uint8]:
    """Photographs over aligned faces over the histogram, with the answer on top."""
    width = 2 * _TILE + 3 * _GAP
    rows = [_line(best.answer, width, 1.3), _line(f"score {best.score:.4f}   threshold {_cosine(matching)}", width)]
    rows.append(_beside([side.picture for side in sides], width))
    rows.append(_beside([side.aligned for side in sides], width))
    if histogram is not None and matching.threshold is not None:
        rows.append(_plot(histogram, best.score, matching.threshold.cosine, width))
    if best.certainty is not None and matching.evidence is not None:
        rows.append(_line(matching.how_sure(best), width, 0.5))
    return np.concatenate(rows)


def _cosine(matching: Matching) -> str:
    return "not known" if matching.threshold is None else f"{matching.threshold.cosine:.4f}"


def _line(text: str, width: int, size: float = 0.7) -> NDArray[np.uint8]:
    row = np.full((round(44 * max(size, 0.6)), width, 3), 255, np.uint8)
    thick = 2 if size > 1 else 1
    cv2.putText(row, text, (_GAP, len(row) * 3 // 4), cv2.FONT_HERSHEY_SIMPLEX, size, _INK, thick, cv2.LINE_AA)
    return row


def _beside(pictures: list[NDArray[np.uint8]], width: int) -> NDArray[np.uint8]:
    """Each in the middle of its half."""
    row = np.full((max(map(len, pictures)) + _GAP, width, 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        left = _GAP + number * (_TILE + _GAP) + (_TILE - picture.shape[1]) // 2
        row[: len(picture), left : left + picture.shape[1]] = picture
    return row


def _plot(histogram: ScoreHistogram, score: float, threshold: float, width: int) -> NDArray[np.uint8]:
    edges, shares = humps(histogram)
    low, highest = min(edges[0], score), 1.1 * max(max(share) for share in shares.values())
    row = np.full((_PLOT, width, 3), 255, np.uint8)
    bottom = _PLOT - 28

    def at(cosine: float, share: float) -> tuple[int, int]:
        across = (cosine - low) / (1 - low) * (width - 2 * _GAP)
        return _GAP + round(across), round(bottom - share / highest * (bottom - 24))

    for kind, colour in (("impostor", _IMPOSTOR), ("genuine", _GENUINE)):
        layer = row.copy()
        for number, share in enumerate(shares.get(kind, ())):
            cv2.rectangle(layer, at(edges[number], share), at(edges[number + 1], 0.0), colour, cv2.FILLED)
        cv2.addWeighted(layer, 0.7, row, 0.3, 0, row)
    cv2.line(row, at(low, 0.0), at(1.0, 0.0), _SOFT, 1)
    for cosine, thick, name in ((threshold, 1, "threshold"), (score, 3, "score")):
        x, top = at(cosine, highest)
        cv2.line(row, (x, top), (x, bottom), _INK, thick, cv2.LINE_AA)
        below = (x - 30, bottom + 20) if name == "threshold" else (x - 20, top - 6)
        cv2.putText(row, name, below, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    return row


def _png(pixels: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", pixels[:, :, ::-1])[1].tobytes()
