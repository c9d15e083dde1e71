"""Instructions per face of an artifact on an emulated CPU."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.device_session import DeviceSession
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.targets.devices.instructions import counting, read_count
from ghostface_edge.targets.face_like import face_like

_WARM_UP_RUNS: Final = 2
_RUNS: Final = 8
_COUNT: Final = "count.json"


@dataclass(frozen=True, slots=True)
class CountInstructions:
    """The stage: instructions of one inference at batch 1, the far side's own work left out as far as it can be."""

    name: ClassVar[str] = "device-instructions"
    artifact: Artifact
    session: DeviceSession

    def inputs(self) -> dict[str, object]:
        return {"artifact": self.artifact.sha256} | self.session.key()

    def build(self, folder: Path, context: StageContext) -> None:
        device, counter = counting(self.session.device, context.store.root / "userlands")
        log = context.logs / f"{self.session.runtime}@{device.name}-instructions.log"
        face = face_like(1, FACE_SIZE)
        with device.open(self.session.runtime, log=log, timeout_s=context.limits.latency.timeout_s) as there:
            there.load(self.artifact.files, device.threads, 1)
            there.time(face, _WARM_UP_RUNS)
            before = read_count(counter)
            there.time(face, _RUNS)
            write_value(folder / _COUNT, (read_count(counter) - before) / _RUNS)

    def read(self, folder: Path) -> float:
        return read_value(folder / _COUNT, float)
