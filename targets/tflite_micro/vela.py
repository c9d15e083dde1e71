"""A full-integer `.tflite` compiled for Ethos-U NPUs by Arm's Vela, and what Vela expects of it.

Vela runs as a program of its own, so that its death is a message. Its estimates are those of a preset's system and
memory mode; nothing here has run on one.

Vela gives the input's memory to later tensors and often to the output. What keeps the input is making it an output of
the graph as well: its bytes then have to last to the end. The compiled file is handed on without that second output.
"""

import csv
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.requirements import require_modules
from ghostface_edge.targets.tflite_micro.placement import read_placement
from ghostface_edge.targets.tflite_micro.presets import SYSTEMS, Preset

INPUT_KEPT: Final = "input-kept"
_TIMEOUT_S: Final = 900
_INTERPRETER_BYTES: Final = 4096
"""Room for what TensorFlow Lite Micro notes of a model of one operator: 1.5 KiB on a 64-bit host."""
_OUTPUTS_FIELD: Final = 8
"""Of a subgraph, in TFLite's schema: the third field's place in its table."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A model for one preset, and Vela's estimates."""

    path: Path
    preset: Preset
    keeps_input: bool
    """Whether it was compiled so that the input stays as it was."""
    inference_ms: float
    sram_kib: float
    flash_kib: float
    """Weights, biases and tables; the command stream, which the CPU holds, comes on top."""
    macs_per_cycle: float
    npu_operators: int
    cpu_operators: int
    output_in_input: bool
    overwrites: int
    """Operations that write into the input's bytes."""
    arena_bytes: int
    """Tensor arena: what Vela planned, and room for the interpreter's own notes."""
    fast_memory_bytes: int
    """What the driver has to be given of the NPU's own memory; 0 where it works in the arena."""


def require_vela() -> str:
    """Vela with its version, as `Vela 5.2.0`.

    Raises:
        RuntimeMissingError: it is not installed.
    """
    require_modules("micro", "ethosu")
    return f"Vela {version('ethos-u-vela')}"


def compile_for(preset: Preset, model: Path, compiled: Path, *, keep_input: bool = False) -> Compiled:
    """Compile a model.

    Args:
        preset: accelerator, system and memory mode.
        model: full integer, batch 1.
        compiled: where to write.
        keep_input: leave the input's bytes alone, for as much more memory.

    Raises:
        ToolError: Vela failed, or the input is overwritten all the same.
    """
    with tempfile.TemporaryDirectory(dir=compiled.parent) as place:  # goes with that folder if a process is killed
        folder = Path(place)
        source = folder / "model.tflite"
        source.write_bytes(_with_input_as_output(model) if keep_input else model.read_bytes())
        _run_vela(source, preset, folder)
        content = (folder / "model_vela.tflite").read_bytes()
        compiled.write_bytes(_with_first_output(content) if keep_input else content)
        (summary,) = folder.glob("model_summary_*.csv")
        figures = next(csv.DictReader(summary.read_text().splitlines()))
    try:
        placement = read_placement(compiled)
    except InputError as problem:
        raise ToolError(f"what Vela made for {preset.name} cannot be checked: {problem}", fix=problem.fix) from problem
    if keep_input and (placement.output_in_input or placement.overwrites):
        raise ToolError(
            f"Vela overwrites the input on {preset.name} all the same", fix="fill it before every inference"
        )
    left = len(placement.cpu_operators)
    return Compiled(
        path=compiled,
        preset=preset,
        keeps_input=keep_input,
        inference_ms=float(figures["inference_time"]) * 1e3,
        sram_kib=float(figures["sram_memory_used"]),
        flash_kib=placement.constants_bytes / 1024,
        macs_per_cycle=float(figures["nn_macs"]) / max(float(figures["cycles_total"]), 1.0),
        npu_operators=int(figures["passes_before_fusing"]) - left,
        cpu_operators=left,
        output_in_input=placement.output_in_input,
        overwrites=placement.overwrites,
        arena_bytes=placement.arena_bytes + _INTERPRETER_BYTES,
        fast_memory_bytes=placement.fast_memory_bytes,
    )


def _run_vela(model: Path, preset: Preset, folder: Path) -> None:
    options = ["--accelerator-config", preset.accelerator]
    options += ["--system-config", preset.system, "--memory-mode", preset.memory_mode]
    program = (sys.executable, "-P", "-m", "ghostface_edge.reports.child", "ethosu.vela")
    systems = [word for system in SYSTEMS for word in ("--config", system)]
    try:
        done = subprocess.run(
            [*program, model, *systems, *options, "--output-dir", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise ToolError(
            f"Vela did not finish within {_TIMEOUT_S} s for {preset.name}", fix="see Vela's issues"
        ) from expired
    if done.returncode or not (folder / "model_vela.tflite").is_file():
        said = [line for line in done.stdout.splitlines() if line.strip()]
        raise ToolError(
            f"Vela failed for {preset.name}: {said[-1] if said else f'exit code {done.returncode}'}",
            fix=f"try `vela MODEL.tflite --accelerator-config {preset.accelerator}` alone",
        )


def _with_input_as_output(model: Path) -> bytes:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    unpacked = schema.ModelT.InitFromPackedBuf(model.read_bytes())
    graph = unpacked.subgraphs[0]
    graph.outputs = np.append(graph.outputs, graph.inputs[0]).astype(np.int32)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(unpacked.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _with_first_output(content: bytes) -> bytes:
    """The same file but for the length of the main graph's list of outputs: everything else stays where it is."""
    from ai_edge_litert import schema_py_generated as schema

    table = schema.Model.GetRootAs(content, 0).Subgraphs(0)._tab
    length_at = table.Vector(table.Offset(_OUTPUTS_FIELD)) - 4
    return content[:length_at] + struct.pack("<I", 1) + content[length_at + 4 :]
