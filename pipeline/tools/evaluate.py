"""One artifact on verification pairs: its accuracy, what it lost against another, what may be wrong with its input."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.calibration.people_file import People, people_of
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.embed import Embed
from ghostface_edge.pipeline.stages.face_reader import read_pairs
from ghostface_edge.pipeline.support.host import usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.diagnose import diagnose, separation_warning
from ghostface_edge.pipeline.tools.inspection import runtime_of
from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.groups import judge_groups
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.metrics import cosine_scores, verification_accuracy
from ghostface_edge.reports.paired import compare
from ghostface_edge.reports.people import link_identities
from ghostface_edge.reports.protocols.best_threshold import best_threshold_accuracy
from ghostface_edge.reports.protocols.flip import flip_sum
from ghostface_edge.reports.protocols.insightface import insightface_accuracy, squared_distances
from ghostface_edge.reports.record import Record
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Embeddings

_STEP, _BATCH = 512, 32


def evaluate(
    artifact: Path,
    source: PairsSource,
    reference: Path | None,
    progress: Progress,
    *,
    flip: bool,
    groups: Path | None = None,
) -> dict[str, dict[str, object]]:
    """Verification accuracy of an artifact under three protocols, and what it lost where a reference is given.

    Where it is known who is on the images, `all_pairs` compares all of them.

    Args:
        artifact: what to evaluate.
        source: the pairs.
        reference: artifact to compare with.
        progress: told how far it is.
        flip: whether an embedding is the sum of the face's and the mirrored face's.
        groups: CSV of attributes of people, where there is a reference.

    Raises:
        InputError: an artifact or the pairs cannot be used.
        ToolError: the runtime failed.
    """
    runtimes = {path: runtime_of(path) for path in (artifact, reference) if path is not None}
    store = Store()
    pairs = read_pairs(source, store, usable_cores(), progress)
    people = None if groups is None else people_of(pairs, groups)
    with store.scratch() as logs:
        context = StageContext(store, logs, progress, usable_cores())
        embeddings = {
            path: _embed(context, artifact_of(runtime, path), pairs, flip) for path, runtime in runtimes.items()
        }
    scores = {path: cosine_scores(found, pairs.index) for path, found in embeddings.items()}
    own = scores[artifact]
    view2 = asdict(verification_accuracy(own, pairs.same, pairs.folds))
    summed = "flip sum" if flip else "no flip"
    facts: dict[str, dict[str, object]] = {
        "accuracy": {"protocol": f"LFW View 2: {pairs.protocol}; cosine, {summed}", **view2},
        "insightface": asdict(insightface_accuracy(squared_distances(embeddings[artifact], pairs.index), pairs.same)),
        "best_threshold": asdict(best_threshold_accuracy(own, pairs.same)),
    }
    if reference is not None:
        comparison = compare(
            own,
            scores[reference],
            pairs.same,
            embeddings[artifact],
            embeddings[reference],
            identities=link_identities(pairs.index, pairs.same),
            folds=pairs.folds,
        )
        facts["versus_reference"] = {"reference": str(reference), **asdict(comparison)}
    if pairs.gallery is not None:
        with progress.stage("all against all"):
            before = None if reference is None else embeddings[reference]
            facts |= _all_pairs(embeddings[artifact], before, pairs.gallery, people)
    warning = separation_warning(verification_accuracy(own, pairs.same, pairs.folds).mean)
    if warning is not None:
        progress.say(f"warning: {warning}")
    return facts


def diagnose_artifact(artifact: Path, source: PairsSource, progress: Progress) -> dict[str, object]:
    """Undo the usual input mistakes one by one on the pairs, and say which one fits."""
    runtime, store = runtime_of(artifact), Store()
    pairs = read_pairs(source, store, usable_cores(), progress)
    faces = np.concatenate(list(iterate_faces(pairs.images, _STEP)))
    with (
        store.scratch() as logs,
        progress.stage("diagnose"),
        LOCAL.open(RuntimeWorker, runtime, log=logs / "diagnose.log") as worker,
    ):
        worker.load(artifact, usable_cores(), _BATCH)
        found = diagnose(worker.embed, faces, pairs.index, pairs.same, pairs.folds)
    tried: dict[str, object] = {finding.remedy.cause: finding.accuracy for finding in found.findings}
    return tried | {"advice": found.advice}


def _all_pairs(
    own: Embeddings, reference: Embeddings | None, gallery: Gallery, people: People | None
) -> dict[str, dict[str, object]]:
    """What the report says of it, without the curve."""
    cores = usable_cores()
    scores = compare_all(own, gallery, cores)
    before = None if reference is None else compare_all(reference, gallery, cores)
    found: dict[str, Record | None] = {"all_pairs": judge_all_pairs(scores, before)}
    if people is not None and before is not None:
        found["groups"] = judge_groups(scores, before, people.attributes)
    return {
        name: record.model_dump(mode="json", exclude={"det"}, exclude_none=True)
        for name, record in found.items()
        if record is not None
    }


def _embed(context: StageContext, artifact: Artifact, pairs: VerificationSet, flip: bool) -> Embeddings:
    name, threads = artifact.path.name, context.threads
    with DecodedFaces.of_pairs(context.store, pairs) as faces:
        embeddings = context.run(Embed(artifact, faces, threads, name))
    if not flip:
        return embeddings
    with DecodedFaces.of_pairs(context.store, pairs, mirrored=True) as faces:
        return flip_sum(embeddings, context.run(Embed(artifact, faces, threads, f"{name}, mirrored")))
