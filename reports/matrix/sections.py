"""A matrix in words and tables: in short, the best file of each place, every cell, those that failed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import (
    Align,
    Block,
    Bullet,
    Bullets,
    Column,
    Definitions,
    Note,
    Reach,
    Span,
    Style,
    Table,
    Tone,
    Words,
)
from ghostface_edge.reports.blocks import Cell as TableCell
from ghostface_edge.reports.blocks import Row as TableRow
from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.matrix.best import best
from ghostface_edge.reports.matrix.chart import over_time
from ghostface_edge.reports.matrix.record import Cell, CellStatus, MatrixReport
from ghostface_edge.reports.matrix.results import Results, Row
from ghostface_edge.reports.matrix.work import in_words, work
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.plots import shortened as tail
from ghostface_edge.reports.policy import Metric
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.recommend import Recommendation, cost
from ghostface_edge.reports.section import Section
from ghostface_edge.reports.verdicts import Verdict

MOST_ROWS: Final = 2000
_MOST_FAILED: Final = 50
_LONGEST: Final = 400
"""Characters of an error; junit.xml and matrix.json have all."""
_LONGEST_WHY: Final = 120
_OVERALL: Final = {
    ExitCode.PASS: (Tone.PASS, "every cell passed"),
    ExitCode.GATE_FAILED: (Tone.FAIL, "a cell breaks a limit by more than its noise"),
    ExitCode.INCONCLUSIVE: (Tone.INCONCLUSIVE, "no cell is known to break a limit, but not all are shown to keep it"),
    ExitCode.TOOL_FAILED: (Tone.FAILED, "a cell, or a variant of one, could not be made or run"),
}
_URGENT: Final = (Tone.FAILED, Tone.FAIL, Tone.INCONCLUSIVE)
_BEST: Final = (
    "By the rule of ",
    Span("recommend"),
    ": of the files that may ship the fastest, of equally fast ones the smallest. A file "
    "that several cells judged may ship if it may by all of them. Accuracies are of each cell's own pairs.",
)
_CELLS: Final = (
    "A row for every variant of a cell; the number leads to the cell's report. Drop and FNMR rise (at FMR 1:10,000, "
    "each at its own threshold) are in points against the FP32 reference, with 95 % intervals; × FP32 is the median "
    "time over that of the same runtime's FP32; seconds are the cell's own, without what it shares."
)


def tone(matrix: MatrixReport) -> Tone:
    """The verdict over all cells."""
    return _OVERALL[matrix.exit_code][0]


def in_short(results: Results) -> Section:
    """Five lines."""
    matrix = results.matrix
    word, meaning = _OVERALL[matrix.exit_code]
    if not matrix.cells:
        meaning = "no cell has ended"
    choices = [choice for choice in best(results.files) if choice.chosen is not None]
    lines: tuple[tuple[str, Words], ...] = (
        ("Verdict", (Span(word.value, Style.STRONG), f", {meaning}")),
        ("Cells", _counted(matrix)),
        ("Best", _best_in_short(choices)),
        ("Work", in_words(matrix.tasks) if matrix.tasks else "nothing ran"),
        ("Look at", _look_at(results)),
    )
    return Section("in-short", "In short", (Definitions(lines, reach=Reach.TERMINAL),))


def sections_of(results: Results) -> list[Section]:
    """All of it, what failed first."""
    drawn = over_time(results.rows)
    parts = (
        _failed(results.failed),
        _best_files(results),
        None if drawn is None else Section("plot", "Accuracy over latency", (drawn,)),
        _cells(results),
        work(results.matrix.tasks),
    )
    return [part for part in parts if part is not None]


def _counted(matrix: MatrixReport) -> str:
    found = Counter("failed" if cell.verdict is None else cell.verdict.value for cell in matrix.cells)
    counts = ", ".join(f"{found[word]:,} {word}" for word in ("pass", "fail", "inconclusive", "failed"))
    return f"{len(matrix.cells):,} of {matrix.planned:,} ended: {counts}"


def _best_in_short(choices: Sequence[Recommendation]) -> Words:
    if not choices or choices[0].chosen is None:
        return "no file may ship anywhere"
    chosen = choices[0].chosen
    words: tuple[str | Span, ...] = (Span(chosen.variant, to=chosen.path or ""), f" on {choices[0].device}")
    if chosen.verdict is not Verdict.PASS:
        words += (", once its open checks are settled",)
    return (*words, "; ", Span(f"{len(choices) - 1} more", Style.PLAIN, "#best")) if len(choices) > 1 else words


def _look_at(results: Results) -> Words:
    """The gravest of what stands against a pass; else where most was lost."""
    matrix = results.matrix
    if results.failed:
        return _first(f"{results.failed[0].id}: {results.failed[0].error}", len(results.failed), "#failed")
    for urgent in _URGENT:
        rows = [row for row in results.rows if row.decides and _tone(row) is urgent]
        if rows:
            return _first(f"{rows[0].cell.id}: {rows[0].variant}: {rows[0].why}", len(rows), "#cells")
    if not matrix.is_whole:
        return f"{wording.count(matrix.planned - len(matrix.cells), 'cell')} not ended: go on with --resume"
    drops = [(drop.value, row) for row in results.rows if (drop := row.figure(Metric.DROP)) is not None]
    if not drops:
        return "nothing is open"
    most, row = max(drops, key=lambda each: each[0])
    return "nothing is open; of interest: ", Span(f"{most:+.2f} pp of {row.variant}", Style.PLAIN, "#cells"), " lost"


def _first(text: str, count: int, to: str) -> Words:
    first = Span(shortened(text, _LONGEST), Style.PLAIN, to)
    return (first, f"; {count - 1:,} more") if count > 1 else first


def _failed(failed: Sequence[Cell]) -> Section | None:
    if not failed:
        return None
    shown = [
        Bullet((Span(cell.id, Style.STRONG), f": {shortened(cell.error or '', _LONGEST)}"), Tone.FAILED)
        for cell in failed[:_MOST_FAILED]
    ]
    left = len(failed) - len(shown)
    more = (Note(f"{left:,} more are in junit.xml.", reach=Reach.COMMENT),) if left else ()
    blocks = (Bullets(shown, reach=Reach.COMMENT), *more)
    return Section("failed", "Failed cells", blocks, aside=f"{len(failed):,}")


def _best_files(results: Results) -> Section | None:
    choices = best(results.files)
    if not choices:
        return None
    heads = (Column("Place"), Column("File"), Column("Cell"), Column("Verdict"), "Cost", "Accuracy %", "Size, KB")
    table = Table((*heads, Column("Why", Align.WIDE)), list(map(_choice, choices)), reach=Reach.COMMENT)
    blocks: list[Block] = [table, Note(_BEST, soft=True)]
    busy = sum(not cell.timed_alone for cell in results.matrix.cells if cell.status is CellStatus.OK)
    if busy:
        blocks.append(Note(f"{wording.count(busy, 'cell')} timed beside other work: alone they may be faster."))
    return Section("best", "Best file in each place", blocks)


def _choice(choice: Recommendation) -> list[TableCell | str]:
    chosen = choice.chosen
    if chosen is None:
        nothing = [wording.MISSING] * 2
        return [
            choice.device,
            *nothing,
            TableCell("fail", Tone.FAIL),
            *nothing,
            wording.MISSING,
            "nothing may ship there",
        ]
    cell, variant = chosen.variant.split("/", 1)
    return [
        choice.device,
        TableCell(Span(variant, Style.PLAIN, chosen.path or "")),
        TableCell(Span(cell, Style.PLAIN, f"cells/{cell}/report.html")),
        TableCell(choice.verdict.value, Tone(choice.verdict.value)),
        cost(chosen, choice.by),
        wording.percent(chosen.accuracy),
        wording.MISSING if chosen.bytes is None else f"{chosen.bytes / 1000:,.1f}",
        shortened(chosen.why, _LONGEST_WHY),
    ]


def _cells(results: Results) -> Section:
    """What is graver comes first where not all have room, and in the order of the plan."""
    numbers = {cell.id: number for number, cell in enumerate(results.matrix.cells, 1)}
    rows = [*results.rows, *(_without_figures(cell) for cell in results.failed)]
    kept = sorted(rows, key=lambda row: _URGENT.index(_tone(row)) if _tone(row) in _URGENT else len(_URGENT))[
        :MOST_ROWS
    ]
    kept.sort(key=lambda row: numbers[row.cell.id])
    columns: tuple[Column | str, ...] = (
        *(Column(name) for name in ("Cell", "Verdict", "Checkpoint", "Recipe", "Variant", "Device", "Pairs")),
        *("Seed", "Accuracy %", "Drop, pp", "FNMR rise, pp", "× FP32", "Size, KB"),
        *("Seconds", Column("Whole cell")),
    )
    table = Table(columns, [_line(row, numbers[row.cell.id]) for row in kept], filter="balanced, tflite, fail…")
    left = len(rows) - len(kept)
    said = (Note(f"{left:,} of {len(rows):,} rows are left out, the least grave; cells/ has all."),) if left else ()
    aside = f"{wording.count(len(results.matrix.cells), 'cell')}, {wording.count(len(rows), 'row')}"
    return Section("cells", "Cells", (*said, table, Note(_CELLS, soft=True)), aside=aside)


def _without_figures(cell: Cell) -> Row:
    axes = cell.axes
    return Row(cell, ", ".join(axes.targets), ", ".join(axes.devices), "", ("", ""), why=cell.error or "")


def _tone(row: Row) -> Tone:
    if row.figures is None:
        return Tone.FAILED
    return Tone.INCONCLUSIVE if row.verdict is None else Tone(row.verdict.value)


def _line(row: Row, number: int) -> TableRow:
    cell, axes = row.cell, row.cell.axes
    report = "" if cell.report is None else str(PurePosixPath(cell.report).with_name("report.html"))
    size = row.figure(Metric.BYTES)
    pairs = ", ".join(PurePosixPath(path).stem for path in axes.pairs) or "rendered"
    texts: list[TableCell | str] = [
        TableCell(Span(str(number), Style.PLAIN, report) if report else str(number), hover=cell.id),
        TableCell(_tone(row).value, _tone(row), hover=shortened(row.why, _LONGEST)),
        TableCell(tail(axes.checkpoint), hover=axes.checkpoint),
        TableCell(tail(axes.recipe), hover=axes.recipe),
        tail(row.variant),
        TableCell(tail(row.device), hover=row.place),
        TableCell(shortened(pairs), hover=", ".join(axes.pairs)),
        f"{axes.seed}",
        _percent(row.figure(Metric.ACCURACY)),
        _points(row.figure(Metric.DROP)),
        _points(row.figure(Metric.FNMR_RISE)),
        _ratio(row.figure(Metric.LATENCY_RATIO)),
        wording.MISSING if size is None else f"{size.value / 1000:,.1f}",
        f"{cell.seconds:,.1f}",
        "failed" if cell.verdict is None else cell.verdict.value,
    ]
    return TableRow(
        texts, "" if row.decides else "For comparison: another variant of this runtime and precision decides"
    )


def _percent(figure: Measurement | None) -> TableCell | str:
    if figure is None:
        return wording.MISSING
    return TableCell(wording.percent(figure.value), hover=wording.percents(figure.interval) if figure.interval else "")


def _points(figure: Measurement | None) -> str:
    if figure is None:
        return wording.MISSING
    return f"{figure.value:+.2f}" + (f" ({wording.interval(figure.interval)})" if figure.interval else "")


def _ratio(figure: Measurement | None) -> TableCell | str:
    if figure is None:
        return wording.MISSING
    bounds = "" if figure.interval is None else "{:.2f} … {:.2f}".format(*figure.interval)
    return TableCell(f"{figure.value:.2f}", hover=bounds)
