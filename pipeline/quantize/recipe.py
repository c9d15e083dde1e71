"""Runs a quantization recipe: prepared float32 ONNX and calibration faces to a QDQ model and a report."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ghostface_edge.pipeline.quantize.correct import correct_biases, round_parameters
from ghostface_edge.pipeline.quantize.distill import distill
from ghostface_edge.pipeline.quantize.faces import SplitFaces, split_faces
from ghostface_edge.pipeline.quantize.macs import int8_share
from ghostface_edge.pipeline.quantize.mixed import search_mixed
from ghostface_edge.pipeline.quantize.options import RECIPES, MixedOptions, Recipe, load_recipe, parse_recipe
from ghostface_edge.pipeline.quantize.ranges import activation_params, find_ranges, range_stability
from ghostface_edge.pipeline.quantize.report import (
    FULL_INTEGER,
    CurvePoint,
    QuantizationReport,
    RoundingLoss,
    TensorRange,
)
from ghostface_edge.pipeline.quantize.sensitivity import rank_sensitivity, sqnr_db
from ghostface_edge.pipeline.simulation.determinism import deterministic, training_device
from ghostface_edge.pipeline.simulation.placement import QuantizerPlacement, place_quantizers
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.qdq_writing import write_qdq
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.pipeline.simulation.reading import load_metadata, load_program
from ghostface_edge.pipeline.simulation.simulate import cosines, simulate
from ghostface_edge.pipeline.simulation.statistics import ChannelRange, observe_ranges
from ghostface_edge.targets.protocol import Embeddings, Faces
from ghostface_edge.targets.quant_params import QuantParams

__all__ = ["RECIPES", "Recipe", "load_recipe", "parse_recipe", "quantize"]

Progress = Callable[[str, float], None]
_WORKERS = 2
"""Of distillation; all else runs on one thread, whose order of sums no machine changes."""
_STABILITY_FACES = 128
_SUBSETS = 4
"""Of these faces, disjoint."""
_FEWEST_RANKING_FACES = 16
"""That mixed precision ranks tensors on, even where a recipe wants no table."""


def quantize(
    model: Path, faces: Faces, recipe: Recipe, qdq: Path, *, seed: int, progress: Progress
) -> QuantizationReport:
    """Quantize a prepared model.

    Args:
        model: float32 ONNX in canonical form, prepared.
        faces: RGB uint8 (N, S, S, 3); a tenth, at most 128, is held out for measuring.
        recipe: what to do.
        qdq: where the QDQ ONNX goes; where tensors are kept in higher precision, `FULL_INTEGER` is written
            beside it.
        seed: of sampling and of training.
        progress: told a step's name and the share of it done.

    Raises:
        InputError: faces too few or constant, NaN or infinite weights, an operator that cannot be simulated.
    """
    program = load_program(model)
    with deterministic(threads=1):
        split = split_faces(program, faces, seed=seed)
        return _Run(program, load_metadata(model), place_quantizers(program), split, recipe, seed, progress).to(qdq)


@dataclass(frozen=True, slots=True)
class _Run:
    """One quantization in progress."""

    program: Program
    metadata: Mapping[str, str]
    placement: QuantizerPlacement
    faces: SplitFaces
    recipe: Recipe
    seed: int
    progress: Progress

    def to(self, qdq: Path) -> QuantizationReport:
        program, recipe, reference = self.program, self.recipe, self.faces.reference
        curve: list[CurvePoint] = []
        ranges = find_ranges(
            program,
            self.placement,
            self.calibration(recipe.ranges.faces),
            recipe.ranges.method,
            percentile=recipe.ranges.percentile,
            seed=self.seed,
            progress=self.step("ranges"),
        )
        activations = activation_params(self.placement, ranges)
        quantized = round_parameters(program, activations)
        curve.append(self.point(f"{recipe.ranges.method.value} ranges", quantized, reference))
        if recipe.correction.biases:
            faces = self.calibration(recipe.correction.faces)
            quantized = correct_biases(program, activations, faces, self.step("correct biases"))
            curve.append(self.point("bias correction", quantized, reference))
        warnings = list(self.faces.warnings)
        trained = False
        if recipe.distillation is not None:
            device = training_device()
            student = distill(
                program,
                quantized,
                self.placement,
                self.faces.calibration,
                recipe.distillation,
                seed=self.seed,
                threads=_WORKERS if device.type == "cpu" else 1,
                device=device,
                progress=self.step("distill"),
            )
            point = self.point(f"distillation, {recipe.distillation.steps} steps", student, reference)
            trained = point.cosine_mean > curve[-1].cosine_mean
            if trained:
                quantized = student
                curve.append(point)
            else:
                warnings.append(
                    f"distillation gave cosine {point.cosine_mean:.4f} on held-out faces, less than the "
                    f"{curve[-1].cosine_mean:.4f} it started from, and was dropped: more faces or a lower "
                    "learning_rate may help"
                )
        ranking = self.sensitivity(quantized)
        method = "distilled" if trained else "balanced"
        report = self.report(quantized, curve, ranking, method, warnings)
        self.write(quantized, qdq)
        if recipe.mixed is None:
            return report
        return self.mix(recipe.mixed, quantized, report, reference, qdq)

    def mix(
        self,
        options: MixedOptions,
        quantized: QuantizedProgram,
        full_integer: QuantizationReport,
        reference: Embeddings,
        qdq: Path,
    ) -> QuantizationReport:
        """Keep tensors in higher precision; the full-integer model moves beside the new one."""
        mixed = search_mixed(
            self.program,
            quantized,
            self.placement,
            full_integer.sensitivity,
            self.faces.held_out,
            reference,
            cosine=options.cosine,
            least_int8_share=options.least_int8_share,
            progress=self.step("mixed precision"),
        )
        warnings = full_integer.warnings
        if not mixed.reached:
            warnings += (
                f"mixed precision reached cosine {mixed.cosine:.4f} on held-out faces, less than the {options.cosine} "
                f"asked for: no further tensor helps with {options.least_int8_share:.0%} of the multiply-accumulates "
                "in INT8",
            )
        if not mixed.kept:
            return replace(full_integer, warnings=warnings)
        qdq.replace(qdq.with_name(FULL_INTEGER))
        self.write(mixed.quantized, qdq)
        kept = tuple(value for group in mixed.kept for value in self.placement.members(group))
        point = self.point(f"{len(mixed.kept)} tensors in higher precision", mixed.quantized, reference)
        return replace(
            full_integer,
            cosine_mean=point.cosine_mean,
            curve=(*full_integer.curve, point),
            ranges=_tensor_ranges(mixed.quantized.activations),
            higher_precision=kept,
            int8_mac_share=int8_share(mixed.quantized, self.faces.held_out.shape[1]),
            warnings=warnings,
            full_integer=full_integer,
        )

    def write(self, quantized: QuantizedProgram, qdq: Path) -> None:
        write_qdq(quantized, qdq, image_size=self.faces.held_out.shape[1], metadata=self.metadata)

    def calibration(self, count: int) -> Faces:
        return self.faces.calibration[:count]

    def step(self, name: str) -> Callable[[float], None]:
        return lambda share: self.progress(name, share)

    def point(self, step: str, quantized: QuantizedProgram, reference: Embeddings) -> CurvePoint:
        embeddings = simulate(quantized, self.faces.held_out)
        agreement = cosines(embeddings, reference)
        return CurvePoint(
            step, float(agreement.mean()), float(np.percentile(agreement, 1)), sqnr_db(embeddings, reference)
        )

    def sensitivity(self, quantized: QuantizedProgram) -> tuple[RoundingLoss, ...]:
        count = self.recipe.sensitivity_faces
        if self.recipe.mixed is not None:
            count = max(count, _FEWEST_RANKING_FACES)
        if not count:
            return ()
        faces = self.calibration(count)
        return rank_sensitivity(self.program, quantized, self.placement, faces, self.step("sensitivity"))

    def report(
        self,
        quantized: QuantizedProgram,
        curve: list[CurvePoint],
        ranking: tuple[RoundingLoss, ...],
        method: str,
        warnings: list[str],
    ) -> QuantizationReport:
        faces = self.calibration(_STABILITY_FACES)
        subsets = [observe_ranges(self.program, faces[part::_SUBSETS]) for part in range(_SUBSETS)]
        return QuantizationReport(
            method=method,
            recipe=self.recipe.name,
            held_out_faces=len(self.faces.held_out),
            cosine_mean=curve[-1].cosine_mean,
            curve=tuple(curve),
            ranges=_tensor_ranges(quantized.activations),
            range_stability=range_stability(self.placement, subsets),
            higher_precision=(),
            int8_mac_share=int8_share(quantized, faces.shape[1]),
            sensitivity=ranking,
            dead_channels=_dead_channels(self.program, subsets),
            warnings=tuple(warnings),
        )


def _tensor_ranges(activations: Mapping[str, QuantParams]) -> tuple[TensorRange, ...]:
    return tuple(
        TensorRange(name, params.low, params.high, params.scale, params.zero_point)
        for name, params in activations.items()
    )


def _dead_channels(program: Program, subsets: Sequence[Mapping[str, ChannelRange]]) -> dict[str, int]:
    """Channels of convolutions that never change in any of the subsets, nor between them, by tensor."""
    dead = {}
    for step in program.convolutions():
        spread = np.max([ranges[step.output].high for ranges in subsets], 0) - np.min(
            [ranges[step.output].low for ranges in subsets], 0
        )
        count = int((spread <= 1e-6 * spread.max()).sum())
        if count:
            dead[step.output] = count
    return dead
