"""The ExecuTorch target: what the rest of the system sees of this package."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.computed import computed_tensors, needed, require_computed
from ghostface_edge.targets.environment import Environment
from ghostface_edge.targets.executorch.cutter import Cutter
from ghostface_edge.targets.executorch.exporter import Exporter
from ghostface_edge.targets.places.board import Board
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.places.inside import open_inside
from ghostface_edge.targets.protocol import (
    STOCK,
    ArtifactInfo,
    ComputedTensor,
    Embedder,
    Faces,
    InputType,
    Layout,
    Precision,
)
from ghostface_edge.targets.requirements import require_input

EXECUTORCH: Final = Environment(
    name="executorch",
    python="3.11",
    requirements=(
        "executorch==1.5.1",
        "torch==2.13.0",
        "torchao==0.18.0",
        "numpy==2.4.6",
        "filelock==4.2.11",
        "flatbuffers==25.12.19",
        "fsspec==2026.9.0",
        "jinja2==3.1.6",
        "markupsafe==3.0.4",
        "mpmath==1.3.0",
        "networkx==3.6.1",
        "packaging==26.3",
        "ruamel.yaml==0.19.1",
        "sympy==1.14.0",
        "tabulate==0.10.0",
        "typing-extensions==4.16.0",
    ),
    imports=(
        "executorch.runtime",
        "executorch.backends.xnnpack.quantizer.xnnpack_quantizer",
        "torchao.quantization.pt2e.quantize_pt2e",
    ),
    modules=(
        "targets.executorch.cutter",
        "targets.executorch.embedder",
        "targets.executorch.exporter",
        "targets.executorch.flatbuffer",
        "targets.places.board",
        "targets.places.board_facts",
    ),
    download_mb=290,
    installed_mb=1_100,
)
"""Beside ours, since its libraries are built for one PyTorch, and for the twenty packages that its own ask for."""


class ExecutorchTarget:
    """`.pte` programs whose one operator is XNNPACK's."""

    name = "executorch"
    layout = Layout.NCHW
    extension = ".pte"
    packages = ("executorch",)
    input_types = (InputType.FLOAT32,)
    methods = ((Precision.FP32, ""), (Precision.INT8, ""), (Precision.INT8, STOCK))
    reads_onnx = False
    is_timed = True
    uses_threads = True
    is_firmware = False
    float_fallback: str | None = "float32"

    def require(self) -> None:
        """Raise RuntimeMissingError unless its environment is there."""
        EXECUTORCH.require()

    def files(self, artifact: Path) -> tuple[Path, ...]:
        """The one file."""
        return (artifact,)

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        """Lower a float32 ONNX model.

        Raises:
            InputError: another precision, or not an ONNX file.
            ToolError: an operator that has no rule, or that XNNPACK does not take.
        """
        if precision is not Precision.FP32:
            raise InputError(f"convert writes fp32, not {precision}", fix="use quantize_stock or lower_quantized")
        with _exporter(model) as there:
            there.export(artifact)
        _require_delegated(artifact)

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        """What `XNNPACKQuantizer` makes with its defaults, by PT2E."""
        with _exporter(model) as there:
            there.export_quantized(np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2)), artifact)
        _require_delegated(artifact)

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """Lower a QDQ model; integers where XNNPACK has them, float between two of them.

        Raises:
            InputError: an input other than float32.
            ToolError: an operator that has no rule, or that XNNPACK does not take.
        """
        require_input(self.name, self.input_types, input_type)
        with _exporter(qdq_model) as there:
            there.export(artifact)
        _require_delegated(artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Load a program that this project wrote, there."""
        from ghostface_edge.targets.executorch.program import read_program

        read_program(artifact)
        return Elsewhere(EXECUTORCH, Board, ("executorch",), artifact, threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: the wheel is built without ExecuTorch's event tracer."""
        return ()

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read an artifact's interface, nodes and multiply-accumulates."""
        from ghostface_edge.targets.executorch.program import read_program

        program = read_program(artifact)
        return ArtifactInfo(
            layout=self.layout,
            input_name="faces",
            input_shape=program.input_shape,
            input_dtype="float32",
            input_scale=None,
            input_zero_point=None,
            operators=program.operators(),
            macs_by_precision=program.macs(),
        )

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """What an artifact computes; values have numbers for names."""
        from ghostface_edge.targets.executorch.program import read_program

        program = read_program(artifact)
        return computed_tensors(str(program.input_id), [node.step for node in program.nodes])

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """Write the same nodes up to one of their values."""
        from ghostface_edge.targets.executorch.program import read_program

        require_computed(tensor, self.tensors(artifact))
        places = needed(tensor, [node.step for node in read_program(artifact).nodes])
        with open_inside(EXECUTORCH, Cutter) as there:
            there.cut(artifact, int(tensor), places, out)


@contextmanager
def _exporter(model: Path) -> Iterator[Exporter]:
    """The exporter there, with a module of an ONNX model."""
    from ghostface_edge.targets.executorch.lowering import lower

    EXECUTORCH.require()
    module = lower(model)
    with tempfile.TemporaryDirectory() as folder:
        constants = Path(folder) / "constants.npz"
        np.savez(constants, allow_pickle=False, **module.constants)
        with open_inside(EXECUTORCH, Exporter, module.calls, constants, module.input_shape) as there:
            yield there


def _require_delegated(artifact: Path) -> None:
    """Refuse what was written where anything runs outside of XNNPACK."""
    from ghostface_edge.targets.executorch.program import read_program

    try:
        read_program(artifact)
    except InputError as refusal:
        artifact.unlink()
        raise ToolError(refusal.message, fix="rewrite the operator as those that XNNPACK's delegate takes") from refusal
