"""`gate`, `compare`, `recommend`, `bundle` and `verify`: verbs that decide about a release and carry it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json

if TYPE_CHECKING:
    from ghostface_edge.pipeline.release.dsse import Signer


def gate(
    report: Annotated[Path, typer.Argument(help="report.json of a run.")],
    baseline: options.Baseline = None,
    policy: options.Policy = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say of every check what it saw and why.")] = False,
    github: Annotated[
        bool, typer.Option("--github", help="Print ::error annotations and add to the step summary.")
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
    from rich.console import Console

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
        print_report(judged, Console())
    if github:
        for line in actions.annotations(judged.gate):
            typer.echo(line)
        actions.append_summary(prose.render(judged, earlier), os.environ)
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
    from rich.console import Console

    from ghostface_edge.reports.renderings.console import print_difference
    from ghostface_edge.reports.renderings.html import render_difference
    from ghostface_edge.reports.write import write_text

    if json_:
        say_json(compared.model_dump(mode="json"))
    else:
        print_difference(compared, Console())
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
        from rich.console import Console

        from ghostface_edge.reports.renderings.console import print_recommendation

        print_recommendation(found, Console())
    raise typer.Exit(found.exit_code)


def bundle(
    run_dir: Annotated[Path, typer.Argument(help="Output folder of a run.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Zip file to write.", show_default=False)],
    variant: Annotated[
        list[str] | None, typer.Option(help="Variant whose files go in; all by default.", show_default=False)
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="Only variants that ran on this device.", show_default=False)
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            help="Private key (ECDSA P-256 or Ed25519, PEM) to sign files and verdict with.", show_default=False
        ),
    ] = None,
) -> None:
    """Pack a run's models, evidence and origin into one file that anyone can check.

    The passphrase of a key is asked for, or taken from GHOSTFACE_EDGE_PASSPHRASE.
    """
    options.check_output(output)
    signer = None if sign is None else _read_signer(sign)
    from ghostface_edge.pipeline.release.bundle import write_bundle

    names = write_bundle(run_dir, output, variants=variant or (), devices=device or (), signer=signer)
    signed = "unsigned" if signer is None else "signed"
    say(f"{output}: {len(names)} files, {output.stat().st_size:,} bytes, {signed}")


def _read_signer(key: Path) -> "Signer":
    from ghostface_edge.pipeline.release.dsse import Signer, is_encrypted

    passphrase = None
    if is_encrypted(key):
        passphrase = os.environ.get("GHOSTFACE_EDGE_PASSPHRASE") or typer.prompt(
            f"passphrase of {key}", hide_input=True
        )
    return Signer.read(key, passphrase)


def verify(
    bundle: Annotated[Path, typer.Argument(help="Zip file written by `bundle`.")],
    key: Annotated[
        Path | None, typer.Option(help="Public key (PEM) that must have signed it.", show_default=False)
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(help="Policy file, or a shipped one, by which the verdict must come out.", show_default=False),
    ] = None,
    json_: options.Json = False,
) -> None:
    """Check a bundle: every byte accounted for, figures and verdict that follow, signed by the key.

    Without --key it says that the bundle is whole, not who made it. Exit code 2 for whatever is wrong; whether the
    release passed its gate decides nothing here.
    """
    from ghostface_edge.pipeline.release.check import check_bundle

    public = None
    if key is not None:
        from ghostface_edge.pipeline.release.dsse import read_public_key

        public = read_public_key(key)
    found = check_bundle(bundle, public, None if policy is None else options.read_policy(policy))
    report, entry = found.report, found.manifest.verdict
    if json_:
        say_json(
            {
                "bundle": str(bundle),
                "model": report.model.name,
                "variants": [one.id for one in found.manifest.variants],
                "verdict": entry.model_dump(mode="json"),
                "signed_by": found.signed_by,
                "signature_checked": found.is_believed,
                "pages_made_again": found.is_made_again,
            }
        )
        return
    if found.signed_by is None:
        signed = "unsigned: it does not tell who made it"
    elif found.is_believed:
        signed = f"signed by {found.signed_by[:16]}"
    else:
        signed = f"signature of {found.signed_by[:16]} not checked, give --key"
    say(f"{bundle}: whole, {signed}; {report.model.name}, verdict {entry.verdict} by {entry.policy}")
    if not found.is_made_again:
        say("made by another release: its pages were not made again to compare them")


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {"gate": gate, "compare": compare, "recommend": recommend, "bundle": bundle, "verify": verify}
)
