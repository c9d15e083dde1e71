"""What a release must hold: limits per metric and variant, read from policy.yaml.

In: YAML. Out: a frozen `Policy`. Unknown keys and metrics are refused with the nearest known name.
"""

from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import ValidationError, field_validator, model_validator

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.report import first_problem
from ghostface_edge.reports.variant import Record

DEFAULT_FILE = Path(__file__).with_name("policy.default.yaml")


class Metric(StrEnum):
    """What a limit can be set on."""

    ACCURACY = "accuracy"
    AUC = "auc"
    EER = "eer"
    DROP = "drop_pp"
    TAR_DROP = "tar_drop_pp"
    COSINE_MEAN = "cosine_mean"
    COSINE_P01 = "cosine_p01"
    COSINE_MIN = "cosine_min"
    FLIPPED_PAIRS = "flipped_pairs"
    LATENCY_RATIO = "versus_fp32"
    P50_MS = "p50_ms"
    P99_MS = "p99_ms"
    LOAD_MS = "load_ms"
    PEAK_RSS_MB = "peak_rss_mb"
    BYTES = "bytes"
    SIZE_RATIO = "size_ratio"
    INT8_MAC_SHARE = "int8_mac_share"


class Rule(Record):
    """One limit for the variants that match."""

    metric: Metric
    variants: tuple[str, ...]
    """Patterns of variant ids: `*-int8`, `openvino-*`."""
    max: float | None = None
    min: float | None = None
    why: str = ""
    """Shown by `gate --explain`."""

    @field_validator("variants", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.max is None and self.min is None:
            raise ValueError("a rule needs max, min or both")
        return self

    def matches(self, variant_id: str) -> bool:
        """Whether this rule judges the variant."""
        return any(fnmatchcase(variant_id, pattern) for pattern in self.variants)


class Policy(Record):
    """policy.yaml."""

    schema_version: Literal[1]
    name: str
    comparison: tuple[str, ...] = ("*-stock",)
    """Variants kept for comparison: they decide only while no other variant of their runtime and precision is there."""
    rules: tuple[Rule, ...]

    @classmethod
    def read(cls, path: Path = DEFAULT_FILE) -> Self:
        """Read policy.yaml; without a path the default policy.

        Raises:
            InputError: the file is missing, is no YAML, or has a key or value that is not known.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", fix="give a policy.yaml") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is no YAML: {error}", fix="mend the line it names") from error
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise InputError(f"{path}: {first_problem(error)}", fix=_suggestion(error)) from error


def _suggestion(error: ValidationError) -> str:
    """Name the known key or metric nearest to the first one that is not known."""
    problem: Any = error.errors(include_url=False)[0]
    known = [*Policy.model_fields, *Rule.model_fields] if problem["type"] == "extra_forbidden" else list(Metric)
    wrong = str(problem["loc"][-1]) if problem["type"] == "extra_forbidden" else str(problem["input"])
    near = get_close_matches(wrong, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
