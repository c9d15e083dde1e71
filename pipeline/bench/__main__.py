"""`python -m ghostface_edge.pipeline.bench OUT [CHECKPOINT]`: time the family, print ratios, write OUT/bench.json.

CHECKPOINT takes the first network's place with real weights. `nox -s bench` calls this; ten minutes on two cores.
"""

import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ghostface_edge.pipeline.bench import STANDARD_MODELS, Ratio, run_bench
from ghostface_edge.pipeline.progress import Narrator

_THREADS = (1, 2)


def main(arguments: list[str]) -> None:
    """Run the bench; see the module."""
    first, *others = STANDARD_MODELS
    if len(arguments) > 1:
        first = replace(first, checkpoint=Path(arguments[1]))
    rows = run_bench((first, *others), _THREADS, Path(arguments[0] if arguments else "bench"), Narrator())
    table = Table("Model", "Runtime", "Threads", "What", "p50 ms", "× stock", "× FP32", "Bytes")
    for row in rows:
        p50 = row.error or "" if row.p50_ms is None else f"{row.p50_ms:.3f}"
        ratios = (_shown(row.versus_stock), _shown(row.versus_fp32))
        table.add_row(row.model, row.runtime, str(row.threads), row.label, p50, *ratios, f"{row.bytes:,}")
    Console(width=140).print(table)


def _shown(ratio: Ratio | None) -> str:
    return "-" if ratio is None else f"{ratio.value:.2f} [{ratio.ci95[0]:.2f}, {ratio.ci95[1]:.2f}]"


if __name__ == "__main__":
    main(sys.argv[1:])
