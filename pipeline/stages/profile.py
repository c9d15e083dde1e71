"""Where an artifact's time goes on this host."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import load_target

_ROWS = "profile.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """The stage: rows by kind of operator, the slowest first."""

    name: ClassVar[str] = "profile"
    artifact: Artifact
    threads: int
    label: str
    """For the user and the log."""

    def inputs(self) -> dict[str, object]:
        return {
            "artifact": self.artifact.sha256,
            "runtime": self.artifact.runtime,
            "threads": self.threads,
            "host": describe_host().model_dump(mode="json"),
            "versions": versions([*load_target(self.artifact.runtime).packages, "numpy"]),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        with (
            context.open(
                RuntimeWorker, self.artifact.runtime, label=self.label, limit=context.limits.profile
            ) as worker,
            context.progress.stage(f"{self.label}: profile"),
        ):
            write_value(folder / _ROWS, worker.profile(self.artifact.path, self.threads))

    def read(self, folder: Path) -> tuple[ProfileRow, ...]:
        return read_value(folder / _ROWS, tuple[ProfileRow, ...])
