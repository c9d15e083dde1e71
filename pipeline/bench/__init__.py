"""Stock and ours side by side, over the family's members: what `nox -s bench` runs."""

from ghostface_edge.pipeline.bench.limits import Ratio
from ghostface_edge.pipeline.bench.models import STANDARD_MODELS, BenchModel
from ghostface_edge.pipeline.bench.run import BenchRow, run_bench

__all__ = ["STANDARD_MODELS", "BenchModel", "BenchRow", "Ratio", "run_bench"]
