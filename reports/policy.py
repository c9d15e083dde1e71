"""What a release must hold: limits per metric, set and variant, read from policy.yaml.

In: YAML. Out: a frozen `Policy`. Unknown keys and metrics are refused with the nearest known name.
`policy.schema.json` is generated from these models.
"""

import json
import os
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from ghostface_edge.reports.all_against_all import FMRS
from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.record import Record, Text, first_problem
from ghostface_edge.reports.variant import Variant
from ghostface_edge.reports.verdicts import Clause, Source, Waiver
from ghostface_edge.reports.yaml_file import read_mapping

SHIPPED: Final = ("default", "nist-800-63b", "android-class", "iso-19795-1")
"""Names of the policies beside this module."""
DEFAULT_FILE = Path(__file__).with_name("policy.default.yaml")
SCHEMA_FILE = Path(__file__).with_name("policy.schema.json")
_SCHEMA_SAYS = "see policy.schema.json for what a policy may hold"


class Metric(StrEnum):
    """What a limit can be set on."""

    ACCURACY = "accuracy"
    AUC = "auc"
    EER = "eer"
    TAR = "tar_at_far"
    DROP = "drop_pp"
    TAR_DROP = "tar_drop_pp"
    FMR = "fmr"
    FNMR = "fnmr_at_fmr"
    FNMR_RISE = "fnmr_rise_pp"
    COSINE_MEAN = "cosine_mean"
    COSINE_P01 = "cosine_p01"
    COSINE_MIN = "cosine_min"
    FLIPPED_PAIRS = "flipped_pairs"
    FROZEN_FAR = "frozen_far"
    FROZEN_FRR = "frozen_frr"
    LATENCY_RATIO = "versus_fp32"
    P50_MS = "p50_ms"
    P99_MS = "p99_ms"
    LOAD_MS = "load_ms"
    PEAK_RSS_MB = "peak_rss_mb"
    BYTES = "bytes"
    SIZE_RATIO = "size_ratio"
    INT8_MAC_SHARE = "int8_mac_share"
    DEVICE_DROP = "device_drop_pp"
    """Accuracy lost on the way from this host to a device."""


AT_A_FAR = frozenset({Metric.TAR, Metric.TAR_DROP, Metric.FROZEN_FAR, Metric.FROZEN_FRR})
"""Metrics that need a `far`."""
AT_AN_FMR = frozenset({Metric.FMR, Metric.FNMR, Metric.FNMR_RISE})
"""Metrics of all images against all, which need an `fmr`."""
LOWEST: Final = "lowest"
"""In place of a false-match rate: the lowest at which the report has a figure, by the rule of 30."""
AS_RATIO = frozenset({Metric.P50_MS, Metric.P99_MS, Metric.LOAD_MS, Metric.PEAK_RSS_MB, Metric.BYTES})
"""Metrics that are divided by what they are relative to; the others are subtracted."""
OF_TIME = frozenset({Metric.LATENCY_RATIO, Metric.P50_MS, Metric.P99_MS, Metric.LOAD_MS, Metric.PEAK_RSS_MB})
"""Metrics that an emulated CPU has none of."""
OF_A_SET = frozenset(
    {*AT_A_FAR, Metric.ACCURACY, Metric.AUC, Metric.EER, Metric.DROP, Metric.FLIPPED_PAIRS}
    | {Metric.COSINE_MEAN, Metric.COSINE_P01, Metric.COSINE_MIN}
) - {Metric.FROZEN_FAR, Metric.FROZEN_FRR}
"""Metrics that further sets of pairs have too."""


class RelativeTo(StrEnum):
    """What a figure is compared with before it meets its limit."""

    NOTHING = "nothing"
    FP32 = "fp32"
    """The FP32 variant of the same runtime in the same report."""
    BASELINE = "baseline"
    """The variant of the same id in the report of an earlier release."""


class Threshold(StrEnum):
    """Which threshold a false-match rate is held by."""

    OWN = "own"
    FROZEN = "frozen"
    """The reference's, kept as it is deployed."""


class Evidence(StrEnum):
    """What rules mean that rest on evidence which is not there."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    """They are left out."""


class Rule(Record):
    """One limit for the variants that match."""

    metric: Metric
    variants: tuple[str, ...]
    """Patterns of variant ids: `*-int8`, `openvino-*`; of what runs on a device, its id on this host."""
    devices: tuple[str, ...] = (LOCAL,)
    """Patterns of device names: this host alone if left out, `*` for it and every device."""
    max: float | None = None
    min: float | None = None
    relative_to: RelativeTo = RelativeTo.NOTHING
    far: Literal["0.01", "0.001"] | None = None
    fmr: Literal["0.01", "0.001", "0.0001", "0.00001", "0.000001", "lowest"] | None = None
    threshold: Threshold = Threshold.OWN
    set: str | None = None
    """Name of a further set of pairs; the main pairs if left out."""
    why: str = ""
    """Shown with the verdict."""
    clause: Clause | None = None
    """What a document asks for, where the limit is its."""

    @field_validator("variants", "devices", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value

    @field_validator("far", mode="before")
    @classmethod
    def _number_as_spelt(cls, value: object) -> object:
        return f"{value:g}" if isinstance(value, float) else value

    @field_validator("fmr", mode="before")
    @classmethod
    def _rate_as_spelt(cls, value: object) -> object:
        return next((fmr for fmr in FMRS if _is_number(value, float(fmr))), value)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.max is None and self.min is None:
            raise ValueError("a rule needs max, min or both")
        if self.max is not None and self.min is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        if (self.far is not None) != (self.metric in AT_A_FAR):
            raise ValueError(f"{self.metric} {'needs' if self.metric in AT_A_FAR else 'takes no'} far")
        if (self.fmr is not None) != (self.metric in AT_AN_FMR):
            raise ValueError(f"{self.metric} {'needs' if self.metric in AT_AN_FMR else 'takes no'} fmr")
        if self.threshold is Threshold.FROZEN and self.metric not in AT_AN_FMR:
            raise ValueError(f"{self.metric} is no figure at a false-match rate, so it takes no frozen threshold")
        if self.metric is Metric.DEVICE_DROP and self.devices == (LOCAL,):
            raise ValueError(f"{self.metric} is lost on the way to a device, so it needs devices")
        if self.set is not None and self.metric not in OF_A_SET:
            raise ValueError(f"{self.metric} is only measured on the main pairs, so it takes no set")
        return self

    @property
    def name(self) -> str:
        """What the check is called: metric, rate, threshold, set and what it is relative to."""
        rate = f"@{self.far or self.fmr}" if self.far or self.fmr else ""
        frozen = " frozen" if self.threshold is Threshold.FROZEN else ""
        place = f" on {self.set}" if self.set else ""
        relation = "" if self.relative_to is RelativeTo.NOTHING else f" vs {self.relative_to}"
        return f"{self.metric}{rate}{frozen}{place}{relation}"

    def matches(self, variant: Variant) -> bool:
        """Whether this rule judges the variant, where it ran."""
        is_meant = any(fnmatchcase(variant.local_id, pattern) for pattern in self.variants)
        return is_meant and self.is_about(variant.device or LOCAL)

    def is_about(self, device: str) -> bool:
        """Whether this rule judges what runs on the device."""
        has_figure = device != LOCAL or self.metric is not Metric.DEVICE_DROP
        return has_figure and any(fnmatchcase(device, pattern) for pattern in self.devices)


class OpenClause(Clause):
    """A clause that no report answers."""

    missing: Text
    """What would."""


class Policy(Record):
    """policy.yaml."""

    schema_version: Literal[1]
    name: str
    comparison: tuple[str, ...] = ("*-stock",)
    """Variants kept for comparison: they decide only while no other variant of their runtime and precision is there."""
    require: tuple[str, ...] = ()
    """Patterns that at least one measured variant each has to match."""
    baseline: Evidence = Evidence.REQUIRED
    """For rules relative to one."""
    all_pairs: Evidence = Evidence.REQUIRED
    """For rules at a false-match rate, where nobody on the images is known."""
    rules: tuple[Rule, ...] = Field(min_length=1)
    open_clauses: tuple[OpenClause, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @classmethod
    def named(cls, source: str) -> Self:
        """The policy in a file, or the shipped one of that name where there is no such file.

        Raises:
            InputError: neither, or the file is no policy.
        """
        if source not in SHIPPED or os.path.lexists(source):
            known = f"give a YAML file, or one of {', '.join(SHIPPED)}"
            near = get_close_matches(source, SHIPPED)
            return cls.read(Path(source), fix=f"did you mean `{near[0]}`?" if near else known)
        return cls.read(DEFAULT_FILE.with_name(f"policy.{source}.yaml"))

    @classmethod
    def read(cls, path: Path = DEFAULT_FILE, *, fix: str = _SCHEMA_SAYS) -> Self:
        """Read policy.yaml; without a path the default policy.

        Args:
            path: where.
            fix: what to give instead where there is no such file.

        Raises:
            InputError: the file is missing, is no YAML, or has a key or value that is not known.
        """
        content = json.dumps(read_mapping(path, fix=fix))
        try:
            return cls.model_validate_json(content, strict=True)
        except ValidationError as error:
            raise InputError(f"{path}: {first_problem(error)}", fix=_suggestion(error)) from error


def json_schema() -> str:
    """JSON schema of policy.yaml, as shipped in `policy.schema.json`."""
    schema = Policy.model_json_schema()
    rule = schema["$defs"]["Rule"]["properties"]
    for patterns in ("variants", "devices"):
        rule[patterns] = {"anyOf": [{"type": "string"}, rule[patterns]]}
    rule["far"] = {"enum": [0.01, 0.001, "0.01", "0.001", None], "default": None}
    rule["fmr"] = {"enum": [*map(float, FMRS), *FMRS, LOWEST, None], "default": None}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ghostface-edge policy"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _is_number(value: object, number: float) -> bool:
    """Whether a value of YAML is a number, in quotes or not."""
    try:
        return isinstance(value, float | str) and float(value) == number
    except ValueError:
        return False


_OWNERS: Final[Mapping[str | int, type[Record]]] = {
    "rules": Rule,
    "clause": Clause,
    "open_clauses": OpenClause,
    "source": Source,
    "waivers": Waiver,
}
"""Of keys, by the key that they stand under."""


def _suggestion(error: ValidationError) -> str:
    """Name the known key or value nearest to the first one that is not known."""
    problem: Any = error.errors(include_url=False)[0]
    place = problem["loc"]
    if problem["type"] == "extra_forbidden":
        owner = next((_OWNERS[key] for key in reversed(place[:-1]) if key in _OWNERS), Policy)
        known, wrong = list(owner.model_fields), str(place[-1])
    elif problem["type"] == "enum" and place[-1] == "metric":
        known, wrong = list(Metric), str(problem["input"])
    else:
        return _SCHEMA_SAYS
    near = get_close_matches(wrong, known)
    return f"did you mean {str(near[0])!r}?" if near else f"known are {', '.join(known)}"
