"""The face of a photograph looked for in a video or by a camera, frame by frame."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from ghostface_edge.calibration.unusable import unusable_error
from ghostface_edge.pipeline.stages.face_reader import apart
from ghostface_edge.pipeline.support.host import usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.chosen_model import ChosenModel, choose_model
from ghostface_edge.pipeline.tools.film import CODECS, Film
from ghostface_edge.pipeline.tools.match import Comparing, find_detector, threshold_of
from ghostface_edge.pipeline.tools.photographs import find_faces
from ghostface_edge.reports.certainty import Threshold
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import cosines
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker

RECORDED_S = 60
"""Of a camera into a file."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A frame that shows a face."""

    second: float
    score: float
    same: bool | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a video."""

    model: Path
    threshold: Threshold | None
    frames: int
    sightings: tuple[Sighting, ...]
    """In the video's order."""

    @property
    def best(self) -> Sighting | None:
        """The most alike."""
        return max(self.sightings, key=lambda one: one.score, default=None)

    @property
    def same(self) -> int:
        """Frames that reach the threshold."""
        return sum(one.same is True for one in self.sightings)


def match_film(asked: Comparing, camera: int | None, progress: Progress) -> Seen:
    """Compare a photograph with every frame; a camera ends with a key in its window, or after RECORDED_S.

    Args:
        asked: `second` is the video, and not looked at where there is a camera; `show` the annotated file.
        camera: its number.
        progress: told how far it is.

    Raises:
        InputError: a photograph without a face, no video, camera, window, model or detector.
        RuntimeMissingError: the model's runtime is not installed.
        ToolError: a runtime or the video failed.
    """
    if asked.show is not None and asked.show.suffix not in CODECS:
        raise InputError(f"{asked.show} ends in neither {' nor '.join(CODECS)}", fix="name a video file")
    store = Store()
    detector = find_detector(asked.detector, store, progress)
    asked, model = replace(asked, detector=detector), choose_model(asked.model, asked.run)
    threshold = threshold_of(model, asked.fmr)
    with find_faces((asked.first,), detector, asked.choice, store, 1, progress) as found:
        if not found.faces:
            raise unusable_error(found.unusable, 1, "photographs", fix="take one that shows a face")
        face = found.aligned_face(0)[None]
    with _worker(model, store) as worker, apart(Film, store, asked.second) as film:
        enrolled, sightings, frames = worker.embed(face), [], 0
        count, recorded = _open(film, asked, camera), camera is not None and asked.show is not None
        recording = nullcontext() if asked.show is None else replacing(asked.show)
        with recording as partial, progress.stage(f"compare with {asked.second}", count or None) as advance:
            if partial is not None:
                film.record(partial)
            started = time.monotonic()
            while (frame := film.next()) is not None:
                frames += 1
                text, same = "", None
                if frame.face is not None:
                    score = float(cosines(enrolled, worker.embed(film.aligned()))[0])
                    same = None if threshold is None else score >= threshold.cosine
                    text = f"{score:.2f}"
                    sightings.append(Sighting(frame.second, score, same))
                advance(1)
                ended = film.tell(text, same)
                if ended or (recorded and time.monotonic() - started > RECORDED_S):
                    break
            film.close()
    if not frames:
        raise InputError(f"{asked.second} shows no frame", fix="give a video that FFmpeg reads")
    return Seen(model.path, threshold, frames, tuple(sightings))


def _open(film: Film, asked: Comparing, camera: int | None) -> int:
    assert asked.detector is not None
    if camera is None:
        return film.open_file(asked.second, asked.detector, asked.choice)
    film.open_camera(camera, asked.detector, asked.choice, asked.show is None)
    return 0


@contextmanager
def _worker(model: ChosenModel, store: Store) -> Iterator[RuntimeWorker]:
    """The model for one face at a time."""
    with store.scratch() as logs, LOCAL.open(RuntimeWorker, model.runtime, log=logs / "match.log") as worker:
        worker.load(model.path, usable_cores(), 1)
        yield worker
