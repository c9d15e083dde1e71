"""report.html: one self-contained file that reads without a network, on a phone and in print.

Names from outside are escaped; the content security policy allows this page's own style and script, by their hashes,
and nothing else.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from urllib.parse import quote

from markupsafe import Markup, escape

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Block, Reach, Span, Words, spans
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.difference import Difference
from ghostface_edge.reports.history.history import History
from ghostface_edge.reports.history.sections import sections_of as history_sections
from ghostface_edge.reports.printable import printable
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section, SectionOf, shown
from ghostface_edge.reports.sections import SECTIONS
from ghostface_edge.reports.sections.difference import between
from ghostface_edge.reports.sections.in_short import in_short


def render(
    report: Report,
    curves: ReportCurves | None = None,
    baseline: Report | None = None,
    *,
    sections: Sequence[SectionOf] = SECTIONS,
) -> str:
    """Write a report as a page; plots and pictures that need curves are left out where there are none."""
    model, calibration = report.model, report.data.calibration
    lead = (
        f"{model.architecture}, {model.parameters:,} parameters, {model.mmacs:.1f} M MACs · "
        f"{report.data.pairs.count:,} pairs of {report.data.pairs.name} · calibrated on {calibration.images:,} faces "
        f"of {calibration.identities:,} people, {calibration.identities_shared_with_pairs} of them in the pairs"
    )
    verdict = report.gate.verdict
    return page(
        shown(Findings(report, curves, baseline), sections, Reach.PAGE),
        title=model.name,
        verdicts=(verdict.value,),
        summary=in_short(report).blocks,
        lead=lead,
    )


def render_difference(compared: Difference, further: Sequence[Section] = ()) -> str:
    """Write what changed between two runs as a page; what else there is to say follows."""
    verdicts = (compared.verdict_before.value, compared.verdict_after.value)
    return page([between(compared), *further], title="Two runs compared", verdicts=verdicts)


def render_history(history: History) -> str:
    """Write what changed over the runs of a history as a page."""
    first, last = history.runs[0], history.runs[-1]
    names = wording.enumeration(list(dict.fromkeys(run.network for run in history.runs)))
    lead = f"{wording.count(len(history.runs), 'run')} from {first.name} to {last.name}; the newest: {last.verdict}"
    return page(history_sections(history), title=f"{names} over releases", lead=lead)


def page(
    sections: Sequence[Section],
    *,
    title: str,
    verdicts: Sequence[str] = (),
    summary: Sequence[Block] = (),
    lead: str = "",
) -> str:
    """Write sections as a page of their own, under a title with its verdicts."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    folder = files("ghostface_edge.reports") / "templates"
    style = (folder / "report.css").read_text(encoding="utf-8")
    script = (folder / "report.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("ghostface_edge.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = _words
    return environment.get_template("page.html.j2").render(
        sections=sections,
        title=title,
        verdicts=verdicts,
        summary=summary,
        lead=lead,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}",
    )


def _seen(value: object) -> object:
    """Keep names of others from turning the page's text around; what is escaped already is our own."""
    return printable(value) if type(value) is str else value


def _words(words: Words) -> Markup:
    """Set text with its spans; a figure and its percent sign stay on one line."""
    parts = [
        _span(part) if isinstance(part, Span) else escape(printable(part).replace(" %", "\u00a0%"))
        for part in spans(words)
    ]
    return Markup("").join(parts)


def _span(span: Span) -> Markup:
    """A link stays on this page or beside it, whatever a name of others says."""
    text = Markup("<{0}>{1}</{0}>").format(span.style.value, printable(span.text))
    return Markup('<a href="{}">{}</a>').format(quote(span.to.lstrip("/"), safe="#/"), text) if span.to else text


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
