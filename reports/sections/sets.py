"""Further sets: the headline figures on every other set of pairs, and one threshold on all of them."""

from collections.abc import Iterator, Sequence

from ghostface_edge.reports import wording
from ghostface_edge.reports.all_against_all import spelt
from ghostface_edge.reports.blocks import Block, Bullet, Bullets, Column, Folded, Note, Row, Table
from ghostface_edge.reports.one_threshold import chosen_thresholds
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.variant import Variant

_COLUMNS = (Column("Variant"), Column("Pairs"), *("Accuracy %", "Drop pp", "95 % interval", "TAR@FAR=1e-3 %", "Cosine"))
_ONE_THRESHOLD = (Column("Variant"), Column("Set"), "Threshold", "FMR %", "FNMR %", "False matches")


def sets(findings: Findings) -> Section | None:
    """Nothing where only the main pairs were judged."""
    blocks = [*_accuracy(findings.report), *_one_threshold(findings.report)]
    return Section("sets", "Further pairs", blocks) if blocks else None


def _accuracy(report: Report) -> Iterator[Block]:
    rows = [
        (
            variant.id,
            name,
            f"{wording.percent(result.accuracy.mean)} ± {wording.percent(result.accuracy.standard_error)}",
            f"{result.versus_reference.drop_pp:+.2f}",
            wording.interval(result.versus_reference.ci95_pp),
            wording.percent(result.accuracy.tar_at_far["0.001"]),
            f"{result.versus_reference.cosine_mean:.4f}",
        )
        for variant in report.local_variants
        for name, result in variant.sets.items()
    ]
    if rows:
        yield Table(_COLUMNS, rows)
        yield Bullets(
            [Bullet(f"{pairs.name}: {pairs.count:,} pairs, {pairs.protocol}") for pairs in report.data.further_pairs]
        )


def _one_threshold(report: Report) -> Iterator[Block]:
    """The strictest rate; the others folded below."""
    shown = [variant for variant in report.local_variants if variant.one_threshold]
    if not shown:
        return
    strictest, *looser = sorted(chosen_thresholds(shown[0].all_pairs, shown[0].thresholds), key=float)
    yield Note(
        f"One threshold for all sets: each variant's own, chosen on {report.data.first_set} for a false-match rate of "
        f"{spelt(strictest)}. Every set is counted whole where it is known whom its images show, else by its "
        "pairs."
    )
    yield Table(_ONE_THRESHOLD, _rows(report, shown, strictest))
    if looser:
        tables: list[Block] = []
        for rate in looser:
            tables += [Note(f"Chosen for {spelt(rate)}:"), Table(_ONE_THRESHOLD, _rows(report, shown, rate))]
        yield Folded("Thresholds of other rates", tables)


def _rows(report: Report, shown: Sequence[Variant], rate: str) -> list[Row]:
    rows = []
    for variant in shown:
        muted = wording.compared(report, variant)
        rows.append(Row((variant.id, report.data.first_set, *_on_first(report, variant, rate)), muted=muted))
        for name, rates in variant.one_threshold.items():
            found = rates[rate]
            cells = _cells(found.threshold, found.fmr, found.fnmr, found.impostor)
            rows.append(Row(("", name, *cells), muted=muted))
    return rows


def _on_first(report: Report, variant: Variant, rate: str) -> tuple[str, ...]:
    if variant.all_pairs is not None:
        row = variant.all_pairs.fnmr_at_fmr[rate]
        return _cells(row.threshold, row.fmr, row.fnmr, variant.all_pairs.impostor)
    transfer = variant.thresholds[rate]
    assert transfer is not None
    own, pairs = transfer.retuned, report.data.pairs
    return _cells(own.threshold, own.far, own.frr, None if pairs.same is None else pairs.count - pairs.same)


def _cells(threshold: float, fmr: float, fnmr: float, impostor: int | None) -> tuple[str, ...]:
    matches = wording.MISSING if impostor is None else f"{round(fmr * impostor):,} of {impostor:,}"
    return f"{threshold:.4f}", wording.small_percent(fmr), wording.percent(fnmr), matches
