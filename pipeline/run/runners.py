"""Runners that ship with a run: programs around its models, and golden faces to hold an installation to."""

from collections.abc import Sequence
from pathlib import Path

from ghostface_edge.pipeline.run.variant_build import Built
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.golden import RecordGolden, golden_faces
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import GhostfaceEdgeError
from ghostface_edge.reports.report import Report
from ghostface_edge.targets.runners.thresholds import thresholds
from ghostface_edge.targets.runners.write import Run, has_runner, write_runners

FOLDER = "runners"


def ship_runners(variants: Sequence[Built], report: Report, out: Path, context: StageContext) -> Report:
    """Write `OUT/runners` for the variants that there is a program for; the report comes back with its files."""
    records = {record.id: record for record in report.local_variants}
    faces = golden_faces()
    runs = []
    for built in variants:
        artifact = records[str(built.id)].artifact
        if built.id.is_stock or artifact is None or not has_runner(built.id, out / artifact.path):
            continue
        try:
            golden = context.run(RecordGolden(built.artifact, faces, str(built.id)))
        except GhostfaceEdgeError as error:
            context.progress.warn(f"{built.id} ships without a runner: {error}")
            continue
        runs.append(Run(built.id, out / artifact.path, golden, thresholds(records[str(built.id)])))
    if not runs:
        return report
    files = write_runners(out / FOLDER, faces, runs)
    return report.model_copy(
        update={"runners": {file.relative_to(out).as_posix(): file_sha256(file) for file in files}}
    )
