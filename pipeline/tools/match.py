"""One photograph against another, or against a folder: how alike their faces are, and what a run knows of such scores.

In: photographs and a model. Out: scores as `evaluate` computes them, a decision, and how often the run's strangers
score as high. Nothing of the photographs is kept.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.detector import Choice
from ghostface_edge.calibration.unusable import unusable_error
from ghostface_edge.pipeline.stages.embed import BATCH, STEP
from ghostface_edge.pipeline.support.host import usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.chosen_model import ChosenModel, choose_model
from ghostface_edge.pipeline.tools.fetch import DOWNLOADS, fetched
from ghostface_edge.pipeline.tools.matching import Evidence, Match, Matching
from ghostface_edge.pipeline.tools.photographs import Found, find_faces, photos_at
from ghostface_edge.pipeline.tools.shown_match import check_show, write_shown
from ghostface_edge.pipeline.tools.sources import find
from ghostface_edge.reports.certainty import Threshold, certainty, threshold_at
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Embeddings

_CHANCES = 0.1
"""Strangers taken for the same person, on average, from which that is said."""


@dataclass(frozen=True, slots=True)
class Comparing:
    """What a user asks for."""

    first: Path
    """A photograph."""
    second: Path
    """Another, or a folder of them."""
    model: Path | None = None
    """None: the run's INT8."""
    run: Path | None = None
    """A run's folder; None: the model's, or `out`."""
    detector: Path | None = None
    """None: as fetched."""
    choice: Choice = Choice.LARGEST
    fmr: str | None = None
    """Of the threshold; None: the usual one."""
    show: Path | None = None
    """Page or picture to write, `.html` or `.png`."""


def match(asked: Comparing, progress: Progress) -> Matching:
    """Find, align, embed and compare.

    Raises:
        InputError: a photograph that cannot be used or shows no face, no model, no detector, or a false-match rate that
            the run does not tell.
        RuntimeMissingError: the model's runtime is not installed.
        ToolError: a runtime or reading the photographs failed.
    """
    check_show(asked.show)
    store = Store()
    if asked.first.is_dir():
        raise InputError(f"{asked.first} is a folder", fix="name a photograph first, the folder second")
    photos = (asked.first, *(photo for photo in photos_at(asked.second) if not _is(photo, asked.first)))
    if len(photos) == 1:
        raise InputError(f"{asked.first} would be compared with itself", fix="name another photograph, or a folder")
    detector = find_detector(asked.detector, store, progress)
    model = choose_model(asked.model, asked.run)
    threshold = threshold_of(model, asked.fmr)
    with find_faces(photos, detector, asked.choice, store, usable_cores(), progress) as found:
        _require_faces(found, asked)
        embeddings = embed(model, found, store)
        matching = _matching(model, threshold, found, embeddings, asked.choice)
        if asked.show is not None:
            rates = None if model.variant is None else model.variant.all_pairs
            write_shown(asked.show, found, matching, None if rates is None else rates.histogram)
    return matching


def find_detector(given: Path | None, store: Store, progress: Progress) -> Path:
    """YuNet as the user names it, or as it was fetched.

    Raises:
        InputError: neither.
    """
    there = given or fetched(find("yunet"), cache=store.root / DOWNLOADS, seal=store.seal, say=progress.say)
    if there is None:
        raise InputError(
            "there is no face detector: no package ships YuNet, and it was not fetched yet",
            fix="fetch it once with `ghostface-edge fetch yunet` (230 KB, MIT license), or with --from FOLDER where "
            "there is no network; or name its file with --detector",
        )
    return there


def threshold_of(model: ChosenModel, fmr: str | None) -> Threshold | None:
    """What decides: by false-match rate where the run tells one, else what was right most often on its pairs.

    Raises:
        InputError: a rate is insisted on that the run does not tell.
    """
    variant = model.variant
    if variant is not None and variant.all_pairs is not None:
        by_rate = threshold_at(variant.all_pairs, fmr)
        if by_rate is not None:
            return by_rate
    elif fmr is not None:
        raise InputError(
            f"no run tells a false-match rate of {model.path}",
            fix="name the folder of a run that does with --run, or leave --fmr out",
        )
    if variant is None or variant.accuracy is None:
        return None
    return Threshold(cosine=variant.accuracy.threshold, fmr=None)


def embed(model: ChosenModel, found: Found, store: Store) -> Embeddings:
    """Float32 (N, E) of the faces found, in batches as `evaluate` has them, so that bits are the same."""
    with store.scratch() as logs, LOCAL.open(RuntimeWorker, model.runtime, log=logs / "match.log") as worker:
        worker.load(model.path, usable_cores(), BATCH)
        return np.concatenate([worker.embed(faces) for faces in found.aligned(STEP)])


def _require_faces(found: Found, asked: Comparing) -> None:
    """Refuse a photograph that was named by itself and shows no face; in a folder some may."""
    named = [asked.first, *([] if asked.second.is_dir() else [asked.second])]
    without = [one for one in found.unusable if Path(one.where) in named]
    if without or len(found.faces) < 2:
        raise unusable_error(
            without or found.unusable,
            len(named) if without else len(found.unusable) + len(found.faces),
            "photographs",
            fix="take JPEG or PNG photographs, in colour, that show a face from the front, upright and not too small",
        )


def _matching(
    model: ChosenModel, threshold: Threshold | None, found: Found, embeddings: Embeddings, choice: Choice
) -> Matching:
    others = np.arange(1, len(embeddings))
    scores = cosine_scores(embeddings, np.stack((np.zeros_like(others), others), axis=1)).tolist()
    rates = None if model.variant is None else model.variant.all_pairs
    matches = [
        Match(
            face,
            score,
            None if threshold is None else score >= threshold.cosine,
            certainty(rates, score) if rates is not None and rates.det else None,
        )
        for face, score in zip(found.faces[1:], scores, strict=True)
    ]
    return Matching(
        model=model.path,
        threshold=threshold,
        evidence=_evidence(model),
        face=found.faces[0],
        matches=tuple(sorted(matches, key=lambda one: -one.score)),
        unusable=found.unusable,
        notes=tuple(_notes(model, found, choice, threshold)),
    )


def _evidence(model: ChosenModel) -> Evidence | None:
    if model.variant is None or model.report is None or model.variant.all_pairs is None:
        return None
    data, rates = model.report.data, model.variant.all_pairs
    counted_on = data.pairs.name if data.gallery is None else data.gallery.name
    return Evidence(counted_on, rates.images, rates.people, model.variant.id)


def _notes(model: ChosenModel, found: Found, choice: Choice, threshold: Threshold | None) -> list[str]:
    notes = []
    if model.knows_rendered_people_only:
        notes.append("this network was trained on rendered people alone: photographs of real ones mean little to it")
    for face in found.faces:
        if face.others:
            notes.append(f"{face.photo.name} shows {len(face.others) + 1} faces: the {choice} was taken")
        if face.flags:
            notes.append(f"the face in {face.photo.name} is a poor picture: {', '.join(face.flags)}")
    strangers = len(found.faces) - 1
    if threshold is not None and threshold.fmr is not None and float(threshold.fmr) * strangers >= _CHANCES:
        notes.append(
            f"of {strangers:,} strangers' photographs about {float(threshold.fmr) * strangers:.2g} reach this threshold"
        )
    return notes


def _is(photo: Path, other: Path) -> bool:
    return photo.exists() and other.exists() and photo.samefile(other)
