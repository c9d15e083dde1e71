"""`gate`, `compare` and `recommend`: verbs that decide about a release."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say_json, terminal


def gate(
    report: Annotated[Path, typer.Argument(help="report.json of a run.")],
    baseline: options.Baseline = None,
    policy: options.Policy = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say of every check what it saw and why.")] = False,
    github: Annotated[
        bool, typer.Option("--github", help="Print ::error annotations, add to the step summary, set outputs.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.", show_default=False)] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown.", show_default=False)] = None,
    json_: options.Json = False,
) -> None:
    """Judge a report by a policy; the exit code: 0 pass, 1 fail, 4 inconclusive, 3 a variant that would ship failed."""
    from ghostface_edge.reports.gate import exit_code, judge_report
    from ghostface_edge.reports.report import Report

    rules, earlier = options.read_policy(policy), options.read_report(baseline)
    judged = judge_report(Report.read(report), rules, baseline=earlier)
    # the renderings draw with numpy, which what is refused above need not load
    from ghostface_edge.reports import github as actions
    from ghostface_edge.reports.explain import explain as reasons
    from ghostface_edge.reports.renderings import junit as xml
    from ghostface_edge.reports.renderings import markdown as prose
    from ghostface_edge.reports.renderings.console import print_report
    from ghostface_edge.reports.write import write_text

    if json_:
        say_json(judged.gate.model_dump(mode="json"))
    elif explain:
        typer.echo(reasons(judged.gate))
    else:
        print_report(judged, terminal())
    if github:
        for line in actions.annotations(judged.gate):
            typer.echo(line)
        actions.append_summary(prose.render(judged, earlier), os.environ)
        actions.set_outputs(report, judged, os.environ)
    if junit is not None:
        write_text(junit, xml.render(judged))
    if markdown is not None:
        write_text(markdown, prose.render(judged, earlier))
    raise typer.Exit(exit_code(judged))


def compare(
    before: Annotated[Path, typer.Argument(help="report.json of the earlier run.")],
    after: Annotated[Path, typer.Argument(help="report.json of the later run.")],
    html: Annotated[Path | None, typer.Option(help="Write table and plot as a page.", show_default=False)] = None,
    json_: options.Json = False,
) -> None:
    """Say what changed between two runs, and whether that is more than noise."""
    from ghostface_edge.reports.difference import compare
    from ghostface_edge.reports.report import Report

    compared = compare(Report.read(before), Report.read(after))
    from ghostface_edge.reports.renderings.console import print_difference
    from ghostface_edge.reports.renderings.html import render_difference
    from ghostface_edge.reports.write import write_text

    if json_:
        say_json(compared.model_dump(mode="json"))
    else:
        print_difference(compared, terminal())
    if html is not None:
        write_text(html, render_difference(compared))


def recommend(
    out: Annotated[Path, typer.Argument(help="Output folder of a run, or its report.json.")],
    device: Annotated[str, typer.Option(help="Name of a device that the run had; `local` is its host.")],
    json_: options.Json = False,
) -> None:
    """Say which file to ship on a device and why; exit code 0 with a choice, 1 if none may, 4 if that is open."""
    from ghostface_edge.reports.recommend import recommend
    from ghostface_edge.reports.report import Report

    found = recommend(Report.read(out / "report.json" if out.is_dir() else out), device)
    if json_:
        say_json(found.model_dump(mode="json"))
    else:
        from ghostface_edge.reports.renderings.console import print_recommendation

        print_recommendation(found, terminal())
    raise typer.Exit(found.exit_code)


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"gate": gate, "compare": compare, "recommend": recommend})
