"""The main job again and again in one process, and once over many images: nothing grows once it is warm.

`python -m tests.soak.soak --runs 100 --images 13000`, from the repository's root. Every run has other pairs, so that it
embeds them with the reference and a variant, and compares; runtimes take turns. Ends with 1 if memory, files, threads,
children or what lies on disk grew by 5 % or more.
"""

import argparse
import functools
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from ghostface_edge.calibration.bin_file import write_bin
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.quantize.options import CorrectionOptions, RangeMethod, RangeOptions, Recipe
from ghostface_edge.pipeline.run.job import Job
from ghostface_edge.pipeline.run.main_job import run
from ghostface_edge.pipeline.support.progress import Advance, Progress
from ghostface_edge.pipeline.synthetic.sets import render_calibration, write_calibration
from ghostface_edge.reports.policy import Policy
from ghostface_edge.targets.table import VariantId, parse_variants

from .growth import LIMIT, Held, entries, growth, held

_VARIANTS = parse_variants(("openvino-int8", "onnxruntime-int8", "tflite-int8"))
_RECIPE = Recipe(
    name="short",
    ranges=RangeOptions(method=RangeMethod.MIN_MAX, faces=32),
    correction=CorrectionOptions(faces=32),
    sensitivity_faces=0,
)
_RENDERED, _PAIRS = 250, 60
_SAMPLE_S = 0.1
_EMBEDDING_BYTES = 512 * 4


class Stages(Progress):
    """Says nothing, and knows which stage is at work and how far it is."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.done = "", 0

    def say(self, text: str, **facts: object) -> None:
        pass

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Advance]:
        self.title, self.done = title, 0

        def advance(units: int) -> None:
            self.done += units

        yield advance
        self.title = ""


def job(folder: Path, pairs: Path, variants: tuple[VariantId, ...]) -> Job:
    """The main job on the embedded network."""
    return Job(
        checkpoint=default_checkpoint(),
        pairs=(PairsSource(pairs),),
        calibration=folder / "calibration",
        variants=variants,
        out=folder / "out",
        recipe=_RECIPE,
        policy=Policy.read(),
    )


def soak_runs(folder: Path, count: int) -> dict[str, list[float]]:
    """What this process holds, and what lies on disk, after each of many runs."""
    series: dict[str, list[float]] = defaultdict(list)
    for number in range(count):
        pairs, variant = write_noisy_pairs(folder / "few.bin", 2 * _PAIRS, number), _VARIANTS[number % len(_VARIANTS)]
        began = time.monotonic()
        run(job(folder, pairs, (variant,)), Stages())
        now = held(psutil.Process())
        cache = folder / "cache"
        artifacts = [path for path in (cache / "artifacts").iterdir() if not path.name.startswith(".")]
        found = {
            "resident memory, MB": now.rss_mb,
            "open files": now.files,
            "threads": now.threads,
            "children": now.children,
            "entries in TMPDIR": entries(folder / "tmp"),
            "entries in --out": entries(folder / "out"),
            "entries in the cache but finished stages": entries(cache) - sum(1 + entries(path) for path in artifacts),
        }
        for name, value in found.items():
            series[name].append(value)
        print(
            f"run {number + 1:3} · {time.monotonic() - began:5.1f} s · {now.rss_mb:.0f} MB, {now.files} files, "
            f"{now.threads} threads, {now.children} children, {len(artifacts)} stages in the cache",
            flush=True,
        )
    return series


def soak_images(folder: Path, count: int) -> dict[str, list[float]]:
    """What this process and its children hold while one job embeds many images."""
    pairs, stages = write_noisy_pairs(folder / "many.bin", count, 0), Stages()
    samples: dict[str, list[float]] = defaultdict(list)
    over = threading.Event()
    sampler = threading.Thread(target=_sample, args=(stages, samples, over))
    sampler.start()
    began = time.monotonic()
    try:
        run(job(folder, pairs, _VARIANTS), stages)
    finally:
        over.set()
        sampler.join()
    print(f"one job over {count:,} images · {time.monotonic() - began:.0f} s", flush=True)
    return samples


def write_noisy_pairs(path: Path, count: int, seed: int) -> Path:
    """Pairs of as many different images, from fewer rendered people: each has noise of its own."""
    import cv2

    rng, faces = np.random.default_rng(seed), _rendered()
    sides = [at // 2 if at % 4 < 2 else at for at in range(count)]
    images = [
        bytes(cv2.imencode(".jpg", cv2.add(faces[side % _RENDERED], rng.integers(0, 8, faces[0].shape, np.uint8)))[1])
        for side in sides
    ]
    write_bin(path, images, [at % 4 < 2 for at in range(0, count, 2)])
    return path


@functools.cache
def _rendered() -> NDArray[np.uint8]:
    return render_calibration(_RENDERED, seed=1)


def _sample(stages: Stages, samples: Mapping[str, list[float]], over: threading.Event) -> None:
    """By stage, while it embeds: anonymous memory of its children, and of this process without what it was given."""
    here = psutil.Process()
    while not over.wait(_SAMPLE_S):
        title, done = stages.title, stages.done
        if ": embed " in title and done:
            given_mb = done * _EMBEDDING_BYTES / 2**20
            samples[f"{title}: parent, MB"].append(held(here).anonymous_mb - given_mb)
            for child in here.children(recursive=True):
                with suppress(psutil.Error, OSError):
                    now: Held = held(child)
                    samples[f"{title}: child, MB"].append(now.anonymous_mb)


def table(series: Mapping[str, Sequence[float]]) -> tuple[str, bool]:
    """Rows of what was held when warm and in the end, and whether any of it grew too much."""
    rows, too_much = ["| | samples | warm | end | growth |", "| --- | --- | --- | --- | --- |"], False
    for name, values in series.items():
        if len(values) < 20:
            rows.append(f"| {name} | {len(values)} | | | too few to tell |")
            continue
        grown, tenth = growth(values), len(values) // 10
        too_much = too_much or grown >= LIMIT
        warm, end = np.median(values[tenth : 2 * tenth]), np.median(values[-tenth:])
        rows.append(f"| {name} | {len(values)} | {warm:.1f} | {end:.1f} | {grown:+.1%} |")
    return "\n".join(rows), too_much


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, print what grew; 1 if it was too much."""
    parser = argparse.ArgumentParser(prog="soak", description="Run the main job often, and over many images.")
    parser.add_argument("--runs", type=int, default=100, help="in one process; 0: none")
    parser.add_argument("--images", type=int, default=13_000, help="in one run; 0: none")
    given = parser.parse_args(arguments)
    failed = False
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        (folder / "calibration").mkdir()
        write_calibration(folder / "calibration", 40)
        os.environ |= {"GHOSTFACE_EDGE_CACHE": str(folder / "cache"), "TMPDIR": str(folder / "tmp")}
        tempfile.tempdir = None
        for count, soak in ((given.runs, soak_runs), (given.images, soak_images)):
            if count:
                text, too_much = table(soak(folder, count))
                print("", text, "", sep="\n", flush=True)
                failed = failed or too_much
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
