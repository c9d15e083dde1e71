"""One artifact on pairs and galleries: its accuracy, what it lost against another, what may be wrong with its input."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.calibration.people_file import people_of
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.stages.face_reader import read_pairs
from ghostface_edge.pipeline.support.host import usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.diagnose import diagnose, separation_warning
from ghostface_edge.pipeline.tools.embedded import Embedded, Models, Question, embed_all
from ghostface_edge.pipeline.tools.inspection import runtime_of
from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.groups import judge_groups
from ghostface_edge.reports.all_pairs.migration import Generations, judge_migration
from ghostface_edge.reports.all_pairs.other_sets import OtherSet, keep_thresholds
from ghostface_edge.reports.all_pairs.scores import AllPairScores, compare_all
from ghostface_edge.reports.metrics import cosine_scores, verification_accuracy
from ghostface_edge.reports.paired import compare
from ghostface_edge.reports.people import link_identities
from ghostface_edge.reports.protocols.best_threshold import best_threshold_accuracy
from ghostface_edge.reports.protocols.enrolment import Enrolment
from ghostface_edge.reports.protocols.identification import judge_identification, search
from ghostface_edge.reports.protocols.insightface import insightface_accuracy, squared_distances
from ghostface_edge.reports.record import Record
from ghostface_edge.reports.transfer import transfer_thresholds
from ghostface_edge.reports.variant import VersusReference
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker

_STEP, _BATCH = 512, 32
Facts = dict[str, dict[str, object]]


def evaluate(asked: Question, progress: Progress) -> Facts:
    """Verification accuracy under three protocols, and what the artifact lost where a reference is given.

    Where it is known who is on the images, `all_pairs` compares all of them. Further pairs are judged by the same
    protocols, and at the thresholds of what is compared first.

    Raises:
        InputError: an artifact or faces cannot be used.
        ToolError: a runtime failed.
    """
    embedded, facts = embed_all(asked, progress), Facts()
    for number, pairs in enumerate(embedded.sets):
        facts |= _of_pairs(asked, pairs, embedded.models[pairs.name], f" on {pairs.name}" if number else "")
    if embedded.sets:
        mean = facts["accuracy"]["mean"]
        assert isinstance(mean, float)
        if (warning := separation_warning(mean)) is not None:
            progress.warn(warning)
    people = None if asked.groups is None else people_of(embedded.first, asked.groups)
    scores = _compare_all(embedded, progress)
    if scores is not None:
        own, before = scores[asked.artifact], scores.get(asked.reference or Path())
        facts["all_pairs"] = _said(judge_all_pairs(own, before))
        if people is not None and before is not None:
            found = judge_groups(own, before, people.attributes)
            facts |= {} if found is None else {"groups": _said(found)}
    if asked.identification:
        facts |= _identification(asked, embedded)
    if asked.enrolled_by is not None and scores is not None:
        facts["enrolled_by"] = _migration(asked.artifact, asked.enrolled_by, embedded, scores, progress)
    for path in (asked.artifact, asked.reference) if embedded.others else ():
        if path is not None:
            first = None if scores is None else judge_all_pairs(scores[path])
            title = "one_threshold" if path == asked.artifact else "one_threshold_of_reference"
            facts[title] = _one_threshold(embedded, path, first)
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


def _of_pairs(asked: Question, pairs: VerificationSet, models: Models, suffix: str) -> Facts:
    """Three protocols and the comparison, by title; `suffix` tells sets apart."""
    scores = {path: cosine_scores(found, pairs.index) for path, found in models.items()}
    own, embeddings = scores[asked.artifact], models[asked.artifact]
    summed = "flip sum" if asked.flip else "no flip"
    facts: Facts = {
        "accuracy": {
            "protocol": f"LFW View 2: {pairs.protocol}; cosine, {summed}",
            **asdict(verification_accuracy(own, pairs.same, pairs.folds)),
        },
        "insightface": asdict(insightface_accuracy(squared_distances(embeddings, pairs.index), pairs.same)),
        "best_threshold": asdict(best_threshold_accuracy(own, pairs.same)),
    }
    if asked.reference is not None:
        comparison = compare(
            own,
            scores[asked.reference],
            pairs.same,
            embeddings,
            models[asked.reference],
            identities=link_identities(pairs.index, pairs.same),
            folds=pairs.folds,
        )
        facts["versus_reference"] = VersusReference.of(str(asked.reference), comparison).model_dump(mode="json")
    return {f"{title}{suffix}": fields for title, fields in facts.items()}


def _compare_all(embedded: Embedded, progress: Progress) -> dict[Path, AllPairScores] | None:
    """Every model on all images of the first set; None where it is unknown whom they show."""
    gallery, models = embedded.gallery, embedded.models[embedded.first.name]
    if gallery is None:
        return None
    with progress.stage("all against all"):
        return {path: compare_all(found, gallery, usable_cores()) for path, found in models.items()}


def _identification(asked: Question, embedded: Embedded) -> Facts:
    """1:N on the images of the first set, of the artifact and of the reference."""
    assert embedded.gallery is not None
    enrolment, models = Enrolment.of(embedded.gallery), embedded.models[embedded.first.name]
    own = search(models[asked.artifact], enrolment)
    if asked.reference is None:
        return {"identification": asdict(judge_identification(own))}
    before = search(models[asked.reference], enrolment)
    return {
        "identification": asdict(judge_identification(own, before)),
        "identification_of_reference": asdict(judge_identification(before)),
    }


def _migration(
    artifact: Path, old: Path, embedded: Embedded, scores: Mapping[Path, AllPairScores], progress: Progress
) -> dict[str, object]:
    """What becomes of templates that an older release enrolled."""
    models = embedded.models[embedded.first.name]
    with progress.stage(f"all against those that {old.name} enrolled"):
        mixed = compare_all(models[artifact], scores[old].gallery, usable_cores(), enrolled=models[old])
        found = judge_migration(Generations(old=scores[old], mixed=mixed, new=scores[artifact]))
    if found.fmr is not None:
        progress.say(
            f"{len(found.enrol_again):,} of {found.people:,} people would be rejected less often if they were enrolled "
            f"again, at a false-match rate of {found.fmr}"
        )
    return {"model": str(old), **asdict(found)}


def _one_threshold(embedded: Embedded, model: Path, first: AllPairs | None) -> dict[str, object]:
    """What a model's thresholds of the first set do on the others, by set and rate."""
    transfers = {}
    if embedded.sets:
        main = embedded.sets[0]
        scores = cosine_scores(embedded.models[main.name][model], main.index)
        transfers = transfer_thresholds(scores, scores, main.same)
    others = {
        pairs.name: (OtherSet(pairs.index, pairs.same, pairs.gallery), embedded.models[pairs.name][model])
        for pairs in embedded.others
    }
    kept = keep_thresholds(first, transfers, others, usable_cores())
    return {name: {rate: found.model_dump() for rate, found in rates.items()} for name, rates in kept.items()}


def _said(found: Record) -> dict[str, object]:
    """What the report says of it, without the curves."""
    return found.model_dump(mode="json", exclude={"det", "histogram"}, exclude_none=True)
