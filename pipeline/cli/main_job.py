"""`run` and `targets`."""

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import typer

import ghostface_edge
from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json, say_table, terminal
from ghostface_edge.pipeline.support import messages
from ghostface_edge.reports.errors import InputError


def run(
    recipe: Annotated[
        str, typer.Argument(help="How INT8 is made: balanced, best, fast, or a YAML file.", metavar="[RECIPE]")
    ] = "balanced",
    checkpoint: Annotated[Path | None, typer.Option(help="Trained GhostFaceNet.", show_default=False)] = None,
    pairs: options.Pairs = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Folder of aligned 112x112 faces of other people.", show_default=False)
    ] = None,
    targets: Annotated[
        str, typer.Option(help="Variants or runtimes, comma-separated; see `ghostface-edge targets`.")
    ] = "openvino,onnxruntime,tflite",
    input_: options.Input = None,
    calibration_faces: Annotated[
        int, typer.Option(min=1, max=10**6, help="How many calibration faces to use at most.")
    ] = 2000,
    sampling: Annotated[
        Literal["per-identity", "random", "diverse"], typer.Option(help="Which of them, if there are more.")
    ] = "per-identity",
    faces: options.Faces = None,
    landmarks: options.Landmarks = None,
    detector: options.Detector = None,
    gallery: options.Gallery = None,
    on_bad_image: options.OnBadImage = "error",
    label_errors: options.LabelErrors = "keep",
    groups: options.Groups = None,
    leaks: Annotated[
        Literal["exclude", "refuse"], typer.Option(help="What becomes of calibration identities that are in the pairs.")
    ] = "exclude",
    allow_leak: Annotated[
        list[str] | None, typer.Option(help="Calibration identity that may be in the pairs.", show_default=False)
    ] = None,
    devices: options.Devices = "",
    device_faces: Annotated[
        int | None, typer.Option(min=1, help="Faces that run on each device; all by default.", show_default=False)
    ] = None,
    policy: options.Policy = None,
    baseline: options.Baseline = None,
    store: options.SharedStore = None,
    store_key: options.StoreKey = None,
    out: Annotated[Path, typer.Option(help="Folder for report, models and logs.")] = Path("out"),
    history: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps every run, for `ghostface-edge history`.", show_default=False),
    ] = None,
    release: Annotated[
        str | None, typer.Option(help="What this run is called in the history.", show_default=False)
    ] = None,
    seed: options.Seed = 0,
    jobs: options.Jobs = None,
    json_: options.Json = False,
) -> None:
    """Convert, quantize, verify and time every variant; write models and report to --out.

    Without --checkpoint, --pairs and --calibration it runs the network that ships with the tool on rendered faces.

    Exit code: 0 if the release may ship, 1 if not, 3 if a variant that would ship failed, 4 for too little evidence.
    """
    options.check_output(out, is_folder=True)
    options.check_history(history, release)
    options.check_folders(calibration, gallery)
    options.check_pairs(*pairs or ())
    options.check_photographs(faces)
    options.check_alignment(landmarks, detector)
    options.check_inputs(checkpoint, groups)

    report, exit_code = ghostface_edge.run(
        checkpoint,
        pairs or (),
        calibration,
        recipe=recipe,
        targets=[name.strip() for name in targets.split(",") if name.strip()],
        out=out,
        input_type=input_ or "int8",
        calibration_faces=calibration_faces,
        sampling=sampling,
        faces=faces,
        landmarks=landmarks,
        detector=detector,
        gallery=gallery,
        on_bad_image=on_bad_image,
        label_errors=label_errors,
        groups=groups,
        leaks=leaks,
        allow_leak=allow_leak or (),
        devices=options.read_devices(devices),
        device_faces=device_faces,
        policy=policy,
        baseline=baseline,
        seed=seed,
        jobs=options.cores(jobs),
        command=shlex.join(("ghostface-edge", *sys.argv[1:])),
        store=store,
        store_key=store_key,
        history=history,
        release=release,
    )
    if json_:
        say_json(report.model_dump(mode="json"))
    else:
        from ghostface_edge.reports.renderings.console import print_report

        print_report(report, terminal())
    messages.say(f"report: {out / 'report.html'}")
    raise typer.Exit(exit_code)


def targets(
    what: Annotated[list[str] | None, typer.Argument(help="`install NAME`, `remove NAME`, or nothing.")] = None,
    json_: options.Json = False,
) -> None:
    """List the runtimes and variants, and what is missing to use them; install those that cannot share this Python.

    `targets` lists, `targets install NAME` makes a runtime's own environment in the cache, `targets remove NAME` takes
    it away.
    """
    from ghostface_edge.pipeline.tools import environments
    from ghostface_edge.targets.table import ALIASES, all_variants, load_environment, load_target, runtimes

    match what or []:
        case []:
            pass
        case ["install", name]:
            environments.install(load_environment(name), messages.say)
            return
        case ["remove", name]:
            say(f"{name}: {environments.remove(load_environment(name)) / 1e6:,.0f} MB removed")
            return
        case _:
            raise InputError("targets lists, installs or removes", fix="ghostface-edge targets [install|remove NAME]")
    from ghostface_edge.reports.errors import RuntimeMissingError
    from ghostface_edge.targets.requirements import require_modules, versions

    lines: list[tuple[str, ...]] = []
    rows = []
    for runtime in runtimes():
        target = load_target(runtime)
        try:
            target.require()
            fix = ""
        except RuntimeMissingError as error:
            fix = error.fix
        variants = [str(variant) for variant in all_variants() if variant.runtime == runtime]
        found = versions(target.packages)
        numbers = ", ".join(f"{name} {number}" for name, number in found.items())
        own = environments.described_for(runtime)
        state = fix or "ready" + (f", {own.size_bytes / 1e6:,.0f} MB" if own and own.size_bytes else "")
        lines.append((runtime, state, target.layout, " ".join(variants), numbers or "-"))
        row = {"runtime": runtime, "ready": not fix, "fix": fix, "layout": target.layout}
        rows.append(row | {"variants": variants, "versions": found, "environment": own and asdict(own)})
    for alias, variant in ALIASES.items():
        found, fix = versions(["ethos-u-vela"]), ""
        try:
            require_modules("micro", "ethosu")
        except RuntimeMissingError as error:
            fix = f"estimates: {error.fix}"
        numbers = ", ".join(f"{name} {number}" for name, number in found.items())
        lines.append((alias, fix or "ready", "NHWC", f"another name of {variant}", numbers or "-"))
        row = {"runtime": alias, "ready": not fix, "fix": fix, "layout": "NHWC"}
        rows.append(row | {"variants": [str(variant)], "versions": found, "environment": None})
    if json_:
        say_json(rows)
    else:
        say_table(lines, ("Runtime", "State", "Layout", "Variants", "Versions"))


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"run": run, "targets": targets})
