"""From what was built and measured to the report.

In: one `Attempt` per variant, the faces, the reference embeddings. Out: a `Report` and the arrays behind its plots;
the artifacts are copied to `models/` of the output folder.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.build import Artifact, ExportedModel
from ghostface_edge.pipeline.host import describe_host
from ghostface_edge.pipeline.latency import ROUNDS, Timing
from ghostface_edge.pipeline.store import file_sha256
from ghostface_edge.reports import report as document
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.errors import GhostfaceEdgeError, RuntimeMissingError, ToolError
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.latency import summarize
from ghostface_edge.reports.metrics import cosine_scores, normalized, verification_accuracy
from ghostface_edge.reports.paired import compare, link_identities
from ghostface_edge.targets.protocol import ArtifactInfo, Embeddings, Precision
from ghostface_edge.targets.table import VariantId

REFERENCE = "checkpoint in FP32 (ONNX Runtime)"


@dataclass(slots=True)
class Attempt:
    """One variant on its way; the first error ends it."""

    id: VariantId
    artifact: Artifact | None = None
    info: ArtifactInfo | None = None
    embeddings: Embeddings | None = None
    timing: Timing | None = None
    baseline: Timing | None = None
    """Of the FP32 of the same runtime, taken in the same turns."""
    status: document.Status = document.Status.OK
    error: str | None = None

    def fail(self, error: GhostfaceEdgeError) -> None:
        """End the attempt; a runtime that is not installed is skipped, everything else failed."""
        skipped = isinstance(error, RuntimeMissingError)
        self.status = document.Status.SKIPPED if skipped else document.Status.FAILED
        self.error = str(error)

    def take_timing(self, timing: Timing | ToolError, baseline: Timing | ToolError) -> None:
        """Keep what the stop-watch said, or fail as it did."""
        if isinstance(timing, ToolError):
            self.fail(timing)
        elif isinstance(baseline, ToolError):
            self.fail(ToolError(f"the FP32 to compare its speed with failed: {baseline}", fix="see the logs"))
        else:
            self.timing, self.baseline = timing, baseline


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a job reads."""

    checkpoint: Path
    pairs: VerificationSet
    calibration: CalibrationSet
    identities_shared: int


def assemble(
    attempts: Sequence[Attempt],
    inputs: Inputs,
    reference: Embeddings,
    model: ExportedModel,
    tool: document.Tool,
    out: Path,
) -> tuple[document.Report, ReportCurves]:
    """Judge every attempt on the pairs and put the report together."""
    index, same = inputs.pairs.index, inputs.pairs.same
    reference_scores = cosine_scores(reference, index)
    scores = {
        str(attempt.id): cosine_scores(attempt.embeddings, index)
        for attempt in attempts
        if attempt.status is document.Status.OK and attempt.embeddings is not None
    }
    cosines = {
        str(attempt.id): np.einsum("ie,ie->i", normalized(attempt.embeddings), normalized(reference))
        for attempt in attempts
        if str(attempt.id) in scores and attempt.embeddings is not None
    }
    variants = tuple(
        _variant(attempt, inputs.pairs, scores.get(str(attempt.id)), reference, reference_scores, model, out)
        for attempt in attempts
    )
    report = document.Report(
        tool=tool,
        host=describe_host(),
        model=_model(model, inputs.checkpoint),
        data=_data(inputs),
        variants=variants,
        gate=judge(variants),
    )
    latency_ms = {str(attempt.id): attempt.timing.samples_ms for attempt in attempts if attempt.timing is not None}
    return report, ReportCurves(same, scores, reference_scores, latency_ms, cosines)


def _variant(
    attempt: Attempt,
    pairs: VerificationSet,
    scores: NDArray[np.float64] | None,
    reference: Embeddings,
    reference_scores: NDArray[np.float64],
    model: ExportedModel,
    out: Path,
) -> document.Variant:
    name = attempt.id
    artifact, embeddings = attempt.artifact, attempt.embeddings
    timing, baseline = attempt.timing, attempt.baseline
    if artifact is None or embeddings is None or scores is None or timing is None or baseline is None:
        return document.Variant(
            id=str(name),
            runtime=name.runtime,
            precision=name.precision,
            method=name.method,
            status=attempt.status,
            error=attempt.error,
        )
    comparison = compare(
        scores,
        reference_scores,
        pairs.same,
        embeddings,
        reference,
        identities=link_identities(pairs.index, pairs.same),
        folds=pairs.folds,
    )
    summary = summarize(timing.samples_ms, baseline.samples_ms, rounds=ROUNDS)
    return document.Variant(
        id=str(name),
        runtime=name.runtime,
        precision=name.precision,
        method=name.method,
        status=attempt.status,
        artifact=_publish(artifact, out, f"{model.name}-{name}"),
        accuracy=document.Accuracy.of(verification_accuracy(scores, pairs.same, pairs.folds)),
        versus_reference=document.VersusReference.of(REFERENCE, comparison),
        latency=document.Latency.of(
            summary, threads=timing.threads, load_ms=timing.load_ms, peak_rss_mb=timing.peak_rss_mb
        ),
        seconds=round(artifact.seconds, 2),
        int8_mac_share=_int8_mac_share(attempt.info),
    )


def _publish(artifact: Artifact, out: Path, name: str) -> document.Artifact:
    """Copy the artifact's files under the model's and variant's name."""
    paths = []
    for file in artifact.files:
        path = out / "models" / f"{name}{file.suffix}"
        partial = path.with_name(path.name + ".partial")
        shutil.copyfile(file, partial)
        partial.replace(path)
        paths.append(path)
    return document.Artifact(
        path=paths[0].relative_to(out).as_posix(), bytes=artifact.size_bytes, sha256=file_sha256(*paths)
    )


def _int8_mac_share(info: ArtifactInfo | None) -> float | None:
    total = sum(info.macs_by_precision.values()) if info is not None else 0
    return info.macs_by_precision.get(Precision.INT8, 0) / total if info is not None and total else None


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
    )


def _data(inputs: Inputs) -> document.Data:
    pairs, calibration = inputs.pairs, inputs.calibration
    return document.Data(
        pairs=document.Pairs(
            path=str(pairs.path),
            sha256=pairs.sha256,
            count=len(pairs.same),
            name=pairs.name,
            same=int(pairs.same.sum()),
            images=len(pairs.images),
        ),
        calibration=document.Calibration(
            images=len(calibration.files),
            identities=len(calibration.people),
            identities_shared_with_pairs=inputs.identities_shared,
            sha256=calibration.sha256,
            path=str(calibration.path),
        ),
    )
