"""Do a run's runners build, agree and start fast? `python -m ghostface_edge.pipeline.bench.runners RUN [ONNXRUNTIME]`.

RUN is the output folder of a run. Every program is built by CMake for every variant that it is for, tests itself, and
embeds a golden face: against what the pipeline recorded, and by the clock from the start of the process to its end. The
C of all of them goes through gcc's analyzer, and `c-int8` through the sanitizers. ONNXRUNTIME is a folder with
ONNX Runtime's `include/` and `lib/`; where none is given and no header is installed, its C runner is left out, and
that is said. Prints a table; exits with 1 where something does not build or agree. `nox -s runners` calls this.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from ghostface_edge.targets.runners.write import PROGRAMS

_STARTS: Final = 7
_CMAKE_PROGRAMS: Final = {"c": "c", "onnxruntime": "onnxruntime-c", "openvino": "openvino-cpp"}
_SANITIZED: Final = "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -g"
_ANALYZED: Final = ("-fanalyzer", "-Werror", "-Wall", "-Wextra", "-std=c99", "-O2", "-c", "-o", "/dev/null")


@dataclass(frozen=True, slots=True)
class Row:
    """One program for one variant."""

    program: str
    variant: str
    said: str
    """Of its self-test, or why it was not built."""
    sound: bool
    difference: float | None = None
    """Largest of one face's embedding to the recorded one, as a share of the largest value."""
    start_ms: float | None = None
    """From the start of the process to its end with one embedding, the median."""
    size_bytes: int | None = None


def main(arguments: Sequence[str]) -> int:
    """Build, run and print."""
    if len(arguments) not in {1, 2}:
        Console(stderr=True).print(
            "give the output folder of a run, and maybe a folder with ONNX Runtime's include/ and lib/"
        )
        return 2
    runners = Path(arguments[0]).resolve() / "runners"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        sdk = Path(arguments[1]).resolve() if len(arguments) == 2 else installed_onnxruntime(work)
        rows = list(all_rows(runners, work, sdk))
    table = Table("program", "variant", "self-test", "largest difference", "start to embedding, ms", "program, kB")
    for row in rows:
        figures = (
            "" if row.difference is None else f"{row.difference:.1e}",
            "" if row.start_ms is None else f"{row.start_ms:.0f}",
            "" if row.size_bytes is None else f"{row.size_bytes / 1000:,.0f}",
        )
        table.add_row(row.program, row.variant, row.said, *figures)
    Console(width=180).print(table)
    return 0 if rows and all(row.sound for row in rows) else 1


def all_rows(runners: Path, work: Path, sdk: Path | None) -> Iterator[Row]:
    """A row for each program and variant, then those of the checks."""
    for described in sorted((runners / "golden").glob("*/golden.json")):
        golden = json.loads(described.read_text())
        variant, runtime = golden["variant"], golden["runtime"]
        if runtime in _CMAKE_PROGRAMS:
            yield built_row(runners, work, golden, sdk)
        if "python" in PROGRAMS[runtime]:
            yield measured_row(
                "python", [sys.executable, str(runners / "python/ghostface.py"), variant], golden, runners
            )
    if (runners / "c").is_dir():
        yield sanitized_row(runners, work)
    if (runners / "common").is_dir():
        yield analyzed_row(runners, sdk)


def installed_onnxruntime(work: Path) -> Path | None:
    """A folder of the system's header and the Python package's library; None where either is missing."""
    header = Path("/usr/include/onnxruntime/onnxruntime_c_api.h")
    package = find_spec("onnxruntime")
    if not header.is_file() or package is None or package.origin is None:
        return None
    library = next(Path(package.origin).parent.glob("capi/libonnxruntime.so.*"))
    (work / "sdk/lib").mkdir(parents=True)
    (work / "sdk/include").symlink_to(header.parent)
    for name in ("libonnxruntime.so", "libonnxruntime.so.1"):
        (work / "sdk/lib" / name).symlink_to(library)
    return work / "sdk"


def built_row(runners: Path, work: Path, golden: dict[str, str], sdk: Path | None) -> Row:
    """Build a program by CMake and measure it."""
    variant, program = golden["variant"], _CMAKE_PROGRAMS[golden["runtime"]]
    options = [f"-DVARIANT={variant}"]
    if program == "onnxruntime-c":
        if sdk is None:
            return Row(
                program, variant, "left out: no onnxruntime_c_api.h; apt-get install libonnxruntime-dev", sound=True
            )
        options.append(f"-DONNXRUNTIME={sdk}")
    try:
        built = cmake(runners / program, work / f"{program}-{variant}", options)
    except subprocess.CalledProcessError as error:
        return Row(program, variant, f"does not build: {error.stderr.strip()[-300:]}", sound=False)
    return measured_row(program, [str(built)], golden, runners, built.stat().st_size)


def cmake(source: Path, build: Path, options: Sequence[str]) -> Path:
    """Configure and build; returns the program."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    }  # its python3 has OpenVINO
    for command in (["cmake", "-S", str(source), "-B", str(build), *options], ["cmake", "--build", str(build)]):
        subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return build / "ghostface"


def measured_row(
    program: str, command: list[str], golden: dict[str, str], runners: Path, size: int | None = None
) -> Row:
    """Run the self-test, and embed a golden face several times."""
    test = subprocess.run([*command, "--selftest"], capture_output=True, text=True, check=False)
    said = (test.stdout.strip() or test.stderr.strip())[-200:]
    times, face = [], str(runners / "golden/face-0.ppm")
    for _ in range(_STARTS):
        started = time.perf_counter()
        done = subprocess.run([*command, face], capture_output=True, text=True, check=False)
        times.append((time.perf_counter() - started) * 1e3)
    if done.returncode:
        return Row(program, golden["variant"], said, sound=False, size_bytes=size)
    due = np.load(runners / "golden" / golden["variant"] / "embeddings.npy")[0]
    difference = np.abs(np.array(done.stdout.split(), np.float32) - due).max() / np.abs(due).max()
    return Row(
        program, golden["variant"], said, test.returncode == 0, float(difference), statistics.median(times), size
    )


def sanitized_row(runners: Path, work: Path) -> Row:
    """The self-test of C with the address and undefined-behaviour sanitizers."""
    options = [f"-DCMAKE_C_FLAGS={_SANITIZED}", "-DCMAKE_BUILD_TYPE=Sanitized", "-DNATIVE=OFF"]
    built = cmake(runners / "c", work / "sanitized", options)
    test = subprocess.run([str(built), "--selftest"], capture_output=True, text=True, check=False)
    said = (test.stderr or test.stdout).strip()[-300:]
    return Row("c, sanitized", "c-int8", said, sound=test.returncode == 0 and not test.stderr)


def analyzed_row(runners: Path, sdk: Path | None) -> Row:
    """Every C file of the runners through gcc's analyzer."""
    compiler = shutil.which("gcc")
    if compiler is None:
        return Row("gcc -fanalyzer", "", "left out: no gcc", sound=True)
    sources = [*sorted((runners / "common").glob("*.c")), *sorted((runners / "c").glob("*.c"))]
    golden = next((runners / "golden").glob("*/thresholds.h")).parent
    options = [f"-I{runners / 'common'}", f"-I{golden}", '-DRUNNERS_FOLDER="."']
    if sdk is not None:
        sources += sorted((runners / "onnxruntime-c").glob("*.c"))
        options += [f"-I{sdk / 'include'}", f"-I{sdk / 'include/onnxruntime'}"]
    headers = sorted((runners.parent / "models").glob("*-c-int8.h"))
    networks = [header.with_suffix(".c") for header in headers]
    options += [f'-DMODEL_HEADER="{header}"' for header in headers[:1]]
    said = []
    for source in (*sources, *networks):
        done = subprocess.run(
            [compiler, *_ANALYZED, *options, str(source)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            said.append(done.stderr.strip().splitlines()[0])
    return Row(
        "gcc -fanalyzer", "", "; ".join(said) or f"nothing in {len(sources) + len(networks)} files", sound=not said
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
