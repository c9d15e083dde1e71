"""`inspect`, `export` and `quantize`: verbs that read or make model files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json, say_table


def inspect(
    file: Annotated[Path, typer.Argument(help="Checkpoint, .onnx, .xml, .tflite or .param.")],
    json_: options.Json = False,
) -> None:
    """Say what a file holds: architecture, parameters, MACs, interface, operators, share of MACs per precision."""
    from ghostface_edge.pipeline.tools.inspection import describe

    facts = describe(file)
    if json_:
        say_json(facts)
        return
    rows = []
    for name, value in facts.items():
        shown = ", ".join(f"{key} {part}" for key, part in value.items()) if isinstance(value, dict) else str(value)
        rows.append((name.replace("_", " "), shown))
    say_table(rows, title=file.name)


def export(
    checkpoint: Annotated[Path, typer.Argument(help="Trained GhostFaceNet.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="ONNX file to write.", show_default=False)],
    calibration: Annotated[
        Path | None, typer.Option(help="Aligned faces to compare ONNX and PyTorch on; rendered ones if not given.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, max=1024, help="Fixed batch size; dynamic if not given.")] = None,
) -> None:
    """Write a checkpoint as float32 ONNX, BatchNorm folded, checked against PyTorch."""
    options.check_output(output)
    options.check_folders(calibration)
    options.check_checkpoint(checkpoint)

    from ghostface_edge.calibration.faces import sample, scan_folder
    from ghostface_edge.pipeline.stages.export import PARITY_FACES, export_file
    from ghostface_edge.pipeline.synthetic.sets import render_calibration

    if calibration is None:
        faces = render_calibration(PARITY_FACES)
    else:
        faces = sample(scan_folder(calibration), PARITY_FACES, seed=0).load()
    model = export_file(checkpoint, output, faces, batch)
    say(
        f"{output}: {model.name}, {model.parameters:,} parameters, {model.macs / 1e6:.1f} MMACs, "
        f"equals PyTorch to {model.parity:.1e} on {len(faces)} faces"
    )


def quantize(
    model: Annotated[Path, typer.Argument(help="Float32 ONNX, as `export` writes it.")],
    target: Annotated[str, typer.Option(help="INT8 variants or runtimes, comma-separated.", show_default=False)],
    calibration: Annotated[Path, typer.Option(help="Folder of aligned faces.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the artifacts.", show_default=False)],
    recipe: Annotated[str, typer.Option(help="balanced, best, fast, or a YAML file.")] = "balanced",
    input_: options.Input = None,
    seed: options.Seed = 0,
) -> None:
    """Quantize an ONNX model to INT8 for one or more runtimes."""
    options.check_output(output, is_folder=True)
    options.check_inputs(model)
    options.check_folders(calibration)
    how, variants = options.read_recipe(recipe), options.read_variants(target)

    from ghostface_edge.targets.judge import ARTIFACT_CHECKS, judge

    judge(model, ARTIFACT_CHECKS[".onnx"])

    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools.quantize_file import quantize_file
    from ghostface_edge.targets.protocol import InputType

    input_type, progress = None if input_ is None else InputType(input_), Progress()
    for path in quantize_file(model, variants, calibration, output, how, seed, progress, input_type=input_type):
        say(path)


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {"inspect": inspect, "export": export, "quantize": quantize}
)
