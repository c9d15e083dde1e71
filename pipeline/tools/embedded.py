"""What `evaluate` is asked, and every model's embeddings of the faces that it takes to answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ghostface_edge.calibration.gallery_folder import GalleryFolder
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.embed import Embed
from ghostface_edge.pipeline.stages.face_reader import read_gallery, read_sets
from ghostface_edge.pipeline.support.host import usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.inspection import runtime_of
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.protocols.flip import flip_sum
from ghostface_edge.targets.protocol import Embeddings

Models = Mapping[Path, Embeddings]
"""Every model's embeddings of the same faces."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a user asks of an artifact."""

    artifact: Path
    pairs: tuple[PairsSource, ...] = ()
    """The first is the one of the main figures."""
    gallery: Path | None = None
    """Folder of people's faces that are compared all against all, instead of the images of the first pairs."""
    reference: Path | None = None
    """Artifact to compare with."""
    enrolled_by: Path | None = None
    """Artifact of an older release, whose templates are kept."""
    identification: bool = False
    """Whether probes are searched among many as well, 1:N."""
    flip: bool = False
    """Whether an embedding is the sum of the face's and the mirrored face's."""
    groups: Path | None = None
    """CSV of attributes of people, where there is a reference."""
    on_bad_image: OnBadImage = OnBadImage.ERROR

    @property
    def models(self) -> tuple[Path, ...]:
        """Every artifact that embeds the faces, once."""
        paths = (self.artifact, self.reference, self.enrolled_by)
        return tuple(dict.fromkeys(path for path in paths if path is not None))


@dataclass(frozen=True, slots=True)
class Embedded:
    """The faces of a question, embedded."""

    sets: tuple[VerificationSet, ...]
    folder: GalleryFolder | None
    models: Mapping[str, Models] = field(repr=False)
    """By name of the set or folder."""

    @property
    def first(self) -> VerificationSet | GalleryFolder:
        """What thresholds are chosen on."""
        return self.sets[0] if self.folder is None else self.folder

    @property
    def others(self) -> tuple[VerificationSet, ...]:
        """What they are tried on."""
        return self.sets[1:] if self.folder is None else self.sets

    @property
    def gallery(self) -> Gallery | None:
        """What is compared all against all; None where it is unknown whom the images show."""
        return self.first.gallery


def embed_all(asked: Question, progress: Progress) -> Embedded:
    """Read the faces of a question and embed them with every model, each set decoded once.

    Raises:
        InputError: there are no faces, or an artifact or faces cannot be used.
        ToolError: a runtime failed.
    """
    if not asked.pairs and asked.gallery is None:
        raise InputError("there are no faces to evaluate on", fix="give --pairs, or a folder of people with --gallery")
    artifacts = {path: artifact_of(runtime_of(path), path) for path in asked.models}
    store, folder = Store(), None
    sets = tuple(read_sets(asked.pairs, store, usable_cores(), progress))
    if asked.gallery is not None:
        folder = read_gallery(asked.gallery, asked.on_bad_image, store, progress)
        if folder.name in {pairs.name for pairs in sets}:
            raise InputError(f"the gallery and a set of pairs are called '{folder.name}'", fix="rename the folder")
    first = sets[0] if folder is None else folder
    if (asked.identification or asked.enrolled_by) and first.gallery is None:
        raise InputError(
            f"it is not known who is on the images of {first.path}",
            fix="give a folder of people with --gallery, or lay the pairs.txt beside the .bin",
        )
    with store.scratch() as logs:
        context = StageContext(store, logs, progress, usable_cores())
        models = {
            each.name: _embed(context, artifacts, partial(DecodedFaces.of_pairs, store, each), asked.flip)
            for each in sets
        }
        if folder is not None:
            models[folder.name] = _embed(
                context, artifacts, partial(DecodedFaces.of_gallery, store, folder), asked.flip
            )
    return Embedded(sets, folder, models)


def _embed(
    context: StageContext, artifacts: Mapping[Path, Artifact], faces_of: Callable[..., DecodedFaces], flip: bool
) -> Models:
    def embed(mirrored: bool) -> Models:
        with faces_of(mirrored=mirrored) as faces:
            return {
                path: context.run(Embed(artifact, faces, context.threads, path.name + ", mirrored" * mirrored))
                for path, artifact in artifacts.items()
            }

    found = embed(mirrored=False)
    if not flip:
        return found
    return {path: flip_sum(found[path], other) for path, other in embed(mirrored=True).items()}
