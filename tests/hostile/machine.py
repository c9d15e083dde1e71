"""Hostile surroundings: what lies in the cache, where output goes, how the tool is called."""

import json
import os
import pickle
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import good
from .case import PLACES, Case, Content, Payload, case_folder, file_sha256, later, noise, sparse, tree

JOB = (
    *("run", "recipe.yaml", "--checkpoint", "net.safetensors", "--pairs", "pairs.bin", "--calibration", "faces"),
    *("--targets", "onnxruntime-fp32,onnxruntime-int8", "--out", "out", "--jobs", "1"),
)
"""A small job over every stage; its cache and its figures are what cached cases start from."""
ANY = frozenset({0, 1, 2, 4})
CACHE = "cache"
"""The case's cache folder, beside the files of the case."""
STORE = "store"
"""A store that machines share, among the files of the case."""


def job_files() -> dict[str, Content]:
    """What that job reads."""

    def faces(path: Path) -> None:
        from ghostface_edge.pipeline.synthetic.sets import write_calibration

        write_calibration(path, 24, seed=0)

    def pairs(path: Path) -> None:
        from ghostface_edge.pipeline.synthetic.sets import write_pairs

        write_pairs(path.parent, 40, seed=0).rename(path)

    return {
        "recipe.yaml": good.recipe(),
        "net.safetensors": later(good.safetensors),
        "pairs.bin": pairs,
        "faces": faces,
    }


def cases() -> Iterator[Case]:
    """All of this part."""
    yield from _caches()
    yield from _outputs()
    yield from _arguments()


def _caches() -> Iterator[Case]:
    def spoilt(change: Callable[[Path], object]) -> dict[str, Content]:
        """Change the copy of the job's cache; `change` is given its folder."""
        return {**job_files(), ".spoilt": lambda path: change(case_folder(path).parent / CACHE)}

    def every_file(content: Callable[[Path], bytes], *, forged: bool) -> Callable[[Path], None]:
        def change(cache: Path) -> None:
            for path in sorted(cache.rglob("*")):
                if path.is_file() and not path.name.startswith(".") and path.name != "manifest.json":
                    before = file_sha256(path)
                    path.write_bytes(content(path))
                    if forged:
                        _forge(path, before)

        return change

    def scaled(cache: Path) -> None:
        """Embeddings that are numbers still, but others."""
        import numpy as np

        for path in sorted(cache.rglob("*.npy")):
            before = file_sha256(path)
            values = np.load(path)
            np.save(path, values[::-1].copy())
            _forge(path, before)

    def manifests(content: Callable[[Path], object]) -> Callable[[Path], None]:
        def change(cache: Path) -> None:
            for path in sorted(cache.rglob("manifest.json")):
                path.unlink()
                content(path)

        return change

    def pickles(cache: Path) -> None:
        """Beside every value a pickle under every name that ever was one, listed in the manifest."""
        program = pickle.dumps(Payload(cache.parent / "case"))
        for folder in sorted({path.parent for path in cache.rglob("manifest.json")}):
            for name in ("value.pickle", "reports.pickle", "value.pkl", "state.pt"):
                (folder / name).write_bytes(program)
                _list(folder / name)

    def exchanged(cache: Path) -> None:
        """One stage's folder under the name of another of its kind."""
        for stage in ("embed", "convert"):
            folders = sorted(cache.rglob(f"{stage}-*"))[:2]
            if len(folders) == 2:
                aside = folders[0].with_name("aside")
                folders[0].rename(aside)
                folders[1].rename(folders[0])
                aside.rename(folders[1])

    def linked(target: str) -> Callable[[Path], None]:
        def change(cache: Path) -> None:
            for path in sorted(cache.rglob("*")):
                if path.is_file() and not path.name.startswith(".") and path.name != "manifest.json":
                    path.unlink()
                    path.symlink_to(target)

        return change

    def pipes(cache: Path) -> None:
        for path in sorted(cache.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                path.unlink()
                os.mkfifo(path)

    def keys_lost(cache: Path) -> None:
        for path in sorted(cache.rglob("*")):
            if path.is_file() and "key" in path.name:
                path.write_bytes(b"another key".ljust(path.stat().st_size, b"!"))

    def stray(cache: Path) -> None:
        folder = next(path for path in cache.rglob("artifacts") if path.is_dir())
        sparse(5 << 30)(folder / "stray.bin")

    def dangling(cache: Path) -> None:
        folder = next(path for path in cache.rglob("artifacts") if path.is_dir())
        (folder / "link").symlink_to("nowhere")
        (folder / f"embed-{'0' * 32}").symlink_to("nowhere")
        (folder / ".partial-x").symlink_to("nowhere")
        for inner in folder.glob("export-*"):
            (inner / "link").symlink_to("nowhere")

    changes: dict[str, Callable[[Path], object]] = {
        "noise-in-every-value": every_file(noise, forged=False),
        "noise-in-every-value-and-manifests-that-agree": every_file(noise, forged=True),
        "embeddings-in-another-order": scaled,
        "a-pickle-in-every-value": every_file(lambda path: pickle.dumps(Payload(case_folder_of(path))), forged=False),
        "a-pickle-in-every-value-and-manifests-that-agree": every_file(lambda path: pickle.dumps(Payload(case_folder_of(path))), forged=True),
        "pickles-of-old-names": pickles,
        "every-value-empty": every_file(lambda path: b"", forged=True),
        "every-value-brackets": every_file(lambda path: b"[" * 60_000, forged=True),
        "manifests-empty": manifests(lambda path: path.write_bytes(b"")),
        "manifests-of-brackets": manifests(lambda path: path.write_bytes(b"[" * 60_000)),
        "manifests-of-nothing": manifests(lambda path: path.write_bytes(b"{}")),
        "manifests-that-are-pipes": manifests(os.mkfifo),
        "manifests-that-are-folders": manifests(lambda path: path.mkdir()),
        "manifests-that-are-devices": manifests(lambda path: path.symlink_to("/dev/zero")),
        "entries-exchanged": exchanged,
        "every-value-a-dangling-link": linked("nowhere"),
        "every-value-a-link-to-a-device": linked("/dev/zero"),
        "every-file-a-pipe": pipes,
        "another-key": keys_lost,
        "a-stray-file-of-5-gib": stray,
        "dangling-links": dangling,
    }  # fmt: skip
    for name, change in changes.items():
        yield Case(
            f"cache/{name}",
            JOB,
            spoilt(change),
            allowed=ANY,
            why="what is not as it was written is made anew: the verdict of the undisturbed job, or refused",
            runs_code="pickle" in name,
            cached=True,
        )
    roots: dict[str, Content] = {
        name: PLACES[name] for name in ("pipe", "empty", "endless-device", "dangling-link", "link-to-itself")
    }
    roots |= {
        "a-folder-of-others": tree({"artifacts": tree({"mine.txt": b"mine"})}),
        "a-file-for-artifacts": tree({"artifacts": b"mine"}),
        "a-mark-that-is-a-folder": tree({"artifacts/.ghostface-edge-artifacts/x": b""}),
        "a-mark-that-is-a-pipe": tree({"artifacts": tree({".ghostface-edge-artifacts": os.mkfifo})}),
    }  # fmt: skip
    for name, content in roots.items():

        def place(path: Path, content: Content = content) -> None:
            root = case_folder(path).parent / CACHE
            shutil.rmtree(root, ignore_errors=True)
            root.write_bytes(content) if isinstance(content, bytes) else content(root)

        allowed = frozenset({0, 2}) if name == "dangling-link" else frozenset({2})
        files = {"net.onnx": later(good.onnx_model), "faces.bin": later(good.faces_bin), ".cache": place}
        yield Case(
            f"cache/root-is-{name}",
            ("evaluate", "net.onnx", "--pairs", "faces.bin"),
            files,
            allowed=allowed,
            why="a link may be made good" if 0 in allowed else "",
        )


def case_folder_of(path: Path) -> Path:
    """The folder of the case whose cache a path lies in."""
    return next(parent for parent in path.parents if parent.name == CACHE).parent / "case"


def _forge(path: Path, before: str) -> None:
    """Make whatever records the old digest record the new one."""
    now = file_sha256(path)
    for manifest in path.parent.glob("*.json"):
        text = manifest.read_text(errors="replace")
        if before in text:
            manifest.write_text(text.replace(before, now))


def _list(path: Path) -> None:
    """Add a file to its folder's manifest, where that is a list of digests by name."""
    manifest = path.with_name("manifest.json")
    listed: Any = json.loads(manifest.read_text())
    files = listed.get("files", listed) if isinstance(listed, dict) else None
    if isinstance(files, dict):
        files[path.name] = file_sha256(path)
        manifest.write_text(json.dumps(listed))


def _outputs() -> Iterator[Case]:
    net = {"net.safetensors": later(good.safetensors)}
    export = ("export", "net.safetensors", "-o", "out.onnx")
    places: dict[str, Content] = {
        "a-folder": lambda path: path.mkdir(),
        "below-a-file": b"",
    }
    yield Case("out/export-onto-a-folder", export, {**net, "out.onnx": places["a-folder"]})
    yield Case(
        "out/export-below-a-file", ("export", "net.safetensors", "-o", "file/out.onnx"), {**net, "file": b"mine"}
    )
    yield Case(
        "out/export-onto-a-link-to-itself",
        ("export", "net.safetensors", "-o", "loop/out.onnx"),
        {**net, "loop": PLACES["link-to-itself"]},
    )
    yield Case("out/export-to-a-name-of-300-bytes", ("export", "net.safetensors", "-o", f"{'x' * 300}.onnx"), net)
    yield Case("out/export-to-proc", ("export", "net.safetensors", "-o", "/proc/self/out.onnx"), net)
    for name in ("empty", "pipe", "dangling-link", "endless-device"):
        may = frozenset({0, 2}) if name == "dangling-link" else frozenset({2})
        yield Case(
            f"out/run-into-{name}",
            (*JOB[:-4], "--out", "out"),
            {**job_files(), "out": PLACES[name]},
            allowed=may | {1, 4} if 0 in may else may,
            why="a link may be made good" if 0 in may else "",
        )
        yield Case(
            f"out/quantize-into-{name}",
            ("quantize", "net.onnx", "--target", "onnxruntime-int8-stock", "--calibration", "faces", "-o", "out"),
            {"net.onnx": later(good.onnx_model), "faces": tree(good.photographs()), "out": PLACES[name]},
            allowed=may,
            why="a link may be made good" if 0 in may else "",
        )
    report = {"report.json": later(good.report_json)}
    for option in ("--markdown", "--junit"):
        for name in ("folder", "pipe", "link-to-itself"):
            legal = name != "folder"
            yield Case(
                f"out/gate{option}-onto-{name}",
                ("gate", "report.json", option, "out"),
                {**report, "out": PLACES[name]},
                allowed=frozenset({0, 2}) if legal else frozenset({2}),
                why="what is no folder may be replaced" if legal else "",
                quick=True,
            )
    failing = later(_failing)
    for output in ("closed", "full"):
        for name, content, codes in (("passes", later(good.report_json), {0, 3}), ("fails", failing, {1, 3})):
            for more in ((), ("--json",), ("--explain",), ("--github",)):
                label = "".join(more) or "-table"
                yield Case(
                    f"output/{output}-where-the-gate-{name}{label}",
                    ("gate", "report.json", *more),
                    {"report.json": content},
                    allowed=frozenset({2, 3} if "--github" in more else codes),
                    why="the verdict stands whoever reads it; a full disk is a fault of the machine",
                    output=output,
                )
        for verb in (
            ("inspect", "net.safetensors"),
            ("targets",),
            ("fetch",),
            ("--help",),
            ("verify", "bundle.zip"),
            ("compare", "report.json", "report.json"),
        ):
            files = {"net.safetensors": later(good.safetensors), "bundle.zip": later(good.bundle), **report}
            yield Case(
                f"output/{output}-for-{verb[0].strip('-')}",
                verb,
                files,
                allowed=frozenset({0, 3}),
                why="nothing was wrong with the input; a full disk is a fault of the machine",
                output=output,
            )


def _failing() -> bytes:
    report = json.loads(good.report_json())
    versus = report["variants"][1]["versus_reference"]
    versus.update(cosine_mean=0.2, cosine_p01=0.1, cosine_min=0.0)
    return json.dumps(report).encode()


def _arguments() -> Iterator[Case]:
    files = job_files()
    calls: dict[str, tuple[str, ...]] = {
        "seed-negative": (*JOB, "--seed", "-1"),
        "seed-of-2-to-the-64": (*JOB, "--seed", str(1 << 64)),
        "seed-of-5000-digits": (*JOB, "--seed", "9" * 5000),
        "seed-of-text": (*JOB, "--seed", "x"),
        "jobs-zero": (*JOB[:-2], "--jobs", "0"),
        "jobs-negative": (*JOB[:-2], "--jobs", "-5"),
        "jobs-of-5000-digits": (*JOB[:-2], "--jobs", "9" * 5000),
        "calibration-faces-zero": (*JOB, "--calibration-faces", "0"),
        "an-unknown-target": (*JOB, "--targets", "evil"),
        "a-target-with-a-newline": (*JOB, "--targets", "x\n::error::PWNED"),
        "a-target-with-escapes": (*JOB, "--targets", "\x1b[31mx"),
        "no-targets": (*JOB, "--targets", ",,,"),
        "an-unknown-option": (*JOB, "--evil"),
        "an-unknown-verb": ("evil",),
        "an-unknown-verb-with-a-newline": ("x\n::error::PWNED",),
        "an-empty-path": ("inspect", ""),
        "a-path-with-a-newline": ("inspect", "x\n::error::PWNED.onnx"),
        "a-path-with-escapes": ("inspect", "x\x1b[31m.onnx"),
        "a-path-of-5000-bytes": ("inspect", "x/" * 2500 + "net.onnx"),
        "a-path-that-is-a-folder": ("inspect", "."),
        "a-recipe-that-is-a-folder": ("run", ".", *JOB[2:]),
        "a-recipe-of-5000-bytes": ("run", "x" * 5000, *JOB[2:]),
        "checkpoint-without-pairs": ("run", "--checkpoint", "net.safetensors"),
        "both-landmarks-and-detector": ("align", "faces", "-o", "o", "--landmarks", "a", "--detector", "b"),
        "fetch-of-nobody": ("fetch", "evil"),
        "fetch-of-a-newline": ("fetch", "x\n::error::PWNED"),
        "fetch-from-nowhere": ("fetch", "v1-0.5-2", "--from", "nowhere"),
        "fetch-from-a-device": ("fetch", "v1-0.5-2", "--from", "/dev/zero"),
        "benchmark-threads-zero": ("benchmark", "net.onnx", "--threads", "0"),
        "train-width-of-nan": ("train", "--out", "out", "--width", "nan"),
        "train-width-negative": ("train", "--out", "out", "--width", "-1"),
        "train-width-of-a-million": ("train", "--out", "out", "--width", "1000000"),
        "train-rate-of-nan": ("train", "--out", "out", "--learning-rate", "nan"),
        "train-batch-of-a-billion": ("train", "--out", "out", "--batch-size", "1000000000", "--identities", "2"),
        "train-identities-of-a-quintillion": ("train", "--out", "out", "--identities", "1000000000000000000"),
        "train-margin-of-nan": ("train", "--out", "out", "--margin-size", "nan"),
        "train-scale-of-infinity": ("train", "--out", "out", "--scale", "inf"),
        "train-seed-negative": ("train", "--out", "out", "--seed", "-1"),
        "quantize-seed-negative": ("quantize", "net.onnx", "--target", "onnxruntime-int8", "--calibration", "faces", "-o", "out", "--seed", "-1"),
    }  # fmt: skip
    quick = re.compile(r"an-|fetch-of|both|a-path|benchmark")
    for name, arguments in calls.items():
        needed = files if arguments[0] == "run" else {}
        if "net.onnx" in arguments:
            needed = {"net.onnx": later(good.onnx_model), "faces": tree(good.photographs())}
        yield Case(f"call/{name}", arguments, needed, quick=bool(quick.match(name)) and "option" not in name)
    many = (*("align", "faces", "-o", "out", "--landmarks", "marks.csv", "--jobs", "100000"),)
    yield Case(
        "call/jobs-of-a-hundred-thousand",
        many,
        {"faces": tree(good.photographs()), "marks.csv": good.landmarks()},
        allowed=frozenset({0, 2}),
        why="more than there is to do is as many as there is to do",
    )
    names: dict[str, str] = {
        "a-name-that-is-not-utf-8": os.fsdecode(b"net\xff.onnx"),
        "a-name-that-is-markup": "[red]net[/red].onnx",
        "a-name-with-a-newline": "x\n::error::PWNED.onnx",
        "a-name-with-escapes": "x\x1b[31m.onnx",
        "a-name-that-turns-direction": "x\u202exnno.onnx",
    }
    for name, file in names.items():
        for verb in ("inspect", "benchmark"):
            yield Case(
                f"call/{verb}-of-{name}",
                (verb, file),
                {file: later(good.onnx_model)},
                allowed=frozenset({0, 2}),
                why="the file is whole; what counts is what is printed",
            )
