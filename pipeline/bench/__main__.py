"""`python -m ghostface_edge.pipeline.bench OUT [CHECKPOINT]`: time the family, print ratios, write OUT/bench.json.

CHECKPOINT takes the first network's place with real weights. `nox -s bench` calls this; ten minutes on two cores.
"""

import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ghostface_edge.pipeline.bench import STANDARD_MODELS, run_bench
from ghostface_edge.pipeline.bench.limits import table
from ghostface_edge.pipeline.bench.run import judge_rows
from ghostface_edge.pipeline.support.progress import Progress

_THREADS = (1, 2)


def main(arguments: list[str]) -> None:
    """Run the bench; see the module."""
    first, *others = STANDARD_MODELS
    if len(arguments) > 1:
        first = replace(first, checkpoint=Path(arguments[1]))
    rows = run_bench((first, *others), _THREADS, Path(arguments[0] if arguments else "out/bench"), Progress())
    console, timed = (
        Console(width=140),
        Table("Model", "Runtime", "Threads", "What", "p50 ms", "× stock", "× FP32", "Bytes"),
    )
    for row in rows:
        p50 = "failed" if row.p50_ms is None else f"{row.p50_ms:.3f}"
        ratios = (str(ratio or "-") for ratio in (row.versus_stock, row.versus_fp32))
        timed.add_row(row.model, row.runtime, str(row.threads), row.label, p50, *ratios, f"{row.bytes:,}")
    console.print(timed)
    for row in rows:
        if row.error is not None:
            console.print(f"{row.model}, {row.runtime}-{row.label}: {row.error}", markup=False)
    console.print(table(judge_rows(rows)))


if __name__ == "__main__":
    main(sys.argv[1:])
