import cv2
import numpy as np
import pytest

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.review import review
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.renderings import markdown
from ghostface_edge.reports.renderings.html import render
from ghostface_edge.reports.report import Report

from ..conftest import make_curves, make_faces


@pytest.fixture(scope="module")
def wide(report: Report) -> Report:
    faces = make_faces(200)
    names = [f"<i>{image // 2:03d}</i>" for image in range(len(faces.embeddings))]
    found = review(compare_all(faces.embeddings, Gallery.of(names)))
    return report.model_copy(update={"review": found})


@pytest.fixture(scope="module")
def curves() -> ReportCurves:
    """With a picture of each image, its brightness its number."""
    faces = make_faces(200)
    images = {at: bytes(cv2.imencode(".png", np.full((112, 112, 3), at % 256, np.uint8))[1]) for at in range(400)}
    plain = make_curves(faces, {})
    return ReportCurves(same=plain.same, scores={}, reference_scores=plain.reference_scores, gallery_images=images)


def test_both_faces_of_the_extreme_scores_are_shown(wide: Report, curves: ReportCurves) -> None:
    page = render(wide, curves)
    assert wide.review is not None
    first = wide.review.impostor[0]
    for image in first.images:
        assert f'<image id="review-{image}" width="72" height="72" href="data:image/jpeg;base64,' in page
        assert f'href="#review-{image}"' in page
    assert page.count('<image id="review-') == len(
        {at for it in (*wide.review.impostor[:24], *wide.review.genuine[:24]) for at in it.images}
    )
    assert f"{first.cosine:.3f}" in page
    assert "match at FMR 1:" in page
    assert "A match is a cosine of" in page


def test_without_pictures_there_is_a_list(wide: Report) -> None:
    page = render(wide)
    assert "Names to look at" in page
    assert "review-" not in page
    assert "List of 60" in page


def test_names_are_only_text_and_no_comment_has_them(wide: Report, curves: ReportCurves) -> None:
    page = render(wide, curves)
    assert "&lt;i&gt;" in page
    assert "<i>0" not in page
    assert "Names to look at" not in markdown.render(wide)


def test_nothing_where_nobody_is_known(report: Report) -> None:
    assert "Names to look at" not in render(report)
