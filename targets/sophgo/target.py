"""Sophgo's chips as targets: what the rest of the system sees of this package.

The chip's file ships; what judges it is the vendor's interpreter, whose program lies beside the file where a run made
it, and nowhere else. Nothing of the vendor's runs in this process.
"""

import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from ghostface_edge.calibration.preprocessing import MEAN, normalize
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.computed import computed_tensors, require_computed
from ghostface_edge.targets.environment import Environment
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
from ghostface_edge.targets.sophgo.graph import write_float, write_quantized
from ghostface_edge.targets.sophgo.program import program_of, read_program, weights_of
from ghostface_edge.targets.sophgo.vendor import Interpreter, Toolchain, entry_of, pack

SOPHGO: Final = Environment(
    name="sophgo",
    python="3.10",
    requirements=(
        "tpu_mlir==1.30.2",
        "numpy==1.24.3",
        "onnx==1.14.1",
        "protobuf==3.20.3",
        "onnxruntime==1.16.3",
        "onnxruntime_extensions==0.14.0",
        "onnxsim==0.4.17",
        "rich==13.9.4",
        "markdown-it-py==3.0.0",
        "mdurl==0.1.2",
        "pygments==2.18.0",
        "flatbuffers==24.12.23",
        "coloredlogs==15.0.1",
        "humanfriendly==10.0",
        "packaging==24.2",
        "typing_extensions==4.12.2",
        "filelock==3.16.1",
        "psutil==6.1.0",
        "setuptools==65.5.0",
        "plotly==5.15.0",
        "tenacity==9.0.0",
        "opencv-python-headless==4.8.0.76",
        "Pillow==10.0.0",
        "tqdm==4.65.0",
        "scipy==1.11.1",
        "scikit-learn==1.6.1",
        "joblib==1.4.2",
        "threadpoolctl==3.5.0",
        "graphviz==0.20.1",
    ),
    imports=("tpu_mlir", "pymlir"),
    modules=("calibration.preprocessing", "targets.sophgo.vendor"),
    download_mb=500,
    installed_mb=1_540,
)
_SHIFTED: Final = 128.0
"""What is taken from the camera's bytes where a file takes int8."""


class SophgoTarget:
    """A chip: the vendor's tools lower, its interpreter judges.

    Args:
        chip: as the tools call it.
        extension: of its files.
        options: of `model_deploy`, for our own quantization.
        in_bf16: kinds of ONNX operators that compute in bfloat16 then.
    """

    layout = Layout.NCHW
    packages = ("tpu_mlir",)
    input_types = (InputType.INT8,)
    methods = ((Precision.INT8, ""), (Precision.INT8, STOCK))
    reads_onnx = False
    is_timed = False
    uses_threads = False
    is_firmware = False
    float_fallback: str | None = None

    def __init__(self, chip: str, extension: str, options: tuple[str, ...], in_bf16: tuple[str, ...]) -> None:
        self.name, self.extension = f"sophgo-{chip}", extension
        self._chip, self._options, self._in_bf16 = chip, options, in_bf16

    def require(self) -> None:
        """Raise RuntimeMissingError unless the environment is there."""
        SOPHGO.require()

    def files(self, artifact: Path) -> tuple[Path, ...]:
        """The chip's file; the interpreter's program beside it is none of the model's."""
        return (artifact,)

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:  # noqa: ARG002 - the protocol's
        """Refuse: these chips are for INT8.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self.name} runs int8, not {precision}", fix="use quantize_stock or lower_quantized")

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        """`run_calibration` and `model_deploy` with their defaults.

        Raises:
            ToolError: a tool failed; the message is its own.
        """
        with tempfile.TemporaryDirectory() as folder, open_inside(SOPHGO, Toolchain, Path(folder), self._chip) as tools:
            graph = Path(folder) / "net.onnx"
            tools.transform(graph, write_float(model, graph), MEAN)
            tools.calibrate(np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2)))
            tools.deploy((), artifact)

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """The tools' INT8, with the ranges of a QDQ model as its calibration table.

        Raises:
            InputError: an input other than int8.
            ToolError: a tool failed; the message is its own.
        """
        require_input(self.name, self.input_types, input_type)
        with tempfile.TemporaryDirectory() as folder, open_inside(SOPHGO, Toolchain, Path(folder), self._chip) as tools:
            graph = Path(folder) / "net.onnx"
            tools.transform(graph, write_quantized(qdq_model, graph, self._in_bf16), _SHIFTED)
            floats = ("--quantize_table", "net.qtable") if self._in_bf16 else ()
            tools.deploy(("--quant_input", *self._options, *floats), artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Load what this project wrote, into the vendor's interpreter."""
        read_program(artifact)
        return Elsewhere(SOPHGO, Interpreter, (), artifact, threads, batch)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: an interpreter's time says nothing of a chip's."""
        return ()

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read an artifact's interface, operators and multiply-accumulates."""
        program = read_program(artifact)
        is_shifted = entry_of(program.operators[0].text)[0] == _SHIFTED
        return ArtifactInfo(
            layout=self.layout,
            input_name=program.entry,
            input_shape=program.takes,
            input_dtype="int8" if is_shifted else "float32",
            input_scale=1 / 128 if is_shifted else None,
            input_zero_point=0 if is_shifted else None,
            operators=program.counted(),
            macs_by_precision=program.macs(),
        )

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """What an artifact computes."""
        program = read_program(artifact)
        return computed_tensors(program.entry, program.steps)

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """Write the program up to one of its tensors, for the interpreter; no chip's file comes of a part."""
        program = read_program(artifact)
        require_computed(tensor, computed_tensors(program.entry, program.steps))
        part = program.cut(tensor)
        text = part.text.replace(f'"{weights_of(artifact).name}"', f'"{weights_of(out).name}"')
        program_of(out).write_text(text)
        pack(weights_of(artifact), weights_of(out), part.weights())


def cv181x() -> SophgoTarget:
    """CV181x (SG200x, Milk-V Duo …): symmetric grids throughout.

    It adds and multiplies INT8 by factors of 8 bits: in bfloat16 the cosine is 0.977 instead of 0.968.
    """
    return SophgoTarget("cv181x", ".cvimodel", (), ("Add", "Mul"))


def bm1684x() -> SophgoTarget:
    """BM1684X: grids have zero points."""
    return SophgoTarget("bm1684x", ".bmodel", ("--asymmetric",), ())
