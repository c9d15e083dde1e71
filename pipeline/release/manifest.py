"""`manifest.json`: what is in a bundle, how to feed it, where to decide, and where it comes from.

In: a report, the run's account of itself, the datasheets of what ships, sizes and hashes of files. Out: a value that
follows from these alone, so that a check can make it again.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from pydantic import JsonValue

from ghostface_edge.calibration.preprocessing import MEAN, SCALE
from ghostface_edge.pipeline.release.statement import ProvenanceStatement, policy_sha256
from ghostface_edge.reports.all_against_all import Support
from ghostface_edge.reports.json_text import to_json
from ghostface_edge.reports.record import Cosine, Count, Fraction, Interval, Points, Record, Sha256, Text
from ghostface_edge.reports.report import ModelInfo, Report, Role, Variant, Verdict
from ghostface_edge.reports.verdicts import overall

MANIFEST: Final = "manifest.json"
FORMAT_VERSION: Final = 1
"""Of bundles; raised by a change that a reader of the last one could not read."""


class FileEntry(Record):
    """A file of the bundle."""

    bytes: Count
    sha256: Sha256


class AtFmr(Record):
    """Where to decide for a false-match rate."""

    threshold: Cosine
    fnmr: Fraction
    support: Support
    """Whether the rate is a figure or a bound."""


class Figures(Record):
    """What the variant lost on the pairs, on the host that built it."""

    accuracy: Fraction
    drop_pp: Points | None = None
    drop_ci95_pp: Interval | None = None
    cosine_min: Cosine | None = None


class VariantEntry(Record):
    """One model and what belongs to it."""

    id: Text
    runtime: Text
    precision: Text
    method: Text
    artifact: Text
    """The file that its runtime is given."""
    files: tuple[Text, ...]
    verdict: Verdict
    """Of its own checks; whether the release may ship, all of them decide."""
    datasheet: dict[str, JsonValue] | None = None
    """Input and output tensors, thresholds, where it was proven."""
    at_fmr: dict[Text, AtFmr]
    """By false-match rate, all images against all."""
    figures: Figures | None = None


class Preprocessing(Record):
    """What every model of this project takes, before its own datasheet's number format."""

    face: Text = "aligned to the ArcFace template, 112x112"
    colour: Text = "RGB"
    normalization: Text = f"x = (pixel - {MEAN}) / {SCALE:g}"
    checkpoint: Text | None = None
    """What the checkpoint itself was trained on; the models have absorbed the difference."""


class VerdictEntry(Record):
    """The gate's outcome, and by what it judged."""

    verdict: Verdict
    policy: Text
    policy_sha256: Sha256
    baseline: Text | None = None


class ToolEntry(Record):
    """What made the bundle's files."""

    name: Text
    version: Text
    code: Sha256
    """Of all its modules."""


class Manifest(Record):
    """manifest.json."""

    format_version: Literal[1] = FORMAT_VERSION
    tool: ToolEntry
    model: ModelInfo
    preprocessing: Preprocessing
    variants: tuple[VariantEntry, ...]
    verdict: VerdictEntry
    files: dict[Text, FileEntry]
    """All but this one and the signatures."""
    provenance: ProvenanceStatement

    def to_json(self) -> str:
        """Write as indented JSON, in one form."""
        return to_json(self.model_dump(mode="json", exclude_none=True)) + "\n"


def describe(
    report: Report,
    shipped: Iterable[Variant],
    provenance: ProvenanceStatement,
    datasheets: Mapping[str, dict[str, JsonValue]],
    files: Mapping[str, FileEntry],
) -> Manifest:
    """Say what a bundle holds.

    Args:
        report: of the run.
        shipped: its variants whose files are in the bundle.
        provenance: of the run.
        datasheets: their content, by name of the artifact.
        files: of the bundle.
    """
    return Manifest(
        tool=ToolEntry(name=report.tool.name, version=report.tool.version, code=provenance.making.code),
        model=report.model,
        preprocessing=Preprocessing(checkpoint=report.model.preprocessing),
        variants=tuple(_entry(variant, report, datasheets) for variant in shipped),
        verdict=VerdictEntry(
            verdict=report.gate.verdict,
            policy=report.gate.policy,
            policy_sha256=policy_sha256(provenance.request.policy),
            baseline=report.gate.baseline,
        ),
        files=dict(sorted(files.items())),
        provenance=provenance,
    )


def _entry(variant: Variant, report: Report, datasheets: Mapping[str, dict[str, JsonValue]]) -> VariantEntry:
    assert variant.artifact is not None
    path, lost = variant.artifact.path, variant.versus_reference
    own = [check for check in report.gate.checks if check.variant == variant.id and check.role is not Role.ADVICE]
    told = variant.all_pairs.fnmr_at_fmr if variant.all_pairs is not None else {}
    return VariantEntry(
        id=variant.id,
        runtime=variant.runtime,
        precision=variant.precision,
        method=variant.method,
        artifact=path,
        files=tuple(sorted(variant.files)),
        verdict=overall([check.verdict for check in own]),
        datasheet=datasheets.get(path),
        at_fmr={fmr: AtFmr(threshold=one.threshold, fnmr=one.fnmr, support=one.support) for fmr, one in told.items()},
        figures=None
        if variant.accuracy is None
        else Figures(
            accuracy=variant.accuracy.mean,
            drop_pp=None if lost is None else lost.drop_pp,
            drop_ci95_pp=None if lost is None else lost.ci95_pp,
            cosine_min=None if lost is None else lost.cosine_min,
        ),
    )
