"""The float network's embeddings, which every variant is compared with, and what they say of the faces."""

from collections.abc import Mapping
from dataclasses import dataclass

from ghostface_edge.calibration.leaks import LeakReport, merged
from ghostface_edge.pipeline.run.job import Inputs
from ghostface_edge.pipeline.stages.artifacts import artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.embed import Embed
from ghostface_edge.pipeline.stages.export import ExportedModel
from ghostface_edge.pipeline.stages.leaks import FindLeaks
from ghostface_edge.pipeline.tools.diagnose import separation_warning
from ghostface_edge.reports.metrics import cosine_scores, verification_accuracy
from ghostface_edge.targets.protocol import Embeddings


@dataclass(frozen=True, slots=True)
class Reference:
    """What every variant is compared with."""

    model: ExportedModel
    embeddings: Mapping[str, Embeddings]
    """FP32, by name of the verification set or gallery."""
    leaks: LeakReport


def embed_reference(
    model: ExportedModel,
    inputs: Inputs,
    faces: Mapping[str, DecodedFaces],
    context: StageContext,
    *,
    nobody_shared: bool,
) -> Reference:
    """Embed everything in FP32, warn where it barely separates people, and look for calibration faces among the pairs.

    Args:
        model: float32 ONNX.
        inputs: pairs and calibration faces.
        faces: of the pairs and the gallery, by name.
        context: what stages share.
        nobody_shared: see `Job.nobody_shared`.
    """
    artifact = artifact_of("onnxruntime", model.path)

    def embed(some: DecodedFaces, name: str) -> Embeddings:
        return context.run(Embed(artifact, some, context.threads, f"reference on {name}"))

    embeddings = {name: embed(each, name) for name, each in faces.items()}
    main = inputs.sets[0]
    scores = cosine_scores(embeddings[main.name], main.index)
    warning = separation_warning(verification_accuracy(scores, main.same, main.folds).mean)
    if warning is not None:
        context.progress.warn(warning)
    with DecodedFaces.of_calibration(context.store, inputs.calibration) as calibration:
        own = embed(calibration, "calibration faces")
    found = [
        context.run(
            FindLeaks(inputs.calibration, each, model.sha256, None if nobody_shared else (own, embeddings[each.name]))
        )
        for each in inputs.judged_on
    ]
    return Reference(model, embeddings, merged(found))
