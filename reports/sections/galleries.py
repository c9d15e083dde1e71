"""Galleries and probes: does a gallery enrolled by one variant serve probes by another?"""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Cell, Column, Layout, Note, Span, Style, Table
from ghostface_edge.reports.evidence import CrossPrecision
from ghostface_edge.reports.section import Findings, Section

_READING = (
    "Enrolled by the row's variant, probed by the column's. Colour and figure: accuracy lost, in percentage points, "
    "against a gallery enrolled again by the probes' variant; ",
    Span("!", Style.STRONG),
    " marks losses that are more than chance, where enrolling again pays. Hover for accuracy, TAR and cosine.",
)


def galleries(findings: Findings) -> Section | None:
    """A square of losses."""
    cross = findings.report.cross_precision
    if cross is None:
        return None
    size = range(len(cross.variants))
    rows: list[tuple[Cell | str, ...]] = [
        (gallery, *(_cell(cross, row, column) for column in size)) for row, gallery in enumerate(cross.variants)
    ]
    columns: tuple[Column | str, ...] = (Column("gallery ╲ probe"), *cross.variants)
    table = Table(columns, rows, Layout.SQUARE)
    return Section("galleries", "Galleries and probes", (Note(_READING), table), nav="Galleries")


def _cell(cross: CrossPrecision, gallery: int, probe: int) -> Cell:
    tar = f", TAR {wording.percent(cross.tar[gallery][probe])} % at FAR {cross.far}" if cross.far else ""
    hover = (
        f"{cross.variants[gallery]} enrolled, {cross.variants[probe]} probing: accuracy "
        f"{wording.percent(cross.accuracy[gallery][probe])} %{tar}, cosine {cross.cosine[gallery][probe]:.4f}"
    )
    mark = " !" if cross.reenroll[gallery][probe] else ""
    return wording.loss(cross.loss_pp[gallery][probe], suffix=mark, hover=hover)
