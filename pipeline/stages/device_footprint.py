"""What an artifact takes of a device that has no system: flash, RAM, stack."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.device_session import DeviceSession
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.reports.devices import Footprint

_NAME: Final = "footprint"
_FILE: Final = f"{_NAME}.json"


@dataclass(frozen=True, slots=True)
class MeasureFootprint:
    """The stage; None where the device has a system."""

    name: ClassVar[str] = "device-footprint"
    artifact: Artifact
    session: DeviceSession

    def inputs(self) -> dict[str, object]:
        return {"artifact": self.artifact.sha256} | self.session.key()

    def build(self, folder: Path, context: StageContext) -> None:  # noqa: ARG002 - the session has its own
        footprint = self.session.footprint(self.artifact)
        write_value(folder / _FILE, {_NAME: None if footprint is None else footprint.model_dump()})

    def read(self, folder: Path) -> Footprint | None:
        told = read_value(folder / _FILE, dict[str, dict[str, int] | None])[_NAME]
        return None if told is None else Footprint.model_validate(told)
