"""Pairs and calibration faces of a job; what a user can get wrong is found here, before any work."""

from dataclasses import replace
from pathlib import Path

from ghostface_edge.calibration.faces import CalibrationSet, sample
from ghostface_edge.calibration.leaks import LeakReport, OnLeak, exclude_leaks, refuse_leaks
from ghostface_edge.calibration.pairs_source import sources
from ghostface_edge.calibration.people_file import people_of
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.pipeline.run.job import Inputs, Job, NamedFaces
from ghostface_edge.pipeline.stages.artifacts import artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.embed import Embed
from ghostface_edge.pipeline.stages.export import ExportedModel
from ghostface_edge.pipeline.stages.face_reader import read_gallery, read_sets, sample_faces
from ghostface_edge.pipeline.stages.quality import CountPoorFaces
from ghostface_edge.pipeline.stages.render import RenderFaces
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import write_text
from ghostface_edge.targets.protocol import InputType, Precision
from ghostface_edge.targets.table import load_target

_POOL = 10_000


def check_input_type(job: Job) -> None:
    """Refuse a choice of input that no variant has.

    Raises:
        InputError: it would come to nothing.
    """
    ours = [one for one in job.variants if one.precision is Precision.INT8 and not one.is_stock]
    if job.input_type is not InputType.INT8 and not any(
        job.input_type in load_target(one.runtime).input_types[1:] for one in ours
    ):
        raise InputError(f"no variant has a choice of input, such as {job.input_type}", fix="add tflite-int8")


def read_inputs(named: NamedFaces, context: StageContext) -> Inputs:
    """Read pairs and calibration faces; for diverse sampling the pool that `most_diverse` chooses from.

    Raises:
        InputError: something cannot be used.
    """
    store, progress, pairs, calibration = context.store, context.progress, named.pairs, named.calibration
    if calibration is None:
        rendered, calibration = replace(context, ran=[]).run(RenderFaces(named.seed))
        pairs = sources([rendered])
    sets, gallery = read_sets(pairs, store, context.threads, progress), None
    if named.gallery is not None:
        gallery = read_gallery(named.gallery, named.on_bad_image, store, progress)
        if gallery.name in {pairs.name for pairs in sets}:
            raise InputError(f"the gallery and a set of pairs are called '{gallery.name}'", fix="rename the folder")
    people = None if named.groups is None else people_of(gallery or sets[0], named.groups)
    if named.sampling is SamplingMethod.DIVERSE:
        chosen = sample_faces(calibration, _POOL, named.seed, store)
    else:
        chosen = sample_faces(calibration, named.calibration_faces, named.seed, store, named.sampling)
    return Inputs(tuple(sets), chosen, gallery, people)


def most_diverse(
    pool: CalibrationSet, count: int, seed: int, model: ExportedModel, context: StageContext
) -> CalibrationSet:
    """The faces of a pool whose embeddings differ most."""
    artifact = artifact_of("onnxruntime", model.path)
    with DecodedFaces.of_calibration(context.store, pool) as faces:
        embeddings = context.run(Embed(artifact, faces, context.threads, "reference on the calibration pool"))
    return sample(pool.files, count, seed, method=SamplingMethod.DIVERSE, embeddings=embeddings)


def without_leaks(
    inputs: Inputs, leaks: LeakReport, on_leak: OnLeak, allowed: tuple[str, ...], progress: Progress
) -> Inputs:
    """Inputs whose calibration shows nobody of the pairs but those whom the user allowed by name.

    Raises:
        InputError: leaks are refused, or no calibration face is left.
    """
    if on_leak is OnLeak.REFUSE:
        refuse_leaks(leaks, allowed)
        return inputs
    calibration = exclude_leaks(inputs.calibration, leaks, allowed)
    left_out = inputs.calibration.people - calibration.people
    for leak in leaks.leaks:
        if leak.identity in left_out:
            progress.say(f"left out of calibration: {leak}")
    return replace(inputs, calibration=calibration)


def describe_calibration(calibration: CalibrationSet, out: Path, context: StageContext) -> None:
    """Write down which faces are used, and say how many of them are poor."""
    write_text(out / "models" / "calibration.sha256", calibration.listing)
    flags = context.run(CountPoorFaces(calibration))
    if flags:
        counts = ", ".join(f"{count} {flag}" for flag, count in flags.items())
        context.progress.say(f"calibration faces of low quality: {counts} of {len(calibration.files)}")
