"""A history in words, tables and plots: what changed, every figure over the runs, the runs."""

from collections.abc import Iterator

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import (
    Align,
    Block,
    Bullet,
    Bullets,
    Cell,
    Column,
    Figure,
    Grid,
    Note,
    Reach,
    Span,
    Style,
    Table,
    Tone,
)
from ghostface_edge.reports.history.changes import FEWEST, MOST
from ghostface_edge.reports.history.charts import chart, figure
from ghostface_edge.reports.history.history import History, RunLine
from ghostface_edge.reports.history.series import IN_POINTS, TITLES, Change, Quantity, Series
from ghostface_edge.reports.section import Section

_COLOURS = 6
_WORDS = {
    Quantity.ACCURACY: "accuracy",
    Quantity.FNMR: "FNMR",
    Quantity.LATENCY: "latency over FP32's",
    Quantity.BYTES: "size",
}
_READING = (
    "A dot is a run, its line the 95 % interval, the level line the median of the runs that are alike. A large dot is "
    "the first run of a new level; it and the level are green where that is better, red where it is worse."
)
_METHOD = (
    f"Levels are found by PELT with the L1 cost over the newest {MOST} runs; a level takes {FEWEST} runs. Noise is "
    "what the intervals state, or what one run differs from the next by, if that is more. Where nothing changed, at "
    "most two histories in a hundred show a change, and five where the intervals state half the noise. A slow drift is "
    "no change of level. What is compared has the same network's name, the same faces, and for times the same "
    "processor."
)


def sections_of(history: History) -> list[Section]:
    """All of it, what changed first."""
    return [changes(history), *_plots(history), figures(history), runs(history)]


def changes(history: History) -> Section:
    """What changed by more than its noise, and which files were no runs."""
    bullets = [_bullet(history, series, change) for series, change in history.changes]
    left = [Bullet(why, Tone.CAREFUL) for why in history.left_out]
    blocks: list[Block] = [
        Bullets(bullets or [Bullet("nothing changed by more than its noise", Tone.PASS)], reach=Reach.TERMINAL),
        *([Bullets(left, reach=Reach.TERMINAL)] if left else []),
        Note(_METHOD, soft=True),
    ]
    return Section("changes", "What changed", blocks)


def figures(history: History) -> Section:
    """The newest figure of every series, with its newest change."""
    rows = [_row(series, history) for series in history.series]
    columns = (
        *(Column("Figure"), Column("Variant")),
        *(Column(name, Align.RIGHT, spare) for name, spare in (("Newest", 0), ("95 % interval", 2), ("Changed", 0))),
        *(Column("First with it"), Column("Runs", Align.RIGHT, 1), Column("Of", spare=3)),
    )
    table = Table(columns, rows, filter="int8, accuracy…" if len(rows) > 8 else "", reach=Reach.TERMINAL)
    return Section("figures", "Newest figures", (table,))


def _bullet(history: History, series: Series, change: Change) -> Bullet:
    before, after = (figure(series.quantity, value) for value in (change.before, change.after))
    with_it = f"; new in it: {', '.join(change.with_it)}" if change.with_it else ""
    words = f": {series.variant}, {_WORDS[series.quantity]} {_difference(series, change)}, {before} → {after}{with_it}"
    tone = Tone.WORSE if change.is_worse else Tone.BETTER
    return Bullet((Span(change.release, Style.STRONG), words), tone, _of(series, history))


def _of(series: Series, history: History) -> str:
    """What the figures have in common; the network only where there are several."""
    network, *rest = series.of
    return ", ".join(rest if len({run.network for run in history.runs}) == 1 else (network, *rest))


def _difference(series: Series, change: Change) -> str:
    unit = "pp" if series.quantity in IN_POINTS else "%"
    return f"{change.difference:+.2f} {unit} ({wording.interval(change.ci95)})"


def _row(series: Series, history: History) -> list[Cell | str]:
    newest = series.points[-1]
    change = series.changes[-1] if series.changes else None
    bounds = wording.MISSING
    if newest.ci95 is not None:
        bounds = " … ".join(figure(series.quantity, end) for end in newest.ci95)
    changed: Cell | str = wording.MISSING
    if change is not None:
        unit = "pp" if series.quantity in IN_POINTS else "%"
        changed = Cell(f"{change.difference:+.2f} {unit}", Tone.WORSE if change.is_worse else Tone.BETTER)
    return [
        TITLES[series.quantity],
        series.variant,
        Cell(figure(series.quantity, newest.value), hover=history.runs[newest.run].name),
        bounds,
        changed,
        wording.MISSING if change is None else change.release,
        f"{len(series.points):,}",
        _of(series, history) or wording.MISSING,
    ]


def _plots(history: History) -> Iterator[Section]:
    runtimes = list(dict.fromkeys(series.variant.split("-")[0] for series in history.series))
    names = [run.name for run in history.runs]
    for number, (quantity, title) in enumerate(TITLES.items()):
        drawn = [
            Figure(
                chart(series, names, f"c{runtimes.index(series.variant.split('-')[0]) % _COLOURS}"),
                title=series.variant,
                caption=_of(series, history),
            )
            for series in history.series
            if series.quantity is quantity
        ]
        if drawn:
            reading = (Note(_READING, soft=True),) if number == 0 else ()
            yield Section(quantity.value, title, (*reading, Grid(drawn, small=True)))


def runs(history: History) -> Section:
    """Every run, and which variants failed in it."""
    columns = (
        *(Column(name) for name in ("Run", "Started", "Verdict", "Network", "Pairs")),
        Column("What failed", Align.WIDE),
    )
    rows = [_run(run) for run in reversed(history.runs)]
    failed = [run for run in history.runs if run.failed]
    blocks: list[Block] = [Table(columns, rows, filter="a release…" if len(rows) > 8 else "")]
    if failed:
        said = [Bullet((Span(run.name, Style.STRONG), f": {'; '.join(run.failed)}"), Tone.FAILED) for run in failed]
        blocks.append(Bullets(said, reach=Reach.TERMINAL))
    return Section("runs", "Runs", blocks, aside=f"{len(history.runs):,}, the newest first")


def _run(run: RunLine) -> list[Cell | str]:
    verdict = Cell(run.verdict.value, Tone(run.verdict.value))
    return [run.name, run.started, verdict, run.network, run.pairs, "; ".join(run.failed) or wording.MISSING]
