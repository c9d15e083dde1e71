"""What to ship on one device, with the figures of every file there and why the others are left."""

from typing import Final

from ghostface_edge.reports import wording
from ghostface_edge.reports.all_against_all import spelt
from ghostface_edge.reports.blocks import Block, Bullet, Bullets, Column, Reach, Span, Style, Table, Tone, Words
from ghostface_edge.reports.recommend import Considered, Recommendation, Yardstick, cost
from ghostface_edge.reports.report import Verdict
from ghostface_edge.reports.section import Section

_COSTS: Final = {Yardstick.TIME: "p50", Yardstick.INSTRUCTIONS: "Emulated"}


def recommended(recommendation: Recommendation) -> Section:
    """The choice, in a line, a table and the reasons."""
    files = [*([recommendation.chosen] if recommendation.chosen else []), *recommendation.others]
    fmr = next((file.fmr for file in files if file.fmr is not None), None)
    costs = [by for by in _COSTS if any(getattr(file, by) is not None for file in files)]
    rates = [] if fmr is None else [f"FNMR at {spelt(fmr)} % here"]
    columns: tuple[Column | str, ...] = (
        Column("File"),
        "Accuracy % here",
        *rates,
        *(_COSTS[by] for by in costs),
        "Size",
    )
    rows = [
        [
            file.variant,
            wording.percent(file.accuracy),
            *([] if fmr is None else [wording.percent(file.fnmr)]),
            *(cost(file, by) for by in (*costs, Yardstick.SIZE)),
        ]
        for file in files
    ]
    left = [Bullet((Span(file.variant, Style.STRONG), f": {file.why}")) for file in recommendation.others]
    blocks: list[Block] = [
        Bullets([choice(recommendation)], reach=Reach.TERMINAL),
        Table(columns, rows, reach=Reach.TERMINAL),
        Bullets(left, reach=Reach.TERMINAL),
    ]
    return Section("recommended", f"For {recommendation.device}", blocks)


def choice(recommendation: Recommendation) -> Bullet:
    """Name the file to ship on the device, or say that there is none."""
    chosen, device = recommendation.chosen, (Span(recommendation.device, Style.STRONG), ": ")
    if chosen is None:
        return Bullet((*device, "nothing may ship there"), Tone.FAIL)
    words: Words = (*device, Span(chosen.variant, Style.STRONG), f", {chosen.why}", *_where(chosen))
    return Bullet(words, Tone.PASS if recommendation.verdict is Verdict.PASS else Tone.INCONCLUSIVE)


def _where(file: Considered) -> tuple[str | Span, ...]:
    return () if file.path is None else (" (", Span(file.path), ")")
