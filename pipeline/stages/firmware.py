"""What goes into a microcontroller's program beside a model: C array and header, arena, models compiled for Ethos-U.

In: an INT8 `.tflite` of batch 1. Out: a folder with `<model>-<variant>.cc/.h`, where Arm's Vela is installed with
`<model>-<accelerator>.tflite`, and what was found out about them.
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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
        return tuple(self.folder / name for name in (*self.needs.files, *(one.path for one in self.estimates)))

    def publish(self, models: Path, under: str) -> tuple[Firmware, tuple[NpuEstimate, ...]]:
        """Copy the files into `models`; returns the records with paths relative to the folder that holds `under`."""
        for file in self.files:
            with replacing(models / file.name) as partial:
                shutil.copyfile(file, partial)
        needs = self.needs.model_copy(update={"files": tuple(f"{under}/{name}" for name in self.needs.files)})
        return needs, tuple(one.model_copy(update={"path": f"{under}/{one.path}"}) for one in self.estimates)


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
        sources = write_c_array(artifact, folder, f"{model}-{variant}", arena_bytes, _notes(compiled))
        needs = Firmware(
            arena_bytes=arena_bytes,
            operators=inspect_artifact(artifact).operators,
            files=tuple(path.name for path in sources),
        )
        estimates = tuple(_estimate(one, compiler) for one in compiled)
        return FirmwareSet(folder, needs, estimates, tuple(warnings))


def _compile_all(artifact: Path, folder: Path, model: str, warnings: list[str]) -> "list[Compiled]":
    """One model for each accelerator, and one more that keeps the input where Vela's own choice does not."""
    from ghostface_edge.targets.tflite_micro.vela import ACCELERATORS, INPUT_KEPT, compile_for

    compiled: list[Compiled] = []
    for accelerator in ACCELERATORS:
        try:
            compiled.append(compile_for(accelerator, artifact, folder / f"{model}-{accelerator}.tflite"))
            if compiled[-1].output_in_input or compiled[-1].overwrites:
                kept = folder / f"{model}-{accelerator}-{INPUT_KEPT}.tflite"
                compiled.append(compile_for(accelerator, artifact, kept, keep_input=True))
        except ToolError as error:
            warnings.append(str(error))
    return compiled


def _notes(compiled: "Sequence[Compiled]") -> list[str]:
    """What firmware must do for the compiled models, for the header."""
    cases = {
        "Vela put the output inside the input's memory; read the output, then fill the input, then Invoke()": [
            one for one in compiled if one.output_in_input
        ],
        "The NPU overwrites the input; fill it anew before every Invoke()": [
            one for one in compiled if one.overwrites and not one.output_in_input
        ],
        "The NPU writes nothing into the input; it may be filled while the output is read, and run again": [
            one for one in compiled if not one.overwrites
        ],
    }
    lines = [f"{what}: {', '.join(one.path.name for one in found)}." for what, found in cases.items() if found]
    fast = {one.accelerator: one.fast_memory_bytes for one in compiled if one.fast_memory_bytes}
    return lines + [f"{name}: give ethosu_init() {size} bytes of fast memory." for name, size in fast.items()]


def _estimate(compiled: "Compiled", compiler: str) -> NpuEstimate:
    figures = asdict(compiled)
    for name in ("keeps_input", "overwrites", "fast_memory_bytes"):
        del figures[name]
    accelerator = f"{compiled.accelerator}, input kept" if compiled.keeps_input else compiled.accelerator
    return NpuEstimate(**figures | {"tool": compiler, "path": compiled.path.name, "accelerator": accelerator})
