"""Quantization recipes: one frozen model per stage, parsed once.

In: a mapping (of a YAML file) or a built-in name. Out: a `Recipe`. Unknown keys and values out of range are refused
with what was expected.
"""

import difflib
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ghostface_edge.pipeline.support.options import parse_options
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.yaml_file import read_mapping

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RangeMethod(StrEnum):
    """How a tensor's range is chosen."""

    MIN_MAX = "min-max"
    """Everything seen."""
    PERCENTILE = "percentile"
    """Everything but an equal share at both ends."""
    SQNR = "sqnr"
    """Where rounding and cutting together give the least squared error of the tensor."""
    SENSITIVITY = "sensitivity"
    """Where they give the least squared error of the embedding."""


class RangeOptions(_Options):
    """How activation ranges are found."""

    method: RangeMethod = RangeMethod.SENSITIVITY
    percentile: Annotated[float, Field(gt=50.0, le=100.0)] = 99.99
    """Share of values that `method: percentile` keeps, in percent."""
    faces: Count = 256


class CorrectionOptions(_Options):
    """How rounding is made up for without training."""

    biases: bool = True
    faces: Count = 256


class DistillationOptions(_Options):
    """How weights, slopes and step sizes are trained to give the float network's embeddings."""

    steps: Count = 600
    batch: Count = 32
    learning_rate: Positive = 1.5e-3
    """Of weights and biases in units of their channel: 0.15 % of a weight's usual size per step."""
    range_rate: Positive = 1.0
    """Learning rate of the logarithms of the ranges, as a multiple of `learning_rate`."""
    relative_error: Share = 0.1
    """Weight of the relative squared error beside 1 - cosine."""


class MixedOptions(_Options):
    """Which tensors may stay in higher precision."""

    cosine: Share
    """Mean cosine to float on held-out faces to reach."""
    least_int8_share: Share = 0.95
    """Of the multiply-accumulates."""


class LatencyOptions(_Options):
    """Which layers may compute in float because that is faster on this host."""

    cosine: Share = 0.97
    """Mean cosine to float on held-out faces that has to be kept."""
    size: Share = 0.5
    """Bytes of the artifact, as a share of FP32's, that it may have."""


class Limit(_Options):
    """What one request to a child process of a stage may take."""

    minutes: Positive = 30.0
    memory_mb: Annotated[int, Field(ge=256)] = 8192
    """Of the process and what it starts."""

    @property
    def timeout_s(self) -> float:
        """The same time."""
        return self.minutes * 60.0


class LimitOptions(_Options):
    """What stages may take; a stage that wants more is ended. They decide no outcome, only whether there is one."""

    export: Limit = Limit()
    convert: Limit = Limit()
    quantize: Limit = Limit(minutes=240.0)
    lower: Limit = Limit()
    embed: Limit = Limit()
    """A request: up to 512 faces."""
    inspect: Limit = Limit(minutes=10.0)
    latency: Limit = Limit(minutes=10.0)
    """A request: loading one artifact, or 25 inferences."""
    profile: Limit = Limit(minutes=10.0)
    firmware: Limit = Limit(minutes=120.0)
    precision_search: Limit = Limit()
    """A request: lowering or timing one mix of precisions."""


class Recipe(_Options):
    """All that decides how a network becomes INT8, and what that may take."""

    name: str = "balanced"
    ranges: RangeOptions = RangeOptions()
    correction: CorrectionOptions = CorrectionOptions()
    distillation: DistillationOptions | None = None
    """None: no training."""
    mixed: MixedOptions | None = None
    """None: every tensor is INT8."""
    latency: LatencyOptions | None = None
    """None: what computes in float is not decided by the clock."""
    sensitivity_faces: Annotated[int, Field(ge=0)] = 32
    """Faces that the sensitivity table is measured on; 0 leaves it out."""
    limits: LimitOptions = LimitOptions()

    @property
    def decisive(self) -> dict[str, object]:
        """What an outcome depends on, as JSON values: all but the limits."""
        return self.model_dump(mode="json", exclude={"limits"})

    @property
    def of_the_model(self) -> dict[str, object]:
        """What the QDQ model depends on: neither the recipe's name, nor what the clock decides with it afterwards."""
        return {key: value for key, value in self.decisive.items() if key not in {"name", "latency"}}


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "balanced": Recipe(),
        "best": Recipe(name="best", distillation=DistillationOptions()),
        "fast": Recipe(name="fast", latency=LatencyOptions()),
    }
)


def parse_recipe(content: Mapping[str, object], origin: str) -> Recipe:
    """Check a mapping and freeze it; `origin` names it in errors.

    Raises:
        InputError: an unknown key, with the nearest known one, or a value that does not fit.
    """
    return parse_options(Recipe, content, origin, "recipe")


def load_recipe(source: str) -> Recipe:
    """A built-in recipe by name, or one from a YAML file.

    Raises:
        InputError: no such name or file, or content that is no recipe.
    """
    if source in RECIPES:
        return RECIPES[source]
    path = Path(source)
    if not os.path.lexists(path):
        near = difflib.get_close_matches(source, RECIPES, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"use {' or '.join(RECIPES)}, or a YAML file"
        raise InputError(f"no quantization recipe `{source}`", fix=hint)
    return parse_recipe(read_mapping(path, fix="name a built-in recipe or a YAML file"), str(path))
