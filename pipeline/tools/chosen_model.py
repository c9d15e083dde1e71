"""Which model compares a user's photographs, and what a run knows of it.

In: a model file or a run's folder, or neither. Out: the file, judged, with the row of the report that holds its
evidence. A row is believed for the bytes that it names alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.stages.artifacts import artifact_of, size_of
from ghostface_edge.pipeline.tools.inspection import runtime_of
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Artifact, Status, Variant
from ghostface_edge.targets.judge import judge_artifact
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.table import load_target

USUAL_RUN: Final = Path("out")
"""Where `run` writes unless told otherwise: the newest run."""
_REPORT: Final = "report.json"


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """A model, and where its evidence stands."""

    path: Path
    runtime: str
    variant: Variant | None = None
    """Its row in a report; None where no run knows the file."""
    report: Report | None = None

    @property
    def knows_rendered_people_only(self) -> bool:
        """Whether it is made of the network that ships with the tool, which never saw a photograph."""
        return self.report is not None and self.report.model.sha256 == file_sha256(default_checkpoint())


def choose_model(model: Path | None, run: Path | None) -> ChosenModel:
    """Find a model and its evidence.

    Args:
        model: an artifact of any runtime; by default the run's INT8, the first that can be used here.
        run: a run's folder; by default that of the model, `out` where none is named.

    Raises:
        InputError: no such run or file, a file that is refused or was changed since the run, or a run without INT8.
        RuntimeMissingError: the model's runtime is not installed.
    """
    if model is None:
        return _of_run(run or USUAL_RUN)
    judge_artifact(model)
    runtime = runtime_of(model)
    load_target(runtime).require()
    folder = run or model.absolute().parent.parent
    if run is None and not (folder / _REPORT).is_file():
        return ChosenModel(model, runtime)
    report, sha256 = _read(folder), artifact_of(runtime, model).sha256
    for variant in report.local_variants:
        if variant.artifact is not None and variant.artifact.sha256 == sha256:
            return ChosenModel(model, runtime, variant, report)
    return ChosenModel(model, runtime)


def _of_run(folder: Path) -> ChosenModel:
    report = _read(folder)
    missing: list[RuntimeMissingError] = []
    for variant in report.local_variants:
        is_stock = variant.id != f"{variant.runtime}-{variant.precision}"
        if variant.status is not Status.OK or variant.precision != Precision.INT8 or is_stock:
            continue
        try:
            load_target(variant.runtime).require()
        except RuntimeMissingError as error:
            missing.append(error)
            continue
        assert variant.artifact is not None
        return ChosenModel(_unchanged(folder, variant.runtime, variant.artifact), variant.runtime, variant, report)
    if missing:
        raise missing[0]
    raise InputError(f"the run in {folder} has no INT8 model", fix="name one of its models with --model")


def _unchanged(folder: Path, runtime: str, artifact: Artifact) -> Path:
    """The file that a report names, if it still is what was measured."""
    path = folder / artifact.path
    if size_of(runtime, path) != artifact.bytes or artifact_of(runtime, path).sha256 != artifact.sha256:
        raise InputError(
            f"{path} is not what {folder / _REPORT} was measured on: it has other bytes",
            fix="run again, or name the model with --model",
        )
    judge_artifact(path)
    return path


def _read(folder: Path) -> Report:
    if not (folder / _REPORT).exists():
        raise InputError(
            f"{folder} holds no run: {_REPORT} is not there",
            fix="make one with `ghostface-edge run`, name its folder with --run, or a model with --model",
        )
    return Report.read(folder / _REPORT)
