"""Interface, operators and MACs by precision, read off an artifact."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import ArtifactInfo
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import load_target

_INFO = "info.json"


@dataclass(frozen=True, slots=True)
class Inspect:
    """The stage."""

    name: ClassVar[str] = "inspect"
    artifact: Artifact
    label: str
    """For the log."""

    def inputs(self) -> dict[str, object]:
        packages = load_target(self.artifact.runtime).packages
        return {"artifact": self.artifact.sha256, "runtime": self.artifact.runtime, "versions": versions(packages)}

    def build(self, folder: Path, context: StageContext) -> None:
        with context.open(
            RuntimeWorker, self.artifact.runtime, label=self.label, limit=context.limits.inspect
        ) as worker:
            write_value(folder / _INFO, worker.inspect(self.artifact.path))

    def read(self, folder: Path) -> ArtifactInfo:
        return read_value(folder / _INFO, ArtifactInfo)
