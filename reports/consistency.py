"""A report against itself: figures that contradict each other are no evidence.

In: a report whose fields are each what they should be. Out: every field that others make impossible, by its place;
nothing for a report that a run wrote. What was measured is not known here: a lie told everywhere alike passes.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from ghostface_edge.reports.all_pairs_agree import all_pairs_disagree, of_one_gallery
from ghostface_edge.reports.decisions_agree import flips_disagree, thresholds_disagree
from ghostface_edge.reports.devices_agree import devices_disagree, rows_disagree
from ghostface_edge.reports.figures_agree import Problem, Result, disagreements, holds, near, reference_tar
from ghostface_edge.reports.galleries_agree import galleries_disagree
from ghostface_edge.reports.groups_agree import groups_disagree, of_one_file
from ghostface_edge.reports.one_threshold_agree import of_one_comparison, one_threshold_disagrees
from ghostface_edge.reports.provenance import Pairs
from ghostface_edge.reports.record import FARS
from ghostface_edge.reports.review_agrees import of_one_reference, review_disagrees
from ghostface_edge.reports.variant import Status, Variant
from ghostface_edge.reports.verdicts import Role, overall

if TYPE_CHECKING:
    from ghostface_edge.reports.report import Report

VARIANT_ID: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:@[a-z0-9]+(?:[._-][a-z0-9]+)*)?")
"""`<runtime>-<precision>[-suffix][@device]`; which part is which, the variant's other fields say."""

_BYTES: Final = {"fp32": 4, "fp16": 2, "int8": 1}
"""Of a parameter; a file of half of that is none of the network's."""


def contradictions(report: "Report") -> Iterator[Problem]:
    """Every field that other fields make impossible, with what is wrong."""
    for check in _OF_REPORT:
        found = list(check(report))
        yield from found
        if found:
            return  # the next ones count on it


def _named(report: "Report") -> Iterator[Problem]:
    ids = [variant.id for variant in report.variants]
    for place, variant in _places(report):
        begins = f"{variant.runtime}-{variant.precision}"
        rest = variant.id.removeprefix(begins)
        if VARIANT_ID.fullmatch(variant.id) is None or rest == variant.id or rest[:1] not in {"", "-", "@"}:
            yield f"{place}.id", f"{variant.id!r} is not `{begins}`, with a suffix or a device, in small letters"
        if ids.count(variant.id) > 1:
            yield f"{place}.id", f"variants occur more than once: {variant.id}"


def _states(report: "Report") -> Iterator[Problem]:
    """A variant has figures, or a reason why not."""
    for place, variant in _places(report):
        if variant.status is Status.OK:
            if variant.error is not None:
                yield f"{place}.error", "a variant with status ok has none"
        elif any(
            (
                variant.accuracy,
                variant.versus_reference,
                variant.latency,
                variant.sets,
                variant.all_pairs,
                variant.groups,
                variant.versus_local,
                variant.instructions_per_face,
            )
        ):
            yield f"{place}.status", f"{variant.status}, but there are figures"


def _data(report: "Report") -> Iterator[Problem]:
    sets = [("data.pairs", report.data.pairs)]
    sets += [(f"data.further_pairs.{number}", further) for number, further in enumerate(report.data.further_pairs)]
    names = [pairs.name for _, pairs in sets]
    for place, pairs in sets:
        if names.count(pairs.name) > 1 or pairs.name == getattr(report.data.gallery, "name", None):
            yield f"{place}.name", f"two sets of pairs are called {pairs.name!r}"
        if pairs.same is not None and pairs.same > pairs.count:
            yield f"{place}.same", f"{pairs.same:,} of {pairs.count:,} pairs"
        if pairs.images is not None and not (pairs.images <= 2 * pairs.count and (pairs.images > 1 or not pairs.count)):
            yield f"{place}.images", f"{pairs.count:,} pairs cannot be of {pairs.images:,} images"
    calibration = report.data.calibration
    if not calibration.identities_shared_with_pairs <= calibration.identities <= calibration.images:
        yield (
            "data.calibration",
            f"{calibration.images:,} images of {calibration.identities:,} people, "
            f"{calibration.identities_shared_with_pairs:,} of them in the pairs",
        )


def _figures(report: "Report") -> Iterator[Problem]:
    """Figures of one variant, and the reference that all are compared with on the same pairs."""
    first: dict[tuple[str, str | None], tuple[str, Result]] = {}
    for place, variant, name, result in _results(report):
        inside = f"{place}.sets.{name}" if name else place
        yield from _at(inside, disagreements(result))
        if not name:
            yield from _at(place, thresholds_disagree(variant, result))
            yield from _at(place, flips_disagree(variant, result))
        compared = name, None if result.pairs.count == report.data.pairs.count else variant.device
        seen = first.setdefault(compared, (variant.id, result))
        yield from _at(inside, _other_reference(result, *seen))


def _other_reference(result: Result, other_id: str, other: Result) -> Iterator[Problem]:
    """All variants are compared with one reference on the same pairs, so all have to imply the same figures of it."""
    if result.versus.reference != other.versus.reference:
        yield "versus_reference.reference", f"{result.versus.reference!r}, but that of {other_id} is another"
    before, seen = (one.accuracy.mean + one.versus.drop_pp / 100 for one in (result, other))
    if not near(before, seen):
        yield (
            "versus_reference.drop_pp",
            f"drop and accuracy make {before:g} of the reference's accuracy, those of {other_id} {seen:g}",
        )
    for far in FARS:
        tar, tar_seen = reference_tar(result, far), reference_tar(other, far)
        if tar is not None and tar_seen is not None and not near(tar, tar_seen):
            yield (
                f"versus_reference.tar_drop_pp.{far}.drop_pp",
                f"drop and TAR make {tar:g} of the reference's TAR, those of {other_id} {tar_seen:g}",
            )


def _all_pairs(report: "Report") -> Iterator[Problem]:
    """Figures of all images against all, and the one gallery and reference that all variants share."""
    known = [(place, variant, found) for place, variant in _places(report) if (found := variant.all_pairs) is not None]
    gallery = report.data.gallery
    images = report.data.pairs.images if gallery is None else gallery.images
    for place, _, found in known:
        yield from _at(f"{place}.all_pairs", all_pairs_disagree(found, images))
        if gallery is not None and (found.images, found.people) != (gallery.images, gallery.people):
            yield f"{place}.all_pairs.people", f"not those of the gallery, {gallery.images:,} of {gallery.people:,}"
        yield from _at(f"{place}.all_pairs", of_one_gallery(found, known[0][2], known[0][1].id))


def _groups(report: "Report") -> Iterator[Problem]:
    """Figures of groups, which need somebody who told them, and the one file and reference that all variants share."""
    known = [(place, variant, found) for place, variant in _places(report) if (found := variant.groups) is not None]
    for place, variant, found in known:
        here = f"{place}.groups"
        if variant.all_pairs is None or report.data.groups is None:
            yield here, "groups are of all images against all, by a file that data.groups names"
            return
        yield from _at(here, groups_disagree(found, variant.all_pairs))
        yield from _at(here, of_one_file(found, known[0][2], known[0][1].id))


def _one_threshold(report: "Report") -> Iterator[Problem]:
    """The first set's thresholds on the others, which are compared alike for all variants."""
    kept = [(place, variant) for place, variant in _places(report) if variant.one_threshold]
    for place, variant in kept:
        here = f"{place}.one_threshold"
        yield from _at(here, one_threshold_disagrees(variant, report.data.other_sets))
        yield from _at(here, of_one_comparison(variant, kept[0][1]))


def _review(report: "Report") -> Iterator[Problem]:
    """What a person should look at, at the thresholds that all variants are compared with."""
    if report.review is None:
        return
    compared = report.data.gallery or report.data.pairs
    yield from _at("review", review_disagrees(report.review, compared.images))
    for _, variant in _places(report):
        if variant.all_pairs is not None:
            yield from _at("review", of_one_reference(report.review, variant.all_pairs, variant.id))


def _latency(report: "Report") -> Iterator[Problem]:
    """Percentiles rise, and variants of one runtime were timed in turns with the same FP32."""
    for place, variant in _places(report):
        latency = variant.latency
        if latency is None:
            continue
        here = f"{place}.latency"
        if not latency.p50_ms <= latency.p90_ms <= latency.p99_ms:
            yield f"{here}.p50_ms", f"percentiles {latency.p50_ms:g}, {latency.p90_ms:g}, {latency.p99_ms:g} ms"
        if latency.versus_fp32_ci95 is not None:
            interval, ratio = latency.versus_fp32_ci95, latency.versus_fp32
            yield from _at(here, holds(interval, ratio, "versus_fp32_ci95", point_field="versus_fp32"))
        fp32 = next((other for _, other in _places(report) if _is_fp32_of(other, variant)), None)
        if fp32 is not None and fp32.latency is not None:
            ratio = latency.p50_ms / fp32.latency.p50_ms
            if not near(ratio, latency.versus_fp32):
                yield f"{here}.versus_fp32", f"{latency.versus_fp32:g}, but the medians make it {ratio:g}"


def _is_fp32_of(other: Variant, variant: Variant) -> bool:
    return other.local_id == f"{variant.runtime}-fp32" and other.device == variant.device


def _sizes(report: "Report") -> Iterator[Problem]:
    """Variants of one runtime have one FP32 file, and a file holds its parameters."""
    fp32_bytes: dict[str, tuple[str, int]] = {}
    for _, variant in _places(report):
        if variant.artifact is not None and variant.id == f"{variant.runtime}-fp32":
            fp32_bytes[variant.runtime] = variant.id, variant.artifact.bytes
    for place, variant in _places(report):
        if variant.artifact is None:
            continue
        size, fp32 = variant.artifact.deployed_bytes, variant.artifact.fp32_bytes
        least = report.model.parameters * _BYTES.get(variant.precision, 0) // 2
        if size > variant.artifact.bytes:
            yield f"{place}.artifact.constants_bytes", f"{size:,}, but its files have {variant.artifact.bytes:,} bytes"
        if size < least:
            yield f"{place}.artifact.bytes", f"{size:,} bytes cannot hold {report.model.parameters:,} parameters"
        if fp32 is not None:
            other, known = fp32_bytes.setdefault(variant.runtime, (variant.id, fp32))
            if fp32 != known:
                yield f"{place}.artifact.fp32_bytes", f"{fp32:,}, but the report of {other} makes it {known:,}"


def _cross_precision(report: "Report") -> Iterator[Problem]:
    if report.cross_precision is not None:
        measured = {variant.id: result for _, variant, name, result in _results(report) if not name}
        yield from _at("cross_precision", galleries_disagree(report.cross_precision, measured))


def _verdicts(report: "Report") -> Iterator[Problem]:
    """The gate's verdict is the sum of its checks, which are about variants that are there."""
    ids = {variant.id for variant in report.variants}
    for number, check in enumerate(report.gate.checks):
        if check.variant != "*" and check.variant not in ids:
            yield f"gate.checks.{number}.variant", f"there is no variant {check.variant!r}"
    summed = overall([check.verdict for check in report.gate.checks if check.role is Role.CANDIDATE])
    if report.gate.verdict is not summed:
        yield "gate.verdict", f"{report.gate.verdict}, but the checks make it {summed}"


def _places(report: "Report") -> Iterator[tuple[str, Variant]]:
    return ((f"variants.{number}", variant) for number, variant in enumerate(report.variants))


def _results(report: "Report") -> Iterator[tuple[str, Variant, str, Result]]:
    """Every variant on every set of pairs; the main one's name is left out, and a device may have had a part of it."""
    sets, main = {further.name: further for further in report.data.further_pairs}, report.data.pairs
    of_devices: dict[str | None, Pairs] = {
        device.name: main.model_copy(update={"count": device.pairs, "same": device.same, "images": device.faces})
        for device in report.devices
    }
    for place, variant in _places(report):
        if variant.accuracy is not None and variant.versus_reference is not None:
            pairs = of_devices.get(variant.device, main)
            yield place, variant, "", Result(variant.accuracy, variant.versus_reference, pairs)
        for name, part in variant.sets.items():
            yield place, variant, name, Result(part.accuracy, part.versus_reference, sets[name])


def _sets(report: "Report") -> Iterator[Problem]:
    names = {further.name for further in report.data.further_pairs}
    for place, variant in _places(report):
        for name in variant.sets:
            if name not in names:
                yield f"{place}.sets.{name}", "data.further_pairs has no such set"


def _at(place: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    return ((f"{place}.{field}", problem) for field, problem in problems)


_OF_REPORT: Final[tuple[Callable[["Report"], Iterator[Problem]], ...]] = (
    _named,
    _states,
    _data,
    devices_disagree,
    _sets,
    _figures,
    _all_pairs,
    _groups,
    _one_threshold,
    _review,
    _latency,
    _sizes,
    rows_disagree,
    _cross_precision,
    _verdicts,
)
