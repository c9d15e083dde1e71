"""Histories made up: figures that vary as intervals of real runs say, with changes planted where a test wants them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from ghostface_edge.reports.history.kept_run import Faces, Figure, KeptRun, KeptVariant, Ratio

Shift = Callable[[int, str], float]
VARIANTS: Mapping[str, tuple[float, float, int]] = {
    "tflite-fp32": (1.0, 0.02, 2_864_560),
    "tflite-int8": (0.93, 0.04, 855_936),
    "onnxruntime-int8": (0.74, 0.03, 1_021_000),
}
"""Latency over FP32's, its standard error, and bytes, of GhostFaceNetV1-0.5-2."""
ACCURACY, ACCURACY_ERROR = 0.9857, 0.0016
FNMR, FNMR_ERROR = 0.104, 0.0077
"""Of 6,000 LFW pairs and of their images all against all."""


def no_shift(_run: int, _figure: str) -> float:
    return 0.0


def made_history(count: int, seed: int, shift: Shift = no_shift, scatter: float = 1.0) -> list[KeptRun]:
    """Runs a day apart.

    Args:
        count: how many.
        seed: of the noise.
        shift: what is added to `<variant> accuracy` or `fnmr`, and by what share of it `latency` or `bytes` grow.
        scatter: standard deviation of the runs in that of their intervals.
    """
    generator = np.random.default_rng(seed)
    return [made_run(place, generator, shift, scatter) for place in range(count)]


def made_run(place: int, generator: np.random.Generator, shift: Shift = no_shift, scatter: float = 1.0) -> KeptRun:
    def drawn(middle: float, error: float) -> dict[str, object]:
        value = float(np.clip(generator.normal(middle, scatter * error), 1e-6, None))
        return {"value": value, "ci95": (max(value - 1.96 * error, 0.0), value + 1.96 * error)}

    variants = [
        KeptVariant(
            id=name,
            status="ok",
            kernels="x86_64 with VNNI",
            timed_on="a CPU (avx512_vnni), 1 thread",
            accuracy=Figure.model_validate(drawn(ACCURACY + shift(place, f"{name} accuracy"), ACCURACY_ERROR)),
            fmr="0.0001",
            fnmr=Figure.model_validate(drawn(FNMR + shift(place, f"{name} fnmr"), FNMR_ERROR)),
            versus_fp32=Ratio.model_validate(
                drawn(ratio * (1 + shift(place, f"{name} latency")), error * (1 + shift(place, f"{name} latency")))
            ),
            bytes=round(size * (1 + shift(place, f"{name} bytes"))),
        )
        for name, (ratio, error, size) in VARIANTS.items()
    ]
    return KeptRun(
        release=f"v1.{place}",
        started=(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=place)).isoformat(),
        verdict="pass",
        exit_code=0,
        network="GhostFaceNetV1-0.5-2",
        pairs=Faces(name="lfw", sha256="a" * 64, count=6000),
        compared=Faces(name="lfw", sha256="a" * 64, count=6000),
        made_with={"ghostface-edge": "1.1" if place < 20 else "1.2", "network": "b" * 12},
        variants=tuple(variants),
    )


LOSS = ("tflite-int8", "accuracy", 17)
SLOWDOWN = ("onnxruntime-int8", "versus_fp32", 28)
"""Variant, figure and first run of what `planted` changes."""


def planted(place: int, figure: str) -> float:
    """INT8 loses 0.5 points of accuracy, another variant a tenth of its speed."""
    if figure == "tflite-int8 accuracy":
        return -0.005 if place >= LOSS[2] else 0.0
    return 0.1 if figure == "onnxruntime-int8 latency" and place >= SLOWDOWN[2] else 0.0
