"""What a gate judges against a baseline: the same faces by the same protocol, or nothing."""

from datetime import date
from typing import Any

import pytest

from ghostface_edge.reports.case import Case
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.provenance import Gallery
from ghostface_edge.reports.report import Report, Variant

from .conftest import make_faces, make_report


@pytest.fixture(scope="module")
def small(few_variants: list[Variant]) -> Report:
    return make_report(make_faces(60), few_variants)


def _case(now: Report, baseline: Report | None, **changes: Any) -> Case:
    return Case(
        **{
            "variants": now.variants,
            "data": now.data,
            "policy": Policy.read(),
            "baseline": baseline,
            "clock": date(2030, 6, 15),
            **changes,
        }
    )


def _with_data(report: Report, **changes: Any) -> Report:
    return report.model_copy(update={"data": report.data.model_copy(update=changes)})


def test_a_variant_is_held_against_the_one_of_its_name(small: Report) -> None:
    assert _case(small, small).before(small.variants[1]) is small.variants[1]
    assert _case(small, small).before(small.variants[1].model_copy(update={"id": "tflite-int8"})) is None
    assert _case(small, None).before(small.variants[1]) is None


@pytest.mark.parametrize("changes", [{"sha256": "e" * 64}, {"count": 61}, {"protocol": "another"}])
def test_other_pairs_are_not_compared_with(small: Report, changes: dict[str, Any]) -> None:
    other = _with_data(small, pairs=small.data.pairs.model_copy(update=changes))
    case = _case(small, other)
    assert not case.comparable
    assert case.before(small.variants[1]) is None


def test_another_gallery_is_not_compared_with(small: Report) -> None:
    gallery = Gallery(path="people", sha256="e" * 64, name="people", images=9, people=3)
    with_gallery = _with_data(small, gallery=gallery)
    assert not _case(small, with_gallery).comparable
    assert _case(with_gallery, with_gallery).comparable


def test_without_its_faces_nothing_is_compared_with(small: Report) -> None:
    assert not _case(small, small, data=None).comparable
    assert not _case(small, None).comparable
