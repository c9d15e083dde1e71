"""The report's record of one variant, and its files in `models/` of the output folder."""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path

from ghostface_edge.pipeline.precision_search.search import SearchOutcome
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.pipeline.run.all_pairs import AllAgainstAll
from ghostface_edge.pipeline.run.datasheet import write_datasheet
from ghostface_edge.pipeline.run.variant_build import Built, Failed
from ghostface_edge.pipeline.run.variant_timing import Measured
from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.export import ExportedModel
from ghostface_edge.pipeline.stages.latency import ROUNDS
from ghostface_edge.reports import report as document
from ghostface_edge.reports.assess import Assessment
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.evidence import CurveStep, LatencySearch, RangeStability, Sensitivity
from ghostface_edge.reports.latency import summarize
from ghostface_edge.reports.proven import proven
from ghostface_edge.reports.variant import SetResult
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.openvino.embedder import ARM_OPTIONS
from ghostface_edge.targets.protocol import ArtifactInfo, Precision
from ghostface_edge.targets.table import load_target

_SENSITIVITY_ROWS = 40
_RANGE_ROWS = 20


def failed_record(variant: Failed) -> document.Variant:
    """A variant without figures."""
    return document.Variant(
        id=str(variant.id),
        runtime=variant.id.runtime,
        precision=variant.id.precision,
        method=variant.method,
        status=variant.status,
        error=variant.error,
    )


def measured_record(
    variant: Measured,
    judged: Mapping[str, Assessment],
    main: str,
    compared: AllAgainstAll,
    model: ExportedModel,
    out: Path,
) -> document.Variant:
    """A variant with its figures; its files are copied to `models/`.

    Args:
        variant: what was built and timed.
        judged: by name of the verification set.
        main: that set's name whose figures come first.
        compared: what all images, each against every other, say of every variant.
        model: that the variant was made from.
        out: the output folder.
    """
    built, timing = variant.built, variant.timing
    summary = summarize(timing.samples_ms, variant.baseline.samples_ms, rounds=ROUNDS)
    first, quantization = judged[main], built.quantization
    paths = _publish(built.artifact, out / "models" / f"{model.name}-{built.id}")
    firmware, estimates = built.firmware.publish(out / "models", "models") if built.firmware else (None, ())
    if built.info.estimate:
        path = paths[0].relative_to(out).as_posix()
        estimates = (*estimates, built.info.estimate.model_copy(update={"path": path}))
    beside = [
        *(firmware.files if firmware else ()),
        *(name for estimate in estimates for name in (estimate.path, *estimate.files)),
    ]
    return document.Variant(
        id=str(built.id),
        runtime=built.id.runtime,
        precision=built.id.precision,
        method=built.method,
        status=document.Status.OK,
        artifact=document.Artifact(
            path=paths[0].relative_to(out).as_posix(),
            bytes=built.artifact.size_bytes,
            sha256=file_sha256(*paths),
            fp32_bytes=variant.fp32_bytes,
            constants_bytes=built.info.constants_bytes,
        ),
        files={
            path.relative_to(out).as_posix(): file_sha256(path) for path in (*paths, *(out / name for name in beside))
        },
        accuracy=first.accuracy,
        versus_reference=first.versus_reference,
        all_pairs=compared.all_pairs.get(str(built.id)),
        groups=compared.groups.get(str(built.id)),
        latency=document.Latency.of(
            summary,
            threads=timing.threads,
            load_ms=timing.load_ms,
            peak_rss_mb=timing.peak_rss_mb,
            beside_other_work=timing.beside_other_work,
        ),
        seconds=round(built.artifact.seconds, 2),
        int8_mac_share=_int8_mac_share(built.info),
        float_tensors=() if quantization is None else quantization.higher_precision,
        higher_precision=_higher_precision(built.id.runtime, quantization),
        latency_search=_latency_search(built.search),
        sensitivity=() if quantization is None else _sensitivity(quantization),
        curve=() if quantization is None else _curve(quantization),
        range_stability=() if quantization is None else _range_stability(quantization),
        profile=variant.profile,
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
        one_threshold=compared.one_threshold.get(str(built.id), {}),
    )


def with_datasheet(record: document.Variant, built: Built, report: document.Report, out: Path) -> document.Variant:
    """A variant with its datasheet, written beside its file.

    Args:
        record: of this host, with figures.
        built: what it is of.
        report: with its gate, and with what ran elsewhere.
        out: the output folder.
    """
    assert record.artifact is not None
    size, evidence = report.model.embedding_size, proven(report, record)
    needed = ARM_OPTIONS if (record.runtime, record.precision) == ("openvino", Precision.INT8) else {}
    sheet = write_datasheet(out / record.artifact.path, built.info, size, record.thresholds, evidence, needed)
    files = {**record.files, sheet.relative_to(out).as_posix(): file_sha256(sheet)}
    return record.model_copy(update={"files": files})


def _publish(artifact: Artifact, stem: Path) -> list[Path]:
    """Copy the artifact's files under the model's and variant's name."""
    paths = []
    for file in artifact.files:
        path = stem.with_name(f"{stem.name}{file.suffix}")
        with replacing(path) as partial:
            shutil.copyfile(file, partial)
        paths.append(path)
    return paths


def _higher_precision(runtime: str, quantization: QuantizationReport | None) -> str | None:
    """What tensors kept out of INT8 run in, if there are any."""
    kept = quantization is not None and quantization.higher_precision
    return load_target(runtime).float_fallback if kept else None


def _int8_mac_share(info: ArtifactInfo) -> float | None:
    total = sum(info.macs_by_precision.values())
    return info.macs_by_precision.get(Precision.INT8, 0) / total if total else None


def _latency_search(fastest: SearchOutcome | None) -> LatencySearch | None:
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
