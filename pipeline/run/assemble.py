"""From what was built and measured to the report.

In: the variants, the faces, the reference embeddings. Out: a `Report` and the arrays behind its plots; the artifacts
are copied to `models/` of the output folder.
"""

from collections.abc import Sequence
from pathlib import Path

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.contact_sheet import contact_sheet
from ghostface_edge.calibration.faces import read_image
from ghostface_edge.calibration.gallery_folder import GalleryFolder
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.run.all_pairs import compare_variants
from ghostface_edge.pipeline.run.data_record import data_record, model_record
from ghostface_edge.pipeline.run.device_record import device_record, device_rows
from ghostface_edge.pipeline.run.job import GateInputs, Inputs
from ghostface_edge.pipeline.run.on_devices import DeviceRun
from ghostface_edge.pipeline.run.reference import Reference
from ghostface_edge.pipeline.run.variant_build import Failed
from ghostface_edge.pipeline.run.variant_record import failed_record, measured_record, with_datasheet
from ghostface_edge.pipeline.run.variant_timing import Measured
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.reports.assess import PairSet, assess, assess_galleries
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.reports.report import Report, Tool
from ghostface_edge.reports.review import Review

_SHEET_FACES, _SHEET_COLUMNS = 40, 10
REFERENCE = "checkpoint in FP32 (ONNX Runtime)"


def assemble(
    variants: Sequence[Measured | Failed],
    devices: Sequence[DeviceRun],
    checkpoint: Path,
    inputs: Inputs,
    reference: Reference,
    tool: Tool,
    out: Path,
    gate: GateInputs,
    threads: int,
) -> tuple[Report, ReportCurves]:
    """Assess every measured variant on the pairs, judge the release and put the report together.

    Args:
        variants: in the order of the report.
        devices: what ran elsewhere.
        checkpoint: the network's file.
        inputs: the faces that were used.
        reference: the float network's embeddings of them.
        tool: what ran, when, with which seed.
        out: the output folder.
        gate: by what the release is judged.
        threads: for comparing all images with each other.
    """
    main, seed = inputs.sets[0], tool.seed or 0
    pairs = {pairs.name: _pair_set(pairs) for pairs in inputs.sets}
    measured = {str(one.built.id): one for one in variants if isinstance(one, Measured)}
    judged = {
        label: {
            name: assess(some, one.built.embeddings[name], reference.embeddings[name], REFERENCE, seed=seed)
            for name, some in pairs.items()
        }
        for label, one in measured.items()
    }
    compared = compare_variants(measured, inputs, reference, judged, threads)
    records = tuple(
        measured_record(one, judged[str(one.built.id)], main.name, compared, reference.model, out)
        if isinstance(one, Measured)
        else failed_record(one)
        for one in variants
    )
    local, names = {record.id: record for record in records}, pairs[main.name].names
    for run in devices:
        rows = device_rows(run, local, main, names, reference.embeddings[main.name], REFERENCE, seed)
        records = (*records, *rows)
    galleries = {label: one.built.embeddings[main.name] for label, one in measured.items()}
    data = data_record(inputs, reference.leaks, gate.allowed_leaks)
    report = Report(
        tool=tool,
        host=describe_host(),
        model=model_record(reference.model, checkpoint),
        data=data,
        variants=records,
        gate=judge(records, gate.policy, data=data, baseline=gate.baseline, made=tool.day),
        cross_precision=assess_galleries(pairs[main.name], galleries) if galleries else None,
        review=compared.review,
        devices=tuple(device_record(run, main) for run in devices),
    )
    report = report.model_copy(
        update={
            "variants": tuple(
                with_datasheet(record, measured[record.id].built, report, out) if record.id in measured else record
                for record in report.variants
            )
        }
    )
    curves = ReportCurves(
        same=main.same,
        scores={label: parts[main.name].scores for label, parts in judged.items()},
        reference_scores=cosine_scores(reference.embeddings[main.name], main.index),
        latency_ms={label: one.timing.samples_ms for label, one in measured.items()},
        cosines={label: parts[main.name].cosines for label, parts in judged.items()},
        images=dict(enumerate(main.images)),
        gallery_images=_faces_of(inputs.first, compared.review),
        contact_sheets=_contact_sheets(inputs),
    )
    return report, curves


def _faces_of(first: VerificationSet | GalleryFolder, found: Review | None) -> dict[int, bytes]:
    """Encoded faces of the comparisons that a person should look at."""
    listed = () if found is None else (*found.impostor, *found.genuine)
    wanted = {image for one in listed for image in one.images}
    if isinstance(first, VerificationSet):
        return {image: first.images[image] for image in wanted}
    return {image: read_image(first.files[image].path) for image in wanted}


def _contact_sheets(inputs: Inputs) -> dict[str, bytes]:
    """The first faces of the calibration set and of every set of pairs."""
    sheets = {"calibration": contact_sheet(inputs.calibration.load()[:_SHEET_FACES], _SHEET_COLUMNS)}
    for pairs in inputs.sets:
        (faces,) = iterate_faces(pairs.images[:_SHEET_FACES], _SHEET_FACES)
        sheets[pairs.name] = contact_sheet(faces, _SHEET_COLUMNS)
    return sheets


def _pair_set(pairs: VerificationSet) -> PairSet:
    names = None
    if pairs.identities is not None:
        names = list(zip(pairs.identities[::2], pairs.identities[1::2], strict=True))
    return PairSet(pairs.index, pairs.same, pairs.folds, names)
