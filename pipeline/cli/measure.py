"""`evaluate` and `benchmark`: verbs that measure artifacts."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Annotated

import typer

import ghostface_edge
from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say_json, say_table

_LISTED = 10
"""Members of a list that a table shows; JSON has all."""


def evaluate(
    artifact: Annotated[Path, typer.Argument(help=".onnx, .xml, .tflite or .param.")],
    pairs: options.Pairs = None,
    gallery: options.Gallery = None,
    reference: Annotated[Path | None, typer.Option(help="Artifact to compare with, usually the FP32 ONNX.")] = None,
    faces: options.Faces = None,
    landmarks: options.Landmarks = None,
    detector: options.Detector = None,
    on_bad_image: options.OnBadImage = "error",
    label_errors: options.LabelErrors = "keep",
    groups: options.Groups = None,
    enrolled_by: Annotated[
        Path | None,
        typer.Option(
            help="Artifact of an older release that enrolled everybody: FNMR until it is done anew.", show_default=False
        ),
    ] = None,
    identification: Annotated[
        bool, typer.Option("--identification", help="Search probes among many too: rank-1, TPIR at FPIR.")
    ] = False,
    flip: Annotated[
        bool, typer.Option("--flip", help="Add the mirrored face's embedding, as InsightFace's protocol does.")
    ] = False,
    diagnose: Annotated[
        bool, typer.Option("--diagnose", help="Try the usual input mistakes and say which one fits.")
    ] = False,
    json_: options.Json = False,
) -> None:
    """Embed faces with one artifact and say how well it verifies, and what it lost against a reference.

    Needs --pairs, or --gallery, or both: then thresholds are chosen on the gallery and tried on the pairs.
    """
    options.check_pairs(*pairs or ())
    options.check_folders(gallery)
    options.check_photographs(faces)
    options.check_alignment(landmarks, detector)
    options.check_inputs(artifact, reference, enrolled_by, groups)

    facts = ghostface_edge.evaluate(
        artifact,
        pairs=pairs or (),
        gallery=gallery,
        reference=reference,
        faces=faces,
        landmarks=landmarks,
        detector=detector,
        on_bad_image=on_bad_image,
        label_errors=label_errors,
        groups=groups,
        enrolled_by=enrolled_by,
        identification=identification,
        flip=flip,
        diagnose=diagnose,
    )
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
    """Fields with their values, fields inside of fields, and each of several, opened to a line each."""
    for name, value in fields.items():
        inside = _parts(value)
        opened = {key: part for key, part in inside.items() if isinstance(part, dict | NoneType)}
        if not opened:
            yield name, value
            continue
        if len(opened) < len(inside):
            yield name, {key: part for key, part in inside.items() if key not in opened}
        yield from ((f"{name} {key}", part) for key, part in _opened(opened))


def _parts(value: object) -> dict[str, object]:
    """What a value is made of, by its name or its number from 1; nothing of plain values."""
    if isinstance(value, list) and all(isinstance(part, dict) for part in value):
        return {str(number): part for number, part in enumerate(value, 1)}
    return value if isinstance(value, dict) else {}


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list | tuple):
        more = f" and {len(value) - _LISTED:,} more" if len(value) > _LISTED else ""
        return ", ".join(_shown(part) for part in value[:_LISTED]) + more
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(part)}" for key, part in value.items())
    return str(value)


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"evaluate": evaluate, "benchmark": benchmark})
