"""`run` and `targets`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import options


def run(
    checkpoint: Annotated[Path, typer.Option(help="Trained GhostFaceNet (.h5).", show_default=False)],
    pairs: Annotated[Path, typer.Option(help="Verification pairs: an InsightFace .bin.", show_default=False)],
    calibration: Annotated[
        Path, typer.Option(help="Folder of aligned 112x112 faces that are not in the pairs.", show_default=False)
    ],
    targets: Annotated[
        str, typer.Option(help="Variants or runtimes, comma-separated; see `ghostface-edge targets`.")
    ] = "openvino,onnxruntime,tflite",
    out: Annotated[Path, typer.Option(help="Folder for report, models and logs.")] = Path("out"),
    seed: Annotated[int, typer.Option(help="Decides which calibration faces are drawn.")] = 0,
    json_: options.Json = False,
) -> None:
    """Convert, quantize, verify and time every variant; write models and report to --out.

    Exit code: 0 if the release may ship, 1 if not, 3 if a variant failed, 4 if the evidence does not suffice.
    """
    from rich.console import Console

    from ghostface_edge.pipeline.progress import Narrator
    from ghostface_edge.pipeline.run import Job, run
    from ghostface_edge.reports.console import print_report
    from ghostface_edge.targets.table import parse_variants

    job = Job(
        checkpoint=checkpoint,
        pairs=pairs,
        calibration=calibration,
        variants=parse_variants(name.strip() for name in targets.split(",") if name.strip()),
        out=out,
        seed=seed,
    )
    narrator = Narrator()
    report, exit_code = run(job, narrator)
    if json_:
        typer.echo(report.to_json(), nl=False)
    else:
        print_report(report, Console())
    narrator.say(f"report: {out / 'report.html'}")
    raise typer.Exit(exit_code)


def targets(json_: options.Json = False) -> None:
    """List the runtimes and variants, and what is missing to use them."""
    import json

    from rich.console import Console
    from rich.table import Table

    from ghostface_edge.reports.errors import RuntimeMissingError
    from ghostface_edge.targets.table import TARGETS, all_variants, load_target, versions

    table, rows = Table("Runtime", "State", "Layout", "Variants", "Versions"), []
    for runtime in TARGETS:
        target = load_target(runtime)
        try:
            target.require()
            fix = ""
        except RuntimeMissingError as error:
            fix = error.fix
        variants = [str(variant) for variant in all_variants() if variant.runtime == runtime]
        found = versions(target.packages)
        numbers = ", ".join(f"{name} {number}" for name, number in found.items())
        table.add_row(runtime, fix or "ready", target.layout, " ".join(variants), numbers or "-")
        row = {"runtime": runtime, "ready": not fix, "fix": fix, "layout": target.layout}
        rows.append(row | {"variants": variants, "versions": found})
    if json_:
        typer.echo(json.dumps(rows, indent=2))
    else:
        Console().print(table)


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"run": run, "targets": targets})
