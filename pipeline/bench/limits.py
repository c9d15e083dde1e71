"""The ratios that the bench is held to, and which of them a run reached.

Medians in turns, batch 1, one thread, on x86-64 with VNNI; the references are those of the same runtime.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rich.table import Table

_SMALL, _LARGE = "GhostFaceNetV1-0.5-2", "GhostFaceNetV1-1.3-1"

BYTES: Final = "bytes of fp32"
TENSORFLOW: Final = "tensorflow-int8"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of medians, taken in turns; below 1 is faster."""

    value: float
    ci95: tuple[float, float]

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.ci95[0]:.3f}, {self.ci95[1]:.3f}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One contestant against another of the same network and runtime."""

    model: str
    runtime: str
    label: str
    against: str
    """A label, or `BYTES`: the size of that runtime's FP32 file."""

    def __str__(self) -> str:
        return f"{self.runtime}-{self.label} / {self.against}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison gave, and whether that is within its limit."""

    comparison: Comparison
    measured: Ratio
    limit: float
    reached: bool


def _both(runtime: str, label: str, against: str, small: float, large: float) -> dict[Comparison, float]:
    return {
        Comparison(_SMALL, runtime, label, against): small,
        Comparison(_LARGE, runtime, label, against): large,
    }


LIMITS: Final[Mapping[Comparison, float]] = {
    **_both("onnxruntime", "fp32", "stock", 0.75, 0.55),
    **_both("onnxruntime", "int8", "stock", 0.9, 0.4),
    **_both("openvino", "int8", "fp32", 0.95, 0.55),
    **_both("tflite", "int8", "fp32", 1.0, 0.6),
    **_both("tflite", "int8", TENSORFLOW, 0.35, 0.35),
    **_both("onnxruntime", "int8", BYTES, 0.3, 0.3),
    **_both("openvino", "int8", BYTES, 0.3, 0.3),
    **_both("tflite", "int8", BYTES, 0.3, 0.3),
}


def judge(measured: Mapping[Comparison, Ratio]) -> list[Verdict]:
    """Hold what was measured against its limits; comparisons without one are left out."""
    return [
        Verdict(comparison, ratio, LIMITS[comparison], reached=ratio.value <= LIMITS[comparison])
        for comparison, ratio in measured.items()
        if comparison in LIMITS
    ]


def table(verdicts: Iterable[Verdict]) -> Table:
    """The verdicts for a console."""
    drawn = Table("Model", "Ratio", "Measured", "Limit", "")
    for verdict in verdicts:
        cells = (verdict.comparison.model, str(verdict.comparison), str(verdict.measured), f"{verdict.limit:.2f}")
        drawn.add_row(*cells, "reached" if verdict.reached else "missed")
    return drawn
