"""What goes into a microcontroller's program beside a model: C array and header, arena, models compiled for Ethos-U.

In: an INT8 `.tflite` of batch 1. Out: a folder with `<model>-<variant>.cc/.h`, where Arm's Vela is installed with
`<model>-<preset>.tflite/.cc/.h`, and what was found out about them.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.reports.errors import RuntimeMissingError, ToolError
from ghostface_edge.reports.evidence import Firmware, NpuEstimate
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import load_target

if TYPE_CHECKING:
    from ghostface_edge.targets.tflite_micro.vela import Compiled

_FACTS = "firmware.json"
_PORTABLE_NOTES = (
    "The arena was measured on a 64-bit host.",
    "The interpreter reuses the input's memory: fill the input anew before every Invoke().",
)


@dataclass(frozen=True, slots=True)
class FirmwareSet:
    """The files in a folder, and what a report says of them; paths are names within it."""

    folder: Path
    needs: Firmware
    estimates: tuple[NpuEstimate, ...]
    warnings: tuple[str, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file to hand on."""
        compiled = (name for one in self.estimates for name in (one.path, *one.files))
        return tuple(self.folder / name for name in (*self.needs.files, *compiled))

    def publish(self, models: Path, under: str) -> tuple[Firmware, tuple[NpuEstimate, ...]]:
        """Copy the files into `models`; returns the records with paths relative to the folder that holds `under`."""
        for file in self.files:
            with replacing(models / file.name) as partial:
                shutil.copyfile(file, partial)
        needs = self.needs.model_copy(update={"files": _under(under, self.needs.files)})
        estimates = (
            one.model_copy(update={"path": f"{under}/{one.path}", "files": _under(under, one.files)})
            for one in self.estimates
        )
        return needs, tuple(estimates)


def _under(folder: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for name in names)


@dataclass(frozen=True, slots=True)
class MakeFirmware:
    """The stage."""

    name: ClassVar[str] = "firmware"
    artifact: Artifact
    """INT8 `.tflite`, batch 1."""
    model: str
    """The network's name."""
    label: str
    """The variant, which the artifact is called after."""

    def inputs(self) -> dict[str, object]:
        return {
            "artifact": self.artifact.sha256,
            "names": [self.model, self.label],
            "versions": versions([*load_target(self.artifact.runtime).packages, "ethos-u-vela"]),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        with (
            context.open(FirmwareMaker, label=self.label, limit=context.limits.firmware) as maker,
            context.progress.stage(f"{self.label}: arena, C array, Ethos-U"),
        ):
            write_value(folder / _FACTS, maker.make(self.artifact.path, self.model, self.label, folder))

    def read(self, folder: Path) -> FirmwareSet:
        return replace(read_value(folder / _FACTS, FirmwareSet), folder=folder)


def make_firmware(context: StageContext, artifact: Artifact, model: str, label: str) -> FirmwareSet:
    """Run the stage, and say what it warns of."""
    made = context.run(MakeFirmware(artifact, model, label))
    for warning in made.warnings:
        context.progress.say(f"{label}: {warning}")
    return made


class FirmwareMaker:
    """What runs in the stage's own process."""

    def make(self, artifact: Path, model: str, variant: str, folder: Path) -> FirmwareSet:
        """Fill a folder.

        Args:
            artifact: INT8 `.tflite`, batch 1.
            model: the network's name.
            variant: what the artifact is called after it.
            folder: where to write.

        Raises:
            ToolError: TensorFlow Lite Micro does not start the model.
        """
        from ghostface_edge.targets.tflite.inspection import inspect_artifact
        from ghostface_edge.targets.tflite_micro.c_array import write_c_array
        from ghostface_edge.targets.tflite_micro.interpreter import smallest_arena_bytes
        from ghostface_edge.targets.tflite_micro.vela import require_vela

        arena_bytes = smallest_arena_bytes(artifact)
        compiler, compiled, warnings = "", list["Compiled"](), list[str]()
        try:
            compiler = require_vela()
        except RuntimeMissingError as missing:
            warnings.append(f"no estimates for Ethos-U: {missing}")
        else:
            compiled = _compile_all(artifact, folder, model, warnings)
        sources = write_c_array(artifact, folder, f"{model}-{variant}", arena_bytes, _PORTABLE_NOTES)
        needs = Firmware(
            arena_bytes=arena_bytes,
            operators=inspect_artifact(artifact).operators,
            files=tuple(path.name for path in sources),
        )
        estimates = tuple(_estimate(one, compiler, folder) for one in compiled)
        return FirmwareSet(folder, needs, estimates, tuple(warnings))


def _compile_all(artifact: Path, folder: Path, model: str, warnings: list[str]) -> "list[Compiled]":
    """One model for each preset, and one more that keeps the input where Vela's own choice does not."""
    from ghostface_edge.targets.tflite_micro.presets import PRESETS
    from ghostface_edge.targets.tflite_micro.vela import INPUT_KEPT, compile_for

    compiled: list[Compiled] = []
    for preset in PRESETS:
        try:
            compiled.append(compile_for(preset, artifact, folder / f"{model}-{preset.name}.tflite"))
            if compiled[-1].output_in_input or compiled[-1].overwrites:
                kept = folder / f"{model}-{preset.name}-{INPUT_KEPT}.tflite"
                compiled.append(compile_for(preset, artifact, kept, keep_input=True))
        except ToolError as error:
            warnings.append(str(error))
    return compiled


def _notes(compiled: "Compiled") -> list[str]:
    """What firmware must know of a compiled model, for its header."""
    preset = compiled.preset
    if compiled.output_in_input:
        rule = "Vela put the output inside the input's memory: read the output, then fill the input, then Invoke()."
    elif compiled.overwrites:
        rule = "The NPU overwrites the input: fill it anew before every Invoke()."
    else:
        rule = "The NPU writes nothing into the input: it may be filled while the output is read, and run again."
    return [
        "The arena is Vela's plan and 4 KiB for the interpreter; arena_used_bytes() tells what it took.",
        f"Compiled for {preset.accelerator}, system {preset.system}, memory mode {preset.memory_mode}.",
        rule,
    ]


def _estimate(compiled: "Compiled", compiler: str, folder: Path) -> NpuEstimate:
    """Write a compiled model's C array; the record of both."""
    from ghostface_edge.targets.tflite_micro.c_array import write_c_array

    preset, fast = compiled.preset, compiled.fast_memory_bytes
    sources = write_c_array(
        compiled.path, folder, compiled.path.stem, compiled.arena_bytes, _notes(compiled), fast_memory_bytes=fast
    )
    return NpuEstimate(
        accelerator=f"{preset.name}, input kept" if compiled.keeps_input else preset.name,
        system=preset.system,
        memory_mode=preset.memory_mode,
        tool=compiler,
        inference_ms=compiled.inference_ms,
        sram_kib=compiled.sram_kib,
        flash_kib=compiled.flash_kib,
        macs_per_cycle=compiled.macs_per_cycle,
        npu_operators=compiled.npu_operators,
        cpu_operators=compiled.cpu_operators,
        output_in_input=compiled.output_in_input,
        arena_bytes=compiled.arena_bytes,
        fast_memory_bytes=fast,
        path=compiled.path.name,
        files=tuple(path.name for path in sources),
    )
