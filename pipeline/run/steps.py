"""The main job as steps, each made of what decides it, so that jobs which agree in that can share it.

In: a job. Out: its steps; a `Bench` takes them, each once. What a step needs are its own fields, so that the graph of a
job's steps is written down nowhere else. All that is computed lies in the store: a step that was taken in one process
is found there by the next.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar, Protocol, Self, TypeVar, cast

from ghostface_edge.calibration.leaks import OnLeak
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.run.inputs import most_diverse, read_inputs, without_leaks
from ghostface_edge.pipeline.run.job import Inputs, Job, NamedFaces
from ghostface_edge.pipeline.run.reference import Reference, embed_reference
from ghostface_edge.pipeline.run.variant_build import Built, Failed, Ingredients, build_variant
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.export import Export, ExportedModel
from ghostface_edge.pipeline.stages.quantize import QdqModel, Quantize
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.shared_store import SharedStore
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import InputType, Precision
from ghostface_edge.targets.table import VariantId

Outcome = TypeVar("Outcome")
Outcome_co = TypeVar("Outcome_co", covariant=True)


class Step(Protocol[Outcome_co]):
    """A part of a job; frozen."""

    name: ClassVar[str]
    is_light: ClassVar[bool]
    """Whether it is not worth a task of its own."""

    def take(self, bench: "Bench") -> Outcome_co:
        """Do it; what it needs is asked of the bench."""
        ...


def needs(step: Step[object]) -> Iterator[Step[object]]:
    """The steps that a step is made of; in place of a light one what that is made of."""
    for field in fields(step):  # type: ignore[arg-type] # steps are dataclasses
        value = getattr(step, field.name)
        if hasattr(value, "is_light"):
            yield from needs(value) if value.is_light else (value,)


class Bench:
    """Takes steps, each once; a context that keeps what they opened until it ends.

    Args:
        context: what stages share.
        opened: faces that somebody else opened and keeps open.
    """

    def __init__(self, context: StageContext, opened: "Mapping[OpenFaces, Opened] | None" = None) -> None:
        self.context = context
        self.stack = ExitStack()
        self.taken: dict[Step[object], object] = dict((opened or {}).items())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def take(self, step: Step[Outcome]) -> Outcome:
        """What comes of a step."""
        if step not in self.taken:
            self.taken[step] = step.take(self)
        return cast("Outcome", self.taken[step])


@dataclass(frozen=True, slots=True)
class Opened:
    """Pairs, gallery and calibration faces, read; and the first two decoded where that is needed."""

    inputs: Inputs
    faces: Mapping[str, DecodedFaces]
    """By name of the verification set or gallery."""


@dataclass(frozen=True, slots=True)
class OpenFaces:
    """Read all faces, aligned if that is needed."""

    name: ClassVar[str] = "faces"
    is_light: ClassVar[bool] = False
    named: NamedFaces

    def take(self, bench: Bench) -> Opened:
        store = bench.context.store
        inputs = read_inputs(self.named, bench.context)
        faces = {pairs.name: DecodedFaces.of_pairs(store, pairs) for pairs in inputs.sets}
        if inputs.gallery is not None:
            faces[inputs.gallery.name] = DecodedFaces.of_gallery(store, inputs.gallery)
        for each in faces.values():
            bench.stack.enter_context(each)
        return Opened(inputs, faces)


@dataclass(frozen=True, slots=True)
class ExportModel:
    """The checkpoint's ONNX."""

    name: ClassVar[str] = "export"
    is_light: ClassVar[bool] = False
    checkpoint: Path
    faces: OpenFaces

    def take(self, bench: Bench) -> ExportedModel:
        return bench.context.run(Export(self.checkpoint, bench.take(self.faces).inputs.calibration))


@dataclass(frozen=True, slots=True)
class ChooseFaces:
    """The calibration faces that are used; of a pool where they shall differ most to the network."""

    name: ClassVar[str] = "choose"
    is_light: ClassVar[bool] = True
    export: ExportModel

    def take(self, bench: Bench) -> Inputs:
        named, inputs = self.export.faces.named, bench.take(self.export.faces).inputs
        if named.sampling is not SamplingMethod.DIVERSE:
            return inputs
        model = bench.take(self.export)
        chosen = most_diverse(inputs.calibration, named.calibration_faces, named.seed, model, bench.context)
        return replace(inputs, calibration=chosen)


@dataclass(frozen=True, slots=True)
class EmbedReference:
    """The float network's embeddings, and who of the calibration faces is among the pairs."""

    name: ClassVar[str] = "reference"
    is_light: ClassVar[bool] = False
    chosen: ChooseFaces
    nobody_shared: bool

    def take(self, bench: Bench) -> Reference:
        export = self.chosen.export
        model, faces = bench.take(export), bench.take(export.faces).faces
        return embed_reference(model, bench.take(self.chosen), faces, bench.context, nobody_shared=self.nobody_shared)


@dataclass(frozen=True, slots=True)
class ExcludeLeaks:
    """The faces without calibration faces of people who are in the pairs."""

    name: ClassVar[str] = "leaks"
    is_light: ClassVar[bool] = True
    reference: EmbedReference
    on_leak: OnLeak
    allowed: tuple[str, ...]

    def take(self, bench: Bench) -> Inputs:
        inputs, leaks = bench.take(self.reference.chosen), bench.take(self.reference).leaks
        return without_leaks(inputs, leaks, self.on_leak, self.allowed, bench.context.progress)


@dataclass(frozen=True, slots=True)
class QuantizeModel:
    """The QDQ model of all INT8 variants; a failure is theirs, not the run's."""

    name: ClassVar[str] = "quantize"
    is_light: ClassVar[bool] = False
    kept: ExcludeLeaks
    recipe: Recipe
    seed: int

    def stage(self, bench: Bench) -> Quantize:
        """Of the store."""
        model = bench.take(self.kept.reference.chosen.export)
        return Quantize(model.path, bench.take(self.kept).calibration, self.recipe, self.seed)

    def take(self, bench: Bench) -> QdqModel | ToolError:
        progress = bench.context.progress
        stage = self.stage(bench)
        try:
            model = bench.context.run(stage)
        except ToolError as error:
            return error
        for warning in model.report.warnings:
            progress.warn(warning)
        for point in model.report.curve:
            progress.say(f"  after {point.step}: cosine to FP32 {point.cosine_mean:.4f} on held-out faces")
        return model


@dataclass(frozen=True, slots=True)
class BuildVariant:
    """A variant that embeds every face of the pairs, or why there is none."""

    name: ClassVar[str] = "variant"
    is_light: ClassVar[bool] = False
    variant: VariantId
    kept: ExcludeLeaks
    quantize: QuantizeModel | None
    """None where the runtime's own tools make it."""
    input_type: InputType
    latency_threads: int

    def take(self, bench: Bench) -> Built | Failed:
        reference, quantize = self.kept.reference, self.quantize
        given = Ingredients(
            model=bench.take(reference.chosen.export),
            calibration=bench.take(self.kept).calibration,
            quantize=None if quantize is None else quantize.stage(bench),
            quantized=None if quantize is None else bench.take(quantize),
            input_type=self.input_type,
            latency_threads=self.latency_threads,
            faces=bench.take(reference.chosen.export.faces).faces,
            reference=bench.take(reference).embeddings,
        )
        return build_variant(self.variant, given, bench.context)


@dataclass(frozen=True, slots=True)
class Steps:
    """Those of one job."""

    faces: OpenFaces
    export: ExportModel
    chosen: ChooseFaces
    reference: EmbedReference
    kept: ExcludeLeaks
    quantize: QuantizeModel | None
    """None where no variant needs it."""
    variants: tuple[BuildVariant, ...]
    """In the order of the report."""


def steps_of(job: Job) -> Steps:
    """The steps of a job."""
    faces = OpenFaces(job.faces)
    export = ExportModel(job.checkpoint, faces)
    chosen = ChooseFaces(export)
    reference = EmbedReference(chosen, job.nobody_shared)
    kept = ExcludeLeaks(reference, job.on_leak, job.allowed_leaks)
    quantize = QuantizeModel(kept, job.recipe, job.seed)
    ours = [one for one in job.variants if one.precision is Precision.INT8 and not one.is_stock]
    variants = tuple(
        BuildVariant(one, kept, quantize if one in ours else None, job.input_type, job.latency_threads)
        for one in job.variants
    )
    return Steps(faces, export, chosen, reference, kept, quantize if ours else None, variants)


def context_of(job: Job, store: Store, progress: Progress, shared: SharedStore | None = None) -> StageContext:
    """What the stages of a job share."""
    return StageContext(
        store,
        job.out / "logs",
        progress,
        job.cores,
        limits=job.recipe.limits,
        shared=shared,
        beside_other_work=job.beside_other_work,
    )
