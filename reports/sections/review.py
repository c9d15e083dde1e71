"""To look at: two names with the highest scores and one name with the lowest, with faces where they are at hand."""

from collections.abc import Mapping, Sequence

from ghostface_edge.reports.all_against_all import FMRS, spelt
from ghostface_edge.reports.blocks import Block, Card, Cards, Column, Folded, Note, Table, Tone
from ghostface_edge.reports.review import Reviewed, reached
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.thumbnails import thumbnails

_CARDS = 24
"""Of each kind shown with faces."""
_COLUMNS = (Column("Names"), Column("Cosine"), Column("Strictest match"))
_READING = (
    "The extreme scores of FP32, all images against all. One person under two names, or two people under one, spoils "
    "the rates at the strictest thresholds first: look whether the faces go with the names."
)


def review(findings: Findings) -> Section | None:
    """Both ends of the scores, that of two names open."""
    found = findings.report.review
    if found is None or not (found.impostor or found.genuine):
        return None
    kinds = [("Two names, the highest scores", found.impostor), ("One name, the lowest scores", found.genuine)]
    wanted = {number for _, listed in kinds for one in listed[:_CARDS] for number in one.images}
    faces = thumbnails({} if findings.curves is None else findings.curves.gallery_images, wanted)
    groups = [
        Folded(title, _blocks(listed, found.thresholds, faces), opened=not place)
        for place, (title, listed) in enumerate(kinds)
        if listed
    ]
    pictures = {_picture(number): uri for number, uri in faces.items()}
    notes = (Note(_READING), Note(_said(found.thresholds), soft=True))
    return Section("review", "Names to look at", (*notes, *groups), pictures=pictures)


def _said(thresholds: Mapping[str, float]) -> str:
    told = [f"{thresholds[fmr]:.3f} at {spelt(fmr)}" for fmr in FMRS if fmr in thresholds]
    return f"A match is a cosine of {', '.join(told)}" if told else "No false-match rate is answerable"


def _blocks(listed: Sequence[Reviewed], thresholds: Mapping[str, float], faces: Mapping[int, str]) -> list[Block]:
    cards = Cards([_card(one, thresholds, faces) for one in listed[:_CARDS]])
    rows = [(_names(one), f"{one.cosine:.3f}", _place(one, thresholds)) for one in listed]
    return [cards, Folded(f"List of {len(rows)}", (Table(_COLUMNS, rows),))]


def _card(one: Reviewed, thresholds: Mapping[str, float], faces: Mapping[int, str]) -> Card:
    known = all(image in faces for image in one.images)
    pictures = [(_picture(image), name) for image, name in zip(one.images, one.names, strict=True)] if known else ()
    return Card(Tone.CAREFUL, (f", {_place(one, thresholds)}", _names(one)), f"{one.cosine:.3f}", pictures)


def _place(one: Reviewed, thresholds: Mapping[str, float]) -> str:
    fmr = reached(one.cosine, thresholds)
    return "no match" if fmr is None else f"match at FMR {spelt(fmr)}"


def _names(one: Reviewed) -> str:
    return " / ".join(dict.fromkeys(one.names))


def _picture(image: int) -> str:
    return f"review-{image}"
