"""report.html: one self-contained file that reads without a network, on a phone and in print.

Names from outside are escaped by the template; the content security policy allows this page's own style and script,
by their hashes, and nothing else.
"""

import base64
import hashlib
from importlib.resources import files

from ghostface_edge.reports import deployment, histograms, plots, wording
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.evidence import Flip
from ghostface_edge.reports.quantizations import quantizations
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.thumbnails import thumbnails
from ghostface_edge.reports.time_shares import time_shares
from ghostface_edge.reports.variant import Variant

_CARDS = 12
"""Changed decisions shown with faces, per variant that would ship."""
_CARDS_OF_COMPARISONS = 6
_LISTED = 150
"""Changed decisions listed, per variant; report.json has all."""


def render(report: Report, curves: ReportCurves) -> str:
    """Write a report as a page."""
    cards = {variant.id: _cards(report, variant) for variant in report.variants}
    wanted = {number for shown in cards.values() for flip in shown for number in flip.images}
    scored = [variant for variant in report.variants if variant.id in curves.scores and variant.precision != "fp32"]
    return page(
        "report.html.j2",
        title=f"{report.model.name}: {report.gate.verdict.value}",
        report=report,
        looks={variant.id: plots.look(variant, report) for variant in report.variants},
        roc=plots.roc_plot(report, curves),
        pareto=plots.pareto_plot(report),
        latency=plots.latency_plot(report, curves),
        histograms=[(variant, histograms.score_histogram(report, curves, variant)) for variant in scored],
        cosines=histograms.cosine_histogram(report, curves) if curves.cosines else None,
        cards=cards,
        listed=_LISTED,
        faces=thumbnails(curves.images, wanted),
        quantizations=quantizations(report),
        shares=time_shares(report),
        deployment=deployment,
        bars=plots.bars,
        curve_plot=plots.curve_plot,
        role_plot=plots.role_plot,
        sheets={name: base64.b64encode(sheet).decode() for name, sheet in curves.contact_sheets.items()},
    )


def page(template: str, *, title: str, **values: object) -> str:
    """Fill a template that extends `page.html.j2`, with this package's style, script and wording."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    folder = files("ghostface_edge.reports") / "templates"
    style = (folder / "report.css").read_text(encoding="utf-8")
    script = (folder / "report.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("ghostface_edge.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        title=title,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}",
        wording=wording,
        **values,
    )


def _cards(report: Report, variant: Variant) -> tuple[Flip, ...]:
    return variant.flips[: _CARDS_OF_COMPARISONS if wording.is_comparison(report, variant) else _CARDS]


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
