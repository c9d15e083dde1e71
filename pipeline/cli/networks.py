"""`fetch` and `train`: verbs that bring or make trained networks."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_table
from ghostface_edge.pipeline.support import messages


def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="What to fetch; without a name, what there is.")] = None,
    mirror: Annotated[
        Path | None, typer.Option("--from", help="Folder that holds the files, instead of the network.")
    ] = None,
) -> None:
    """Fetch official checkpoints, LFW and the face detector by name into the cache, resumed and verified."""
    from ghostface_edge.pipeline.support.store import Store
    from ghostface_edge.pipeline.tools.fetch import DOWNLOADS
    from ghostface_edge.pipeline.tools.fetch import fetch as bring
    from ghostface_edge.pipeline.tools.sources import KNOWN, find

    if not names:
        rows = []
        for name, source in KNOWN.items():
            known = f"{source.sha256[:12]}…" if source.sha256 else "not known"
            rows.append((name, source.file if source.address else "-", source.what, known if source.address else "-"))
        say_table(rows, ("Name", "File", "What it is", "SHA-256"))
        return
    sources, store = [find(name) for name in names], Store()
    for source in sources:
        path = bring(
            source,
            cache=store.root / DOWNLOADS,
            seal=store.seal,
            mirror=mirror,
            say=messages.say,
        )
        say(path)


def train(
    out: Annotated[Path, typer.Option(help="Folder for weights, state and curves.")],
    data: Annotated[
        Path | None,
        typer.Option(help="A folder per person, or one with train.rec and train.idx; rendered people if not given."),
    ] = None,
    pairs: Annotated[Path | None, typer.Option(help=".bin to validate on; rendered pairs if not given.")] = None,
    version: Annotated[int, typer.Option(min=1, max=2, help="GhostFaceNet version.")] = 1,
    width: Annotated[float, typer.Option(min=0.1, max=4, help="Width multiplier.")] = 0.5,
    stride: Annotated[int, typer.Option(min=1, max=2, help="Stem stride.")] = 2,
    margin: Annotated[Literal["arcface", "cosface"], typer.Option(help="Loss.")] = "arcface",
    margin_size: Annotated[float, typer.Option(help="Margin, in radians for ArcFace.")] = 0.5,
    scale: Annotated[float, typer.Option(help="Scale of the logits.")] = 64.0,
    subcenters: Annotated[int, typer.Option(min=1, max=100, help="Centres per person; above 1 for noisy labels.")] = 1,
    optimizer: Annotated[Literal["sgd", "adamw"], typer.Option(help="Optimizer.")] = "sgd",
    learning_rate: Annotated[float, typer.Option(help="After warm-up.")] = 0.1,
    weight_decay: Annotated[float, typer.Option(help="Of convolutions and centres.")] = 5e-4,
    warmup_epochs: Annotated[float, typer.Option(help="Epochs until the full learning rate.")] = 1.0,
    epochs: Annotated[int, typer.Option(min=1, max=10**6, help="Passes over the data.")] = 20,
    batch_size: Annotated[int, typer.Option(min=2, max=2**16, help="Faces per step.")] = 128,
    identities: Annotated[int, typer.Option(min=2, max=10**6, help="Rendered people.")] = 1000,
    views: Annotated[int, typer.Option(min=1, max=10**4, help="Rendered pictures of each person per epoch.")] = 24,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read or render faces.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the training process.")] = None,
    numbers: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"], typer.Option(help="What multiplications compute in.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Decides weights, order and augmentation.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the state in --out.")] = False,
) -> None:
    """Train a GhostFaceNet with a margin softmax, on photographs or on rendered people."""
    from ghostface_edge.targets.requirements import require_modules

    require_modules("torch", "torch")

    options.check_output(out, is_folder=True)
    options.check_inputs(pairs)
    options.check_folders(data)

    from ghostface_edge.calibration.pairs_source import PairsSource
    from ghostface_edge.pipeline.network.architecture import Architecture
    from ghostface_edge.pipeline.stages.face_reader import read_pairs
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.support.store import Store
    from ghostface_edge.pipeline.train.options import Margin, Numbers, Optimizer, SyntheticFaces, TrainOptions

    told = TrainOptions(
        architecture=Architecture(width, stride=stride, version=version),
        data=SyntheticFaces(identities, views) if data is None else data,
        margin=Margin(margin),
        margin_size=margin_size,
        scale=scale,
        subcenters=subcenters,
        optimizer=Optimizer(optimizer),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        warmup_epochs=warmup_epochs,
        epochs=epochs,
        batch_size=batch_size,
        workers=options.cores(workers) if workers else 0,
        threads=options.cores(threads) if threads else None,
        numbers=Numbers(numbers),
        seed=seed,
    )

    from ghostface_edge.pipeline.train.run import train as run
    from ghostface_edge.pipeline.train.validation import FilePairs, Rendered

    validation = (
        Rendered(seed=1) if pairs is None else FilePairs(read_pairs(PairsSource(pairs), Store(), 1, Progress()))
    )
    result = run(told, out, pairs=validation, resume=resume, say=messages.say)
    accuracy = "" if result.accuracy is None else f", {100 * result.accuracy:.2f} % on the validation pairs"
    say(f"{result.weights}: {result.steps} steps in {result.seconds:.0f} s, loss {result.loss:.3f}{accuracy}")


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"fetch": fetch, "train": train})
