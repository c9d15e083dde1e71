"""Changed decisions: the pairs that only one of the two models decides rightly, with faces where they are at hand."""

from collections.abc import Mapping, Sequence

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Block, Card, Cards, Cell, Column, Folded, Note, Table, Tone
from ghostface_edge.reports.evidence import Flip
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.thumbnails import thumbnails
from ghostface_edge.reports.variant import Variant

_CARDS = 12
"""Shown with faces, per variant that would ship."""
_CARDS_OF_COMPARISONS = 6
_LISTED = 150
"""Listed, per variant; report.json has all."""
_PEOPLE = 8
_COLUMNS = tuple(
    map(Column, ("Pair", "Fold", "Change", "Truth", "FP32 score", "Score", "Threshold", "Margin", "Names"))
)
_READING = (
    "Pairs that only one of the two models decides rightly, each at its own cross-validated threshold; lost ones "
    "first, from the clearest to the closest."
)


def changed_decisions(findings: Findings) -> Section | None:
    """One group per variant; those that would ship stand open."""
    report = findings.report
    changed = {
        variant.id: variant.flips[: _cards(report, variant)] for variant in report.local_variants if variant.flips
    }
    if not changed:
        return None
    wanted = {number for flips in changed.values() for flip in flips for number in flip.images}
    faces = thumbnails({} if findings.curves is None else findings.curves.images, wanted)
    flipped = [variant for variant in report.local_variants if variant.flips]
    groups = [
        Folded(
            _summary(variant),
            _blocks(variant, changed[variant.id], faces),
            aside=_chance(variant),
            opened=variant is flipped[0] or not wording.is_comparison(report, variant),
        )
        for variant in flipped
    ]
    pictures = {f"face-{number}": uri for number, uri in faces.items()}
    return Section("flips", "Changed decisions", (Note(_READING), *groups), pictures=pictures)


def _cards(report: Report, variant: Variant) -> int:
    return _CARDS_OF_COMPARISONS if wording.is_comparison(report, variant) else _CARDS


def _summary(variant: Variant) -> str:
    lost = sum(flip.lost for flip in variant.flips)
    return f"{variant.id}: {lost:,} lost, {len(variant.flips) - lost:,} gained"


def _chance(variant: Variant) -> str:
    versus = variant.versus_reference
    return "" if versus is None else f"(McNemar p {wording.probability(versus.p_value)})"


def _blocks(variant: Variant, shown: Sequence[Flip], faces: Mapping[int, str]) -> list[Block]:
    blocks: list[Block] = [Cards([_card(flip, faces) for flip in shown])]
    flips = variant.flips
    if len(flips) > len(shown):
        part = f" of the first {_LISTED} of {len(flips):,}, report.json has all" if len(flips) > _LISTED else ""
        blocks.append(Folded(f"List{part}", (Table(_COLUMNS, [_row(flip) for flip in flips[:_LISTED]]),)))
    people = [
        f"{person.name} ({person.lost} of {person.pairs}{f', {person.gained} gained' if person.gained else ''})"
        for person in variant.people[:_PEOPLE]
        if person.lost > 1
    ]
    if people:
        blocks.append(Note(f"Lost most: {', '.join(people)}", soft=True))
    return blocks


def _card(flip: Flip, faces: Mapping[int, str]) -> Card:
    labels = flip.names or ("face", "face")
    known = all(image in faces for image in flip.images)
    pictures = [(f"face-{image}", label) for image, label in zip(flip.images, labels, strict=True)] if known else ()
    scores = f"FP32 {flip.reference_score:.3f} → {flip.variant_score:.3f}, threshold {flip.variant_threshold:.3f}"
    truth = ", same person" if flip.same else ", two people"
    lines = [truth, *([_names(flip)] if flip.names else []), scores]
    change, tone = ("lost", Tone.FAIL) if flip.lost else ("gained", Tone.PASS)
    return Card(tone, lines, change, pictures)


def _row(flip: Flip) -> tuple[Cell | str, ...]:
    return (
        f"{flip.pair + 1}",
        f"{flip.fold + 1}",
        Cell("lost", Tone.FAIL) if flip.lost else Cell("gained", Tone.PASS),
        "same" if flip.same else "different",
        f"{flip.reference_score:.3f}",
        f"{flip.variant_score:.3f}",
        f"{flip.variant_threshold:.3f}",
        f"{flip.margin:.3f}",
        _names(flip) if flip.names else wording.MISSING,
    )


def _names(flip: Flip) -> str:
    return " / ".join(dict.fromkeys(flip.names or ()))
