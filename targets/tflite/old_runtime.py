"""The interpreter that boards have had for years, tflite-runtime 2.14, in an environment of its own.

It needs NumPy 1 and a Python of at most 3.11, so it cannot share ours. Files are the tflite target's, in the form
whose kernels every interpreter has; only what runs them is another (docs/decisions/0015-second-environments.md).
"""

from pathlib import Path
from typing import Final

from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.environment import Environment
from ghostface_edge.targets.places.board import Board
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.protocol import Embedder, InputType, Precision
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.target import TfliteTarget

TFLITE_RUNTIME: Final = Environment(
    name="tflite-runtime",
    python="3.11",
    requirements=("tflite-runtime==2.14.0", "numpy==1.26.4"),
    imports=("tflite_runtime.interpreter",),
    modules=(
        "targets.places.board",
        "targets.places.board_facts",
        "targets.tflite.encoding",
        "targets.tflite.runtime",
    ),
    download_mb=21,
    installed_mb=107,
)


class TfliteRuntimeTarget(TfliteTarget):
    """What `tflite` writes, run by tflite-runtime 2.14."""

    name = "tflite-runtime"
    packages = ("tflite-runtime", *TfliteTarget.packages)
    methods = ((Precision.FP32, ""), (Precision.FP16, ""), (Precision.INT8, ""))

    def require(self) -> None:
        """Raise RuntimeMissingError unless LiteRT's schema and that environment are there."""
        super().require()
        TFLITE_RUNTIME.require()

    def lower_quantized(
        self,
        qdq_model: Path,
        artifact: Path,
        input_type: InputType | None = None,
        *,
        kernels: KernelSet = KernelSet.PORTABLE,
    ) -> None:
        """See `TfliteTarget.lower_quantized`."""
        super().lower_quantized(qdq_model, artifact, input_type, kernels=kernels)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Load it there."""
        return Elsewhere(TFLITE_RUNTIME, Board, ("tflite",), artifact, threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: its Python package has no profiler."""
        return ()
