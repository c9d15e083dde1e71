"""Evidence beyond the headline figures, as a report holds it."""

from enum import StrEnum

from ghostface_edge.reports.record import (
    Cosine,
    Count,
    Decibels,
    Fraction,
    NotNegative,
    Points,
    Positive,
    Record,
    Score,
    Text,
)


class ProfileRole(StrEnum):
    """What an operator's time is spent on."""

    INTEGER = "integer"
    """Arithmetic on 8-bit integers."""
    FLOAT = "float"
    """Arithmetic in floating point; in an INT8 artifact, float fallback."""
    QUANTIZE = "quantize"
    """From float to integers and back."""
    LAYOUT = "layout"
    """Moving values: reorders, transposes."""


class TarDrop(Record):
    """Loss of true-accept rate at one FAR, each model at its own threshold."""

    drop_pp: Points
    ci95_pp: tuple[Points, Points]


class OperatingPoint(Record):
    """A threshold and what it does to one model."""

    threshold: Score
    far: Fraction
    """Impostor pairs accepted."""
    frr: Fraction
    """Genuine pairs rejected."""


class ThresholdTransfer(Record):
    """What happens to a deployed threshold when the model behind it changes."""

    reference: OperatingPoint
    """The reference's own threshold at the FAR asked for, on the reference."""
    frozen: OperatingPoint
    """That threshold left as it is, on the variant."""
    retuned: OperatingPoint
    """The variant's own threshold at the FAR asked for."""


class Flip(Record):
    """A pair that only one of the two models decides rightly."""

    pair: Count
    """Position in the pairs, from 0."""
    fold: Count
    """From 0."""
    same: bool
    """What is true of the pair."""
    lost: bool
    """Whether the variant is the one that is wrong."""
    reference_score: Score
    variant_score: Score
    reference_threshold: Score
    variant_threshold: Score
    margin: NotNegative
    """Distance of the variant's score from its threshold."""
    images: tuple[Count, Count]
    """Which of the distinct images are compared."""
    names: tuple[str, str] | None = None


class PersonChange(Record):
    """What changed for one person's pairs."""

    name: Text
    pairs: Count
    lost: Count
    gained: Count


class Sensitivity(Record):
    """What quantizing one tensor or layer alone costs."""

    name: Text
    cosine: Cosine
    sqnr_db: Decibels | None = None


class CurveStep(Record):
    """Agreement with the float network on held-out calibration faces after one step of the quantization recipe."""

    step: Text
    cosine_mean: Cosine
    cosine_p01: Cosine
    sqnr_db: Decibels | None = None
    """None where nothing was lost."""


class RangeStability(Record):
    """How far the range of one group of tensors depends on which calibration faces were taken."""

    tensor: Text
    spread: NotNegative
    """Of the extent over four disjoint subsets of the faces, relative to its mean."""


class ProfileRow(Record):
    """All operators of one kind in one inference."""

    kind: Text
    """As the runtime calls it, with the kernel where it says so."""
    calls: Count
    ms: NotNegative
    """The sum of each operator's median."""
    role: ProfileRole | None = None
    delegated: bool | None = None
    """Whether XNNPACK or another delegate runs it; None where the runtime has no delegates."""


class LatencySearch(Record):
    """What a search for the fastest precision per layer gained, as timed on this host."""

    cosine_limit: Cosine
    """Mean cosine on held-out calibration faces that had to be kept."""
    cosine: Cosine
    """What the assignment chosen keeps."""
    measured: Count
    """Assignments of precision to layers that were timed."""
    versus_int8: Positive
    """p50 over that of the same network wholly in INT8, interleaved."""
    versus_int8_ci95: tuple[Positive, Positive]
    float_share: Fraction
    """Share of multiply-accumulates that runs in float."""


class NpuEstimate(Record):
    """What a compiler expects of one accelerator; nothing of it was measured."""

    accelerator: Text
    """Or the preset's name, which begins with it."""
    system: Text | None = None
    """Clock and memories that it was told of, as the compiler calls them."""
    memory_mode: Text | None = None
    tool: Text
    """The compiler, with its version."""
    inference_ms: Positive | None = None
    cycles: Count | None = None
    """Of one inference, where the compiler tells no clock and so no time."""
    sram_kib: NotNegative
    """Memory of activations."""
    flash_kib: NotNegative
    """Memory of weights and instructions."""
    macs_per_cycle: NotNegative
    npu_operators: Count
    cpu_operators: Count
    """Operators left on the CPU."""
    not_int8: tuple[Text, ...] = ()
    """Layers of an INT8 model that compute in something else, each with what that is, where the compiler names them."""
    output_in_input: bool
    """Whether the output tensor lies in the input tensor's memory: fill the input anew before every inference, and
    read the output before that."""
    arena_bytes: Count | None = None
    """Tensor arena that is enough for TensorFlow Lite Micro."""
    fast_memory_bytes: Count = 0
    """What the NPU needs beside the arena as memory of its own."""
    path: Text
    """Of the compiled model."""
    files: tuple[str, ...] = ()
    """C array and header, beside it."""


class Firmware(Record):
    """What TensorFlow Lite Micro needs to run the model."""

    arena_bytes: Count
    """Tensor arena, measured in its own interpreter."""
    operators: dict[str, Count]
    """To be registered, with how often each occurs."""
    files: tuple[str, ...]
    """C array and header, beside the model."""


class CrossPrecision(Record):
    """Gallery enrolled by one variant (rows), probes by another (columns), on the main pairs."""

    variants: tuple[str, ...]
    far: str | None
    """FAR of `tar`, None where none can be measured."""
    accuracy: tuple[tuple[Fraction, ...], ...]
    tar: tuple[tuple[Fraction | None, ...], ...]
    cosine: tuple[tuple[Cosine, ...], ...]
    """Mean over the images, of one variant's embedding to the other's."""
    loss_pp: tuple[tuple[Points, ...], ...]
    """Accuracy lost against a gallery enrolled again by the probes' variant."""
    reenroll: tuple[tuple[bool, ...], ...]
    """Whether that loss is more than chance and more than `reports.cross_precision.TOLERATED_PP`."""
