"""A bundle rebuilt from its own account and compared with itself, step by step.

In: a bundle, the checkpoint, the calibration faces. Out: which step first gave other files than were recorded, and how
they differ; the rebuilt models, their bill of materials and that answer as JSON in a folder.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.pipeline.release.archive import Archive, opened
from ghostface_edge.pipeline.release.bom import bill_of_materials
from ghostface_edge.pipeline.release.check import Checked, check
from ghostface_edge.pipeline.release.contents import BILL, CALIBRATION, QUANTIZATION
from ghostface_edge.pipeline.release.environment import other_versions
from ghostface_edge.pipeline.release.file_difference import difference
from ghostface_edge.pipeline.release.manifest import FileEntry
from ghostface_edge.pipeline.release.provenance import installed_packages, stages
from ghostface_edge.pipeline.release.ranges import other_range, scales_of
from ghostface_edge.pipeline.release.rebuild import calibration_set, listed_faces, other_face, rebuild
from ghostface_edge.pipeline.release.statement import PYPI, ProvenanceStatement, Resource, StageRecord
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.code_version import code_version
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.json_text import to_json
from ghostface_edge.reports.record import Record, Text
from ghostface_edge.reports.write import replacing, write_text

ANSWER: Final = "reproduction.json"
_GET_AGAIN: Final = "get the bundle again from where it was made"
_MAX_LISTING_BYTES: Final = 16 * 2**20


class StageAnswer(Record):
    """One step, done again."""

    name: Text
    equal: bool
    how: Text | None = None
    """The first difference."""


class Reproduction(Record):
    """reproduction.json."""

    equal: bool
    first_difference: Text | None
    stages: tuple[StageAnswer, ...]
    same_code: bool
    """Whether the rebuilding release of the tool is the one that made the bundle."""
    other_versions: dict[Text, tuple[Text, Text | None]]
    """Where the environment was not as recorded: versions then and now."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a rebuild is made from, and where it goes."""

    bundle: Path
    checkpoint: Path | None
    """None is the embedded network."""
    calibration: Path | None
    """None is rendered faces."""
    out: Path


def reproduce(given: Given, context: StageContext) -> Reproduction:
    """Rebuild a bundle here and compare.

    Args:
        given: what from, and where to.
        context: with a store that holds nothing of the run that made the bundle.

    Raises:
        InputError: the bundle is not whole, or what it was made from is not given.
        RuntimeMissingError: a runtime is not installed.
        ToolError: a step failed.
    """
    with opened(given.bundle, where=str(given.bundle), fix=_GET_AGAIN) as archive:
        checked = check(archive)
        statement = checked.manifest.provenance
        others = other_versions(statement.packages, statement.making.host.python)
        with context.store.scratch() as scratch:
            answers = _answers(given, archive, checked, context, scratch)
    different = next((f"{one.name}: {one.how}" for one in answers if not one.equal), None)
    answer = Reproduction(
        equal=different is None,
        first_difference=different,
        stages=tuple(answers),
        same_code=statement.making.code == code_version(),
        other_versions=others,
    )
    write_text(given.out / ANSWER, to_json(answer.model_dump(mode="json")) + "\n")
    return answer


def _answers(
    given: Given, archive: Archive, checked: Checked, context: StageContext, scratch: Path
) -> list[StageAnswer]:
    """Inputs first: what is made from others need not be made."""
    checkpoint = given.checkpoint or default_checkpoint()
    now, was = file_sha256(checkpoint), checked.report.model.sha256
    if now != was:
        if given.checkpoint is None:
            raise InputError(f"{given.bundle} is not of the embedded network", fix="give its network with --checkpoint")
        return [StageAnswer(name="checkpoint", equal=False, how=f"SHA-256 {now[:16]}, was {was[:16]}")]
    if CALIBRATION not in archive.members:
        raise InputError(f"{given.bundle} does not list its calibration faces", fix="run again, then bundle")
    faces = listed_faces(archive.read(CALIBRATION, _MAX_LISTING_BYTES))
    folder = given.calibration or _rendered(checked.manifest.provenance.request.seed, scratch, context)
    if problem := other_face(faces, folder):
        if given.calibration is None:
            raise InputError(
                f"{given.bundle} was not calibrated on the faces that are rendered here ({problem})",
                fix="give its faces with --calibration",
            )
        return [StageAnswer(name="calibration", equal=False, how=problem)]
    statement, variants = checked.manifest.provenance, {entry.id for entry in checked.manifest.variants}
    quantization = rebuild(statement.request, variants, checkpoint, calibration_set(faces, folder), context)
    made = {record.label: record for record in stages(context.ran)}
    folders = {one.folder.name: one.folder for one in context.ran}
    _keep(given.out, checked, made, folders)
    answers = [StageAnswer(name="checkpoint", equal=True), StageAnswer(name="calibration", equal=True)]
    for record in statement.making.stages:
        if record.label in made:
            again = made[record.label]
            how = _first_difference(archive, checked, record, again, folders[again.key], quantization, scratch)
            answers.append(StageAnswer(name=record.label, equal=how is None, how=how))
    return answers


def _rendered(seed: int, scratch: Path, context: StageContext) -> Path:
    from ghostface_edge.pipeline.stages.render import CALIBRATION_FACES
    from ghostface_edge.pipeline.synthetic.sets import write_calibration

    with context.progress.stage(f"render {CALIBRATION_FACES} calibration faces"):
        return write_calibration(scratch / "calibration", CALIBRATION_FACES, seed)


def _first_difference(
    archive: Archive,
    checked: Checked,
    record: StageRecord,
    again: StageRecord,
    folder: Path,
    quantization: QuantizationReport | None,
    scratch: Path,
) -> str | None:
    """How what a step made differs from what was recorded; None where it does not."""
    for name in sorted(record.files.keys() | again.files.keys(), key=_as_made):
        was, now = record.files.get(name), again.files.get(name)
        if was == now:
            continue
        if was is None or now is None:
            return f"{name} {'was not there' if was is None else 'is missing'}"
        member = next((one for one, entry in checked.manifest.files.items() if entry.sha256 == was), None)
        if member is not None:
            return f"{name}: {_compared(archive, member, folder / name, scratch)}"
        if record.name == "quantize" and QUANTIZATION in archive.members and quantization is not None:
            ranges = other_range(scales_of(archive), quantization.ranges)
            if ranges is not None:
                return f"{name}: {ranges}"
        return f"{name}: SHA-256 {now[:16]}, was {was[:16]}"
    return None


def _as_made(name: str) -> tuple[bool, str]:
    """What a step prepares comes before what it makes of that."""
    return not name.startswith("prepared"), name


def _compared(archive: Archive, member: str, now: Path, scratch: Path) -> str:
    was = scratch / f"was{now.suffix}"
    with was.open("wb") as file:
        for block in archive.blocks(member):
            file.write(block)
    return difference(was, now)


def _keep(out: Path, checked: Checked, made: dict[str, StageRecord], folders: dict[str, Path]) -> None:
    """Leave the rebuilt files under the names that the bundle has for them, and their bill of materials."""
    manifest = checked.manifest
    files = dict(manifest.files)
    recorded = {record.label: record for record in manifest.provenance.making.stages}
    for label, again in made.items():
        was = recorded.get(label)
        for name, sha256 in again.files.items():
            source = folders[again.key] / name
            for member, entry in manifest.files.items():
                if was is not None and entry.sha256 == was.files.get(name):
                    with replacing(out / member) as partial:
                        shutil.copyfile(source, partial)
                    files[member] = FileEntry(bytes=source.stat().st_size, sha256=sha256)
    rebuilt = manifest.model_copy(update={"files": files, "provenance": _with_packages_of_here(manifest.provenance)})
    write_text(out / BILL, bill_of_materials(rebuilt, checked.report, None))


def _with_packages_of_here(statement: ProvenanceStatement) -> ProvenanceStatement:
    kept: Sequence[Resource] = [
        one for one in statement.dependencies if one.uri is None or not one.uri.startswith(PYPI)
    ]
    here = [Resource(uri=f"{PYPI}{name}@{version}") for name, version in installed_packages().items()]
    definition = statement.predicate.build_definition.model_copy(update={"resolved_dependencies": (*kept, *here)})
    predicate = statement.predicate.model_copy(update={"build_definition": definition})
    return statement.model_copy(update={"predicate": predicate})
