"""Protocol of a runtime: what every one offers, and nothing more.

The rest of the system hands over RGB uint8 faces (N, S, S, 3) and gets float32 embeddings (N, E) back;
layout, input name, scale and zero point are a target's own business.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.evidence import NpuEstimate, ProfileRow

Faces: TypeAlias = NDArray[np.uint8]
"""RGB, (N, S, S, 3), aligned."""
Embeddings: TypeAlias = NDArray[np.float32]
"""(N, E), as the network gives them, not normalised."""


class Precision(StrEnum):
    """Numeric format of a variant's weights and activations."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


Method: TypeAlias = tuple[Precision, str]
"""A precision, and the suffix of a variant's id where something else than our own lowering fills the cell."""
STOCK: Final = "stock"
"""Suffix of what the runtime's own quantizer makes with its defaults."""
EVERY_METHOD: Final[tuple[Method, ...]] = (
    (Precision.FP32, ""),
    (Precision.FP16, ""),
    (Precision.INT8, ""),
    (Precision.INT8, STOCK),
)


class Layout(StrEnum):
    """Order of a network input's axes."""

    NCHW = "NCHW"
    NHWC = "NHWC"


class InputType(StrEnum):
    """What an INT8 artifact takes."""

    INT8 = "int8"
    """byte - 128 of each RGB byte: no operator in front."""
    UINT8 = "uint8"
    """The camera's RGB bytes as they are: one QUANTIZE in front, exact."""
    FLOAT32 = "float32"
    """(byte - 127.5) / 128, as the FP32 model: ADD and QUANTIZE in front, exact; embeddings come out as float32."""


@dataclass(frozen=True, slots=True)
class ArtifactInfo:
    """What can be read off an artifact without running it."""

    layout: Layout
    input_name: str
    input_shape: tuple[int, ...]
    input_dtype: str
    input_scale: float | None
    input_zero_point: int | None
    operators: dict[str, int]
    """How often each operator occurs."""
    macs_by_precision: dict[str, int]
    """Multiply-accumulates of one face, by the precision they run in (`fp32`, `fp16`, `int8`)."""
    constants_bytes: int | None = None
    """Where the artifact is source, or holds more than a device gets: what a device keeps of it."""
    estimate: NpuEstimate | None = None
    """What the compiler expects of its accelerator, where it made the artifact."""


@dataclass(frozen=True, slots=True)
class ComputedTensor:
    """What an artifact computes on its way from faces to embeddings; constants, and what is made of them, are none."""

    name: str
    operator: str
    """What makes it; `INPUT` for the faces as the artifact takes them."""
    sources: tuple[str, ...]
    """Names of the computed tensors that it is made from."""


INPUT: Final = "input"


class Embedder(Protocol):
    """A loaded artifact. Used inside a child process only."""

    def prepare(self, faces: Faces) -> NDArray[np.generic]:
        """Turn uint8 RGB faces into this artifact's own input: layout, normalisation, quantization."""
        ...

    def run(self, inputs: NDArray[np.generic]) -> Embeddings:
        """Infer once on prepared inputs; this is what latency times."""
        ...

    def infer(self, inputs: NDArray[np.generic]) -> NDArray[np.generic]:
        """Infer once on prepared inputs; the first output as the artifact gives it, of any type and shape."""
        ...


class Target(Protocol):
    """One runtime. Heavy imports happen inside the methods."""

    name: str
    layout: Layout
    extension: str
    """File name ending of an artifact, with the dot."""
    packages: tuple[str, ...]
    """Distributions whose versions decide what comes out."""
    input_types: tuple[InputType, ...]
    """What its INT8 artifacts can take; the first is what they take unless asked."""
    methods: tuple[Method, ...]
    """The variants that it offers."""
    reads_onnx: bool
    """Whether `load` takes a plain ONNX file, too."""
    is_timed: bool
    """Whether its time on this machine says something of another one's."""
    uses_threads: bool
    """Whether one inference can use several."""
    is_firmware: bool
    """Whether its INT8 model goes into a microcontroller's program: with a C array, and models compiled for NPUs."""
    float_fallback: str | None
    """What a tensor that a QDQ model leaves in float is computed in; None: INT8 here is integers throughout."""

    def require(self) -> None:
        """Raise RuntimeMissingError with the pip line if the runtime is not installed."""
        ...

    def files(self, artifact: Path) -> tuple[Path, ...]:
        """Every file that makes up an artifact, the named one first."""
        ...

    def convert(self, model: Path, precision: Precision, artifact: Path) -> None:
        """Turn a float32 ONNX model into this runtime's FP32 or FP16 artifact."""
        ...

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> None:
        """Quantize a float32 ONNX model to INT8 with the runtime's own tool and its defaults."""
        ...

    def lower_quantized(self, qdq_model: Path, artifact: Path, input_type: InputType | None = None) -> None:
        """Turn a quantized ONNX model (QDQ; docs/quantization.md) into this runtime's INT8 artifact.

        Raises:
            InputError: it cannot take this type of input.
        """
        ...

    def load(self, artifact: Path, threads: int, batch: int) -> Embedder:
        """Compile an artifact for batches of `batch` faces on `threads` threads."""
        ...

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:
        """Say where the time of one inference goes, by kind of operator."""
        ...

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """Read an artifact's interface and operators."""
        ...

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """What an artifact computes, in execution order: the input first, the embeddings last."""
        ...

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """Write an artifact that ends at one of these tensors, which is its only output.

        Raises:
            InputError: the artifact computes no such tensor.
        """
        ...
