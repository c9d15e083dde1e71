import io

import numpy as np
import pytest
from rich.console import Console

from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.groups import judge_groups
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.groups import PeopleFile
from ghostface_edge.reports.renderings import markdown
from ghostface_edge.reports.renderings.console import print_report
from ghostface_edge.reports.renderings.html import render
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.sections.groups import group_plot

from ..conftest import make_faces

TOLD = PeopleFile(
    path="people.csv", sha256="a" * 64, people=205, not_in_gallery=5, not_said={"sex": 0, "<b>region</b>": 4}
)


@pytest.fixture(scope="module")
def wide(report: Report) -> Report:
    """People of the south are noise to INT8 and to the stock model; four are of an island."""
    faces = make_faces(200)
    names = [f"p{image // 2:04d}" for image in range(len(faces.embeddings))]
    gallery, people = Gallery.of(names), sorted({*names})
    region = {name: "<i>isle</i>" if place < 4 else ("south", "north")[place % 2] for place, name in enumerate(people)}
    told = {"sex": {name: "fm"[place // 2 % 2] for place, name in enumerate(people)}, "<b>region</b>": region}
    south = np.array([region[name] == "south" for name in names])
    before, variants = compare_all(faces.embeddings, gallery), []
    for variant, noise in zip(report.variants, (0.0, 0.8, 0.8), strict=True):
        scores = compare_all(np.where(south[:, None], faces.noisy(noise), faces.embeddings), gallery)
        groups, all_pairs = judge_groups(scores, before, told), judge_all_pairs(scores, before)
        variants.append(variant.model_copy(update={"groups": groups, "all_pairs": all_pairs}))
    data = report.data.model_copy(update={"groups": TOLD})
    return report.model_copy(update={"variants": tuple(variants), "data": data})


def printed(report: Report) -> str:
    terminal = io.StringIO()
    print_report(report, Console(file=terminal, width=200))
    return terminal.getvalue()


def test_whom_it_harmed_and_who_are_too_few_is_said_everywhere(wide: Report) -> None:
    for text in (render(wide), markdown.render(wide).replace("\\", ""), printed(wide)):
        assert "region" in text
        assert "south is harmed: +" in text
        assert "pp FNMR more than the rest" in text
        assert "4 comparisons of a person with itself, 4 such people" in text
        assert "sex f is harmed" not in text


def test_names_are_only_text(wide: Report) -> None:
    page = render(wide)
    assert "&lt;i&gt;isle&lt;/i&gt;" in page
    assert "<i>isle" not in page
    assert "<b>region" not in page


def test_the_page_has_all_figures(wide: Report) -> None:
    page = render(wide)
    assert wide.variants[1].groups is not None
    for row in wide.variants[1].groups.rows:
        assert row.fnmr is not None
        assert f"{100 * row.fnmr.variant:.2f}" in page
    assert "at a false-match rate of 1:1,000" in page
    assert "205 people in people.csv, 5 of them on no image" in page
    assert "region&lt;/b&gt; is not said of 4" in page


def test_a_plot_of_every_candidate(wide: Report) -> None:
    page = render(wide)
    assert page.count('aria-label="Groups"') == 1
    groups = wide.variants[1].groups
    assert groups is not None
    plot = str(group_plot(wide, wide.variants[1], groups))
    assert plot.count("<circle") == plot.count("<polyline") == 2 * 5
    assert "south (harmed)" in plot
    assert "(too small)" in plot


def test_nothing_to_say_on_a_terminal_where_nobody_is_harmed(wide: Report) -> None:
    groups = wide.variants[0].groups
    assert groups is not None
    kept = [row for row in groups.rows if row.attribute == "sex"]
    fine = groups.model_copy(update={"rows": tuple(kept)})
    variants = tuple(variant.model_copy(update={"groups": fine}) for variant in wide.variants)
    report = wide.model_copy(update={"variants": variants})
    assert "harmed" not in printed(report)
    assert "Groups of people" not in printed(report)
    assert "Groups of people" in render(report)


def test_groups_that_no_image_can_tell(report: Report) -> None:
    few = judge_all_pairs(compare_all(np.eye(9, dtype=np.float32), Gallery.of(list("aabbccdde"))))
    variants = tuple(variant.model_copy(update={"all_pairs": few}) for variant in report.variants)
    data = report.data.model_copy(update={"groups": TOLD})
    text = printed(report.model_copy(update={"variants": variants, "data": data}))
    assert "Groups cannot be told: 26 more comparisons of a person with itself are needed" in text


def test_nothing_where_no_groups_were_told(report: Report) -> None:
    assert "Groups of people" not in render(report)
