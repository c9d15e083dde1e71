"""`evaluate` and `benchmark`: verbs that measure artifacts."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say_json, say_table
from ghostface_edge.reports.errors import InputError


def evaluate(
    artifact: Annotated[Path, typer.Argument(help=".onnx, .xml or .tflite.")],
    pairs: Annotated[Path, typer.Option(help="Verification pairs: an InsightFace .bin.", show_default=False)],
    reference: Annotated[Path | None, typer.Option(help="Artifact to compare with, usually the FP32 ONNX.")] = None,
    faces: options.Faces = None,
    landmarks: options.Landmarks = None,
    detector: options.Detector = None,
    label_errors: options.LabelErrors = "keep",
    groups: options.Groups = None,
    flip: Annotated[
        bool, typer.Option("--flip", help="Add the mirrored face's embedding, as InsightFace's protocol does.")
    ] = False,
    diagnose: Annotated[
        bool, typer.Option("--diagnose", help="Try the usual input mistakes and say which one fits.")
    ] = False,
    json_: options.Json = False,
) -> None:
    """Embed all pairs with one artifact and say how well it verifies, and what it lost against a reference."""
    options.check_pairs(pairs)
    options.check_artifacts(artifact, reference)
    options.check_inputs(groups)
    if groups is not None and reference is None:
        raise InputError("--groups says what was added to a difference", fix="give the FP32 artifact with --reference")

    from ghostface_edge.calibration.pairs_source import PairsSource
    from ghostface_edge.calibration.verification import LabelErrors
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools.evaluate import diagnose_artifact, evaluate

    progress = Progress()
    source = PairsSource(pairs, faces, landmarks, detector, label_errors=LabelErrors(label_errors))
    facts = evaluate(artifact, source, reference, progress, flip=flip, groups=groups)
    if diagnose:
        facts["diagnosis"] = diagnose_artifact(artifact, source, progress)
    if json_:
        say_json(facts)
        return
    for title, fields in facts.items():
        rows = [(name.replace("_", " "), _shown(value)) for name, value in _opened(fields)]
        say_table(rows, title=title.replace("_", " "))


def benchmark(
    artifacts: Annotated[list[Path], typer.Argument(help="One or more; the first is what the others compare with.")],
    threads: options.Threads = 1,
    profile: Annotated[bool, typer.Option("--profile", help="Say which kinds of operators take the time.")] = False,
    json_: options.Json = False,
) -> None:
    """Time artifacts at batch 1, taken in turns so that the machine's drift hits all of them."""
    options.check_artifacts(*artifacts)

    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools.benchmark import benchmark
    from ghostface_edge.pipeline.tools.benchmark import profile as profiled

    threads, progress = options.cores(threads), Progress()
    rows = benchmark(artifacts, threads, progress)
    profiles = profiled(artifacts, threads, progress) if profile else {}
    if json_:
        say_json({"latency": rows, "profile": profiles} if profile else rows)
        return
    for title, lines in {"": rows, **profiles}.items():
        if not lines:
            progress.say(f"{title}: its runtime has no profiler")
            continue
        heads = [name.replace("_", " ") for name in lines[0]]
        say_table([[_shown(value) for value in line.values()] for line in lines], heads, title)


def _opened(fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Fields with their values, several in one opened to a line each."""
    for name, value in fields.items():
        if isinstance(value, dict) and value and all(isinstance(part, dict | NoneType) for part in value.values()):
            yield from ((f"{name} {key}", part) for key, part in value.items())
        elif isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
            yield from ((f"{name} {number}", part) for number, part in enumerate(value, 1))
        else:
            yield name, value


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(part) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(part)}" for key, part in value.items())
    return str(value)


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"evaluate": evaluate, "benchmark": benchmark})
