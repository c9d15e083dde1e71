"""`matrix`: many runs on many machines."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json, terminal


def matrix(
    plan: Annotated[Path, typer.Argument(help="YAML file of the axes; see docs/fleet.md.", metavar="PLAN.yaml")],
    out: Annotated[
        Path, typer.Option(help="Folder for matrix.json, its page and the cells' own folders.", show_default=False)
    ],
    cluster: Annotated[
        str,
        typer.Option(
            help="Where workers are: `local`, the address of a Dask scheduler, or a YAML file for dask-jobqueue.",
            metavar="ADDRESS|local|FILE.yaml",
        ),
    ] = "local",
    workers: Annotated[
        int, typer.Option(min=1, max=1000, help="How many are started, where they are started from here.")
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the cells, what is cached already, and what it may take.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the matrix in --out.")] = False,
    json_: options.Json = False,
) -> None:
    """Run every cell of a plan (checkpoints, recipes, targets, devices, pairs, seeds), sharing what they share.

    Exit code: the worst of the cells': 3 where one failed, else 1 where a gate failed, 4 for too little evidence, 0.
    """
    options.check_inputs(plan)
    options.check_output(out, is_folder=True)

    from ghostface_edge.pipeline.matrix.cells import cells_of
    from ghostface_edge.pipeline.matrix.plan import Plan
    from ghostface_edge.pipeline.matrix.run import Where, begin, run_matrix
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.reports.matrix.pages import PAGE, write_pages
    from ghostface_edge.reports.renderings.console import print_section
    from ghostface_edge.targets.requirements import require_modules

    cells = cells_of(Plan.read(plan), plan.absolute().parent, out)
    ledger = begin(plan, cells, out, resume=resume or dry_run)
    if dry_run:
        from ghostface_edge.pipeline.matrix.estimate import look_ahead

        found = look_ahead(ledger, workers)
        if json_:
            say_json(found.as_json())
        else:
            for line in found.as_lines():
                say(line)
        return
    require_modules("torch", "torch")
    report = run_matrix(ledger, Where(cluster, workers), Progress())
    summary = write_pages(report, out)
    if json_:
        say_json(report.model_dump(mode="json"))
    else:
        print_section(summary, terminal())
        say(f"Page: {out / PAGE}")
    raise typer.Exit(report.exit_code)


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"matrix": matrix})
