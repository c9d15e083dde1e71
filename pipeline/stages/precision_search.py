"""The search as a stage: its outcome is kept for this host, these versions and these inputs."""

import pickle
import shutil
import tempfile
import time
from pathlib import Path

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.precision_search.search import Contest, Fastest
from ghostface_edge.pipeline.quantize.faces import hold_out
from ghostface_edge.pipeline.quantize.options import LatencyOptions
from ghostface_edge.pipeline.stages.artifacts import Artifact, Carrier, artifact_of
from ghostface_edge.pipeline.stages.build import Workshop
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import VariantId, load_target


def lower_fastest(
    shop: Workshop,
    variant: VariantId,
    carrier: Carrier,
    model: Path,
    calibration: CalibrationSet,
    options: LatencyOptions,
    *,
    seed: int,
    threads: int,
) -> tuple[Artifact, Fastest] | None:
    """Lower a carrier with some of its layers in float, where that is faster on this host.

    Args:
        shop: where stages find what they share.
        variant: what to make.
        carrier: the quantized network.
        model: its float32 ONNX.
        calibration: faces that the carrier was made with.
        options: what has to be kept.
        seed: that the carrier was made with; it decides which faces were held out.
        threads: to time with.

    Returns:
        The artifact and what the search found; None for a target that computes in integers only and where the search
        failed, either with a line to the user.
    """
    target, title = load_target(variant.runtime), str(variant)
    if target.float_fallback is None:
        shop.narrator.say(f"{title}: integers only, nothing to choose")
        return None
    fp32 = shop.convert(VariantId(variant.runtime, Precision.FP32), model, calibration)
    name = f"model{target.extension}"

    def build(folder: Path) -> None:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as candidates:
            contest = Contest(
                runtime=variant.runtime,
                carrier=carrier.path,
                fp32=fp32.path,
                fp32_bytes=fp32.size_bytes,
                faces=hold_out(calibration.load(), seed=seed)[1],
                options=options,
                threads=threads,
                folder=Path(candidates),
                logs=shop.logs,
                narrator=shop.narrator,
            )
            fastest, artifact = contest.search()
            for file in target.files(artifact):
                shutil.copyfile(file, (folder / name).with_suffix(file.suffix))
        (folder / "fastest.pickle").write_bytes(pickle.dumps((fastest, time.monotonic() - started)))

    inputs = {
        "carrier": carrier.sha256,
        "fp32": fp32.sha256,
        "calibration": calibration.sha256,
        "options": options.model_dump(mode="json"),
        "seed": seed,
        "threads": threads,
        "host": describe_host().model_dump(mode="json"),
        "versions": versions([*target.packages, "numpy"]),
    }
    try:
        folder = shop.store.make(f"fastest-{variant.runtime}", inputs, build).folder
    except ToolError as error:
        shop.narrator.say(f"{title}: no search for the fastest precisions, INT8 throughout: {error}")
        return None
    fastest, seconds = pickle.loads((folder / "fastest.pickle").read_bytes())  # noqa: S301 - written above, hashed
    shop.narrator.say(f"{title}: {fastest.note}")
    return artifact_of(variant.runtime, folder / name, seconds), fastest
