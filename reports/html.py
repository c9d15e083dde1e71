"""report.html: one self-contained file that reads without a network, on a phone and in print.

Names from outside are escaped by the template; the content security policy allows this page's own style and script,
by their hashes, and nothing else.
"""

import base64
import hashlib
from importlib.resources import files

from ghostface_edge.reports import plots, wording
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.report import Report


def render(report: Report, curves: ReportCurves) -> str:
    """Write a report as a page."""
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
    return environment.get_template("report.html.j2").render(
        report=report,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}",
        wording=wording,
        looks={variant.id: plots.look(variant, report) for variant in report.variants},
        roc=plots.roc_plot(report, curves),
        latency=plots.latency_plot(report, curves),
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
