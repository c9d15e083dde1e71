"""`run` as the library offers it: options by name in, parsed here; heavy imports inside."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ghostface_edge.pipeline.tools.as_functions import StrPath, path_of, sources_of
from ghostface_edge.reports.errors import ExitCode, InputError

if TYPE_CHECKING:
    from ghostface_edge.reports.report import Report
    from ghostface_edge.targets.devices.device import Device


def run(
    checkpoint: StrPath | None = None,
    pairs: Sequence[StrPath] = (),
    calibration: StrPath | None = None,
    *,
    recipe: str = "balanced",
    targets: Sequence[str] = ("openvino", "onnxruntime", "tflite"),
    out: StrPath = "out",
    input_type: Literal["uint8", "int8", "float32"] = "int8",
    calibration_faces: int = 2000,
    sampling: Literal["per-identity", "random", "diverse"] = "per-identity",
    faces: StrPath | None = None,
    landmarks: StrPath | None = None,
    detector: StrPath | None = None,
    gallery: StrPath | None = None,
    on_bad_image: Literal["error", "skip"] = "error",
    label_errors: Literal["keep", "exclude"] = "keep",
    groups: StrPath | None = None,
    leaks: Literal["exclude", "refuse"] = "exclude",
    allow_leak: Sequence[str] = (),
    devices: "Sequence[Device]" = (),
    device_faces: int | None = None,
    policy: str | None = None,
    baseline: StrPath | None = None,
    store: str | None = None,
    store_key: StrPath | None = None,
    history: StrPath | None = None,
    release: str | None = None,
    seed: int = 0,
    jobs: int | None = None,
    command: str | None = None,
) -> "tuple[Report, ExitCode]":
    """Convert, quantize, verify and time every variant; write models and report to `out`.

    Without `checkpoint`, `pairs` and `calibration` it runs the network that ships with the tool, on rendered faces.

    Args:
        checkpoint: trained GhostFaceNet: `.h5`, `.pt`, `.safetensors` or `.onnx`.
        pairs: verification sets: `.bin`, a `pairs.txt` with `faces`, or CFP's folder; the first decides.
        calibration: folder of aligned 112x112 faces of other people.
        recipe: how INT8 is made: `balanced`, `best`, `fast`, or a YAML file.
        targets: variant ids or runtimes, as `ghostface-edge targets` lists them.
        out: folder for report, models and logs; made if missing.
        input_type: what TFLite's INT8 models take.
        calibration_faces: how many calibration faces to use at most.
        sampling: which of them, if there are more.
        faces: images behind a `pairs.txt`: a folder or archive.
        landmarks: CSV of five landmarks per photograph, to align them.
        detector: YuNet `.onnx` that finds the landmarks instead.
        gallery: folder `NAME/*` of aligned faces, compared all against all.
        on_bad_image: what becomes of images that cannot be used.
        label_errors: LFW's pairs whose label is known to be wrong.
        groups: CSV of people with attributes, to compare groups.
        leaks: what becomes of calibration identities that are in the pairs.
        allow_leak: calibration identities that may be.
        devices: where variants run too.
        device_faces: how many faces run on each; all by default.
        policy: a `policy.yaml`, or the name of a shipped one.
        baseline: `report.json` of an earlier release.
        store: the store behind this user's own: a folder, or `s3://BUCKET/PREFIX`.
        store_key: a private key that signs what goes there, or a public one that others are held to.
        history: folder that keeps every run.
        release: what this run is called there.
        seed: decides which calibration faces are drawn.
        jobs: cores to use; all by default.
        command: for the report, how it was called.

    Returns:
        The report as it is in `out/report.json`, and the gate's verdict as the exit code: `PASS`, `GATE_FAILED`,
        `TOOL_FAILED` where a variant that would ship failed, `INCONCLUSIVE` for too little evidence.

    Raises:
        InputError: an input, an option or the output folder cannot be used; nothing is left behind.
        RuntimeMissingError: PyTorch is not installed.
        ToolError: the disk failed, or a checkpoint that could not be exported cannot even be read. Any other failure
            of a tool is in the report.
    """
    from ghostface_edge.targets.requirements import require_modules

    require_modules("torch", "torch")
    given = (checkpoint, pairs, calibration)
    if any(given) and not all(given):
        raise InputError(
            "checkpoint, pairs and calibration belong together",
            fix="give all three, or none of them for the embedded network and rendered faces",
        )

    from ghostface_edge.pipeline.checkpoints.formats import judge_checkpoint
    from ghostface_edge.pipeline.quantize.options import load_recipe
    from ghostface_edge.reports.policy import Policy
    from ghostface_edge.reports.report import Report
    from ghostface_edge.targets.table import parse_variants

    how, judged_by = load_recipe(recipe), Policy.read() if policy is None else Policy.named(policy)
    earlier, variants = None if baseline is None else Report.read(Path(baseline)), parse_variants(targets)
    if checkpoint is not None:
        judge_checkpoint(Path(checkpoint))

    from ghostface_edge.calibration.leaks import OnLeak
    from ghostface_edge.calibration.sampling import SamplingMethod
    from ghostface_edge.calibration.unusable import OnBadImage
    from ghostface_edge.pipeline.default import default_checkpoint
    from ghostface_edge.pipeline.run.job import Job
    from ghostface_edge.pipeline.run.main_job import run as run_job
    from ghostface_edge.pipeline.support.host import usable_cores
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.support.shared_store import open_store
    from ghostface_edge.targets.protocol import InputType

    job = Job(
        checkpoint=Path(checkpoint or default_checkpoint()),
        pairs=sources_of(pairs, faces, landmarks, detector, on_bad_image, label_errors),
        calibration=path_of(calibration),
        variants=variants,
        out=Path(out),
        recipe=how,
        policy=judged_by,
        baseline=earlier,
        gallery=path_of(gallery),
        on_bad_image=OnBadImage(on_bad_image),
        on_leak=OnLeak(leaks),
        allowed_leaks=tuple(allow_leak),
        nobody_shared=not any(given),
        input_type=InputType(input_type),
        calibration_faces=calibration_faces,
        sampling=SamplingMethod(sampling),
        seed=seed,
        cores=min(jobs or usable_cores(), usable_cores()),
        groups=path_of(groups),
        devices=tuple(devices),
        device_faces=device_faces,
        command=command,
        history=path_of(history),
        release=release,
    )
    return run_job(job, Progress(), open_store(store, path_of(store_key)))
