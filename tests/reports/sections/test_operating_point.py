import io
import re
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.renderings import markdown
from ghostface_edge.reports.renderings.console import print_report
from ghostface_edge.reports.renderings.html import render
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.sections.operating_point import det_plot

from ..conftest import Faces, make_faces


def judged(faces: Faces, noise: float) -> AllPairs:
    """All images of the faces; the first two people may be one."""
    names = [f"p{image // 2:04d}" for image in range(len(faces.embeddings))]
    gallery = Gallery.of(names, [("p0000", "p0001")])
    return judge_all_pairs(compare_all(faces.noisy(noise), gallery), compare_all(faces.embeddings, gallery))


@pytest.fixture(scope="module")
def wide(report: Report) -> Report:
    """FP32 and INT8 know who is on 400 images, the stock model does not."""
    faces = make_faces(200)
    found = [judged(faces, noise) for noise in (0.0, 0.3)]
    variants = [
        variant.model_copy(update={"all_pairs": its})
        for variant, its in zip(report.variants, [*found, None], strict=True)
    ]
    return report.model_copy(update={"variants": tuple(variants)})


def test_the_same_figures_on_page_comment_and_terminal(wide: Report) -> None:
    terminal = io.StringIO()
    print_report(wide, Console(file=terminal, width=200))
    row = wide.variants[1].all_pairs.fnmr_at_fmr["0.001"]
    figures = [f"{100 * row.fnmr:.2f}", f"{row.rise_pp:+.2f}", "1:1,000"]
    for text in (render(wide), markdown.render(wide), terminal.getvalue()):
        assert "At the operating point" in text or text == terminal.getvalue()
        assert all(figure in text for figure in figures), figures


def test_it_says_how_far_the_comparisons_reach(wide: Report) -> None:
    text = markdown.render(wide)
    assert "400 images of 200 people" in text
    assert "4 comparisons of two names that are or may be one person" in text
    assert "FMR 1:10,000: fewer than 30 false matches are expected" in text
    assert "FMR 1:1,000,000: not answerable, 2,920,404 more comparisons of different people" in text


def test_tradeoff_of_every_known_variant(wide: Report) -> None:
    drawn = [(variant, variant.all_pairs) for variant in wide.variants if variant.all_pairs is not None]
    plot = det_plot(wide, drawn)
    fp32, int8 = (
        [tuple(map(float, point.split(","))) for point in line.split()]
        for line in re.findall(r'class="line c0 \w+" points="([^"]+)"', plot)
    )
    assert min(len(fp32), len(int8)) > 20
    for line in (fp32, int8):  # from strict on the left to loose on the right, fewer rejected
        heights = [y for _, y in sorted(line)]
        assert heights == sorted(heights)
    assert "at FMR 1:100" in plot


def test_nothing_where_nobody_is_known(report: Report) -> None:
    assert "operating-point" not in render(report)


def test_too_few_for_any_rate(report: Report) -> None:
    few: Any = judge_all_pairs(compare_all(np.eye(9, dtype=np.float32), Gallery.of(list("aabbccdde"))))
    variants = tuple(variant.model_copy(update={"all_pairs": few}) for variant in report.variants)
    text = render(report.model_copy(update={"variants": variants}))
    assert "26 more comparisons of a person with itself are needed" in text
