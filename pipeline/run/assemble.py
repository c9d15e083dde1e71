"""From what was built and measured to the report.

In: one `Attempt` per variant, the faces, the reference embeddings. Out: a `Report` and the arrays behind its plots;
the artifacts are copied to `models/` of the output folder.
"""

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.contact_sheet import contact_sheet
from ghostface_edge.calibration.leaks import LeakReport
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.precision_search.search import Fastest
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.pipeline.run.datasheet import write_datasheet
from ghostface_edge.pipeline.run.job import Inputs, Judge, Reference
from ghostface_edge.pipeline.run.variant_build import Attempt
from ghostface_edge.pipeline.stages.artifacts import Artifact, ExportedModel
from ghostface_edge.pipeline.stages.latency import ROUNDS
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.support.store import file_sha256
from ghostface_edge.reports import report as document
from ghostface_edge.reports.assess import Assessment, PairSet, assess, assess_galleries
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.evidence import CurveStep, LatencySearch, RangeStability, Sensitivity
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.latency import summarize
from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.reports.variant import SetResult
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.protocol import ArtifactInfo, Precision
from ghostface_edge.targets.table import load_target

_SENSITIVITY_ROWS = 40
_RANGE_ROWS = 20
_SHEET_FACES, _SHEET_COLUMNS = 40, 10
REFERENCE = "checkpoint in FP32 (ONNX Runtime)"


def assemble(
    attempts: Sequence[Attempt],
    inputs: Inputs,
    reference: Reference,
    tool: document.Tool,
    out: Path,
    judged_by: Judge,
) -> tuple[document.Report, ReportCurves]:
    """Judge every attempt on the pairs and put the report together."""
    main, seed = inputs.sets[0], tool.seed or 0
    pairs = {pairs.name: _pair_set(pairs) for pairs in inputs.sets}
    judged = {
        str(attempt.id): {
            name: assess(pairs[name], found, reference.embeddings[name], REFERENCE, seed=seed)
            for name, found in attempt.embeddings.items()
        }
        for attempt in attempts
        if attempt.status is document.Status.OK
    }
    variants = tuple(
        _variant(attempt, judged[str(attempt.id)], main.name, reference.model, out)
        if str(attempt.id) in judged
        else _without_figures(attempt)
        for attempt in attempts
    )
    galleries = {str(attempt.id): attempt.embeddings[main.name] for attempt in attempts if str(attempt.id) in judged}
    data = _data(inputs, reference.leaks, judged_by.allowed_leaks)
    report = document.Report(
        tool=tool,
        host=describe_host(),
        model=_model(reference.model, inputs.checkpoint),
        data=data,
        variants=variants,
        gate=judge(variants, judged_by.policy, data=data, baseline=judged_by.baseline),
        cross_precision=assess_galleries(pairs[main.name], galleries) if galleries else None,
    )
    curves = ReportCurves(
        same=main.same,
        scores={name: parts[main.name].scores for name, parts in judged.items()},
        reference_scores=cosine_scores(reference.embeddings[main.name], main.index),
        latency_ms={str(one.id): one.timing.samples_ms for one in attempts if one.timing is not None},
        cosines={name: parts[main.name].cosines for name, parts in judged.items()},
        images=main.images,
        contact_sheets=_contact_sheets(inputs),
    )
    return report, curves


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


def _without_figures(attempt: Attempt) -> document.Variant:
    return document.Variant(
        id=str(attempt.id),
        runtime=attempt.id.runtime,
        precision=attempt.id.precision,
        method=attempt.method,
        status=attempt.status,
        error=attempt.error,
    )


def _variant(
    attempt: Attempt, judged: Mapping[str, Assessment], main: str, model: ExportedModel, out: Path
) -> document.Variant:
    artifact, timing, baseline = attempt.artifact, attempt.timing, attempt.baseline
    assert artifact is not None
    assert timing is not None
    assert baseline is not None
    summary = summarize(timing.samples_ms, baseline.samples_ms, rounds=ROUNDS)
    first, quantization = judged[main], attempt.quantization
    published = _publish(artifact, out, f"{model.name}-{attempt.id}", attempt.fp32_bytes)
    firmware, estimates = attempt.firmware.publish(out / "models", "models") if attempt.firmware else (None, ())
    if attempt.info is not None:
        write_datasheet(out / published.path, attempt.info, model.embedding_size, first.thresholds)
    return document.Variant(
        id=str(attempt.id),
        runtime=attempt.id.runtime,
        precision=attempt.id.precision,
        method=attempt.method,
        status=attempt.status,
        artifact=published,
        accuracy=first.accuracy,
        versus_reference=first.versus_reference,
        latency=document.Latency.of(
            summary, threads=timing.threads, load_ms=timing.load_ms, peak_rss_mb=timing.peak_rss_mb
        ),
        seconds=round(artifact.seconds, 2),
        int8_mac_share=_int8_mac_share(attempt.info),
        float_tensors=() if quantization is None else quantization.higher_precision,
        higher_precision=_means(attempt),
        latency_search=_latency_search(attempt.fastest),
        sensitivity=() if quantization is None else _sensitivity(quantization),
        curve=() if quantization is None else _curve(quantization),
        range_stability=() if quantization is None else _range_stability(quantization),
        profile=attempt.profile,
        estimates=estimates,
        firmware=firmware,
        thresholds=first.thresholds,
        flips=first.flips,
        fold_drops_pp=first.fold_drops_pp,
        people=first.people,
        sets={
            name: SetResult(accuracy=part.accuracy, versus_reference=part.versus_reference)
            for name, part in judged.items()
            if name != main
        },
    )


def _publish(artifact: Artifact, out: Path, name: str, fp32_bytes: int | None) -> document.Artifact:
    """Copy the artifact's files under the model's and variant's name."""
    paths = []
    for file in artifact.files:
        path = out / "models" / f"{name}{file.suffix}"
        with replacing(path) as partial:
            shutil.copyfile(file, partial)
        paths.append(path)
    return document.Artifact(
        path=paths[0].relative_to(out).as_posix(),
        bytes=artifact.size_bytes,
        sha256=file_sha256(*paths),
        fp32_bytes=fp32_bytes,
    )


def _means(attempt: Attempt) -> str | None:
    """What tensors kept out of INT8 run in, if there are any."""
    kept = attempt.quantization is not None and attempt.quantization.higher_precision
    return load_target(attempt.id.runtime).float_fallback if kept else None


def _int8_mac_share(info: ArtifactInfo | None) -> float | None:
    total = sum(info.macs_by_precision.values()) if info is not None else 0
    return info.macs_by_precision.get(Precision.INT8, 0) / total if info is not None and total else None


def _latency_search(fastest: Fastest | None) -> LatencySearch | None:
    if fastest is None:
        return None
    return LatencySearch(
        cosine_limit=fastest.cosine_limit,
        cosine=fastest.cosine,
        measured=fastest.measured,
        versus_int8=fastest.versus_int8,
        versus_int8_ci95=fastest.versus_int8_ci95,
        float_share=fastest.float_share,
    )


def _sensitivity(quantization: QuantizationReport) -> tuple[Sensitivity, ...]:
    """The layers and tensors that cost most."""
    return tuple(
        Sensitivity(name=f"{row.part}: {row.name}", cosine=1 - row.cosine_loss, sqnr_db=row.sqnr_db)
        for row in quantization.sensitivity[:_SENSITIVITY_ROWS]
    )


def _curve(quantization: QuantizationReport) -> tuple[CurveStep, ...]:
    return tuple(
        CurveStep(
            step=point.step,
            cosine_mean=point.cosine_mean,
            cosine_p01=point.cosine_p01,
            sqnr_db=point.sqnr_db if math.isfinite(point.sqnr_db) else None,
        )
        for point in quantization.curve
    )


def _range_stability(quantization: QuantizationReport) -> tuple[RangeStability, ...]:
    """The tensors whose range depends most on which faces were taken."""
    spreads = sorted(quantization.range_stability.items(), key=lambda item: -item[1])
    return tuple(RangeStability(tensor=name, spread=spread) for name, spread in spreads[:_RANGE_ROWS])


def _model(model: ExportedModel, checkpoint: Path) -> document.ModelInfo:
    return document.ModelInfo(
        name=model.name,
        architecture=f"GhostFaceNetV{model.version}",
        width=model.width,
        stride=model.stride,
        embedding_size=model.embedding_size,
        parameters=model.parameters,
        mmacs=round(model.macs / 1e6, 3),
        sha256=file_sha256(checkpoint),
        activation=model.activation,
        preprocessing=model.preprocessing,
    )


def _data(inputs: Inputs, leaks: LeakReport, allowed: tuple[str, ...]) -> document.Data:
    calibration = inputs.calibration
    main, *further = (
        document.Pairs(
            path=str(pairs.path),
            sha256=pairs.sha256,
            count=len(pairs.same),
            name=pairs.name,
            same=int(np.count_nonzero(pairs.same)),
            images=len(pairs.images),
            protocol=f"LFW View 2: {pairs.protocol}, threshold from the others; cosine, no flip",
        )
        for pairs in inputs.sets
    )
    return document.Data(
        pairs=main,
        calibration=document.Calibration(
            images=len(calibration.files),
            identities=len(calibration.people),
            identities_shared_with_pairs=len(leaks.identities),
            sha256=calibration.sha256,
            path=str(calibration.path),
            leak_guard=document.LeakGuard(
                checked=leaks.checked, found=tuple(str(leak) for leak in leaks.leaks), allowed=allowed
            ),
        ),
        further_pairs=tuple(further),
    )
