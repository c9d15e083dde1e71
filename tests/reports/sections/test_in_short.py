"""The five lines: ship or not, which file, what it costs, what it loses, what to look at."""

from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest

from ghostface_edge.reports.blocks import Definitions, Span, plain, spans
from ghostface_edge.reports.gate import judge, judge_report
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.renderings import html, markdown
from ghostface_edge.reports.report import Report, Waiver
from ghostface_edge.reports.sections.in_short import in_short
from ghostface_edge.reports.variant import Status

from ..conftest import Faces, make_faces, make_whole_report

NO_FIGURES = {"accuracy": None, "versus_reference": None, "latency": None, "artifact": None}


def lines(report: Report) -> dict[str, str]:
    (block,) = in_short(report).blocks
    assert isinstance(block, Definitions)
    assert [term for term, _ in block.items] == ["Ship", "File", "Costs", "Loses", "Look at"]
    return {term: plain(words) for term, words in block.items}


def changed(report: Report, variant_id: str, **fields: Any) -> Report:
    variants = [row.model_copy(update=fields) if row.id == variant_id else row for row in report.variants]
    return judge_report(report.model_copy(update={"variants": tuple(variants)}))


def lossy(report: Report) -> Report:
    versus = report.variants[1].versus_reference
    assert versus is not None
    worse = versus.model_copy(update={"drop_pp": 3.0, "ci95_pp": (2.5, 3.5)})
    return changed(report, "onnxruntime-int8", versus_reference=worse)


def test_what_passes_ships(report: Report) -> None:
    said = lines(report)
    assert said["Ship"] == "yes, every check of a variant that would ship passed"
    assert said["File"] == "onnxruntime-int8, models/onnxruntime-int8.onnx"
    assert said["Costs"].startswith("0.8")
    assert "ms a face, 0.80 × FP32's (0." in said["Costs"]
    assert said["Costs"].endswith("1,000 KB")
    versus = report.variants[1].versus_reference
    assert versus is not None
    assert said["Loses"].startswith(f"{versus.drop_pp:+.2f} pp of accuracy ({versus.ci95_pp[0]:+.2f} …")
    assert said["Loses"].endswith("what it adds to FNMR is not known")
    assert said["Look at"].startswith("nothing is open; of interest: ")


def test_what_it_adds_to_fnmr_is_at_the_rate_shown_first(faces: Faces, deployed: Report) -> None:
    whole = judge_report(make_whole_report(faces, make_faces(600, seed=5), deployed.variants[:2], images=1200))
    rate = whole.variants[1].all_pairs
    assert rate is not None
    row = rate.fnmr_at_fmr["0.0001"]
    assert row.rise_pp is not None
    assert f"FNMR {row.rise_pp:+.2f} pp (" in lines(whole)["Loses"]
    assert lines(whole)["Loses"].endswith("at FMR 1:10,000")
    assert lines(whole)["Costs"].endswith("1,000 KB, 0.31 × FP32's")


def test_what_fails_is_said_with_its_reason_and_what_could_ship_alone(report: Report) -> None:
    said = lines(lossy(report))
    assert said["Ship"].startswith("no, at least one variant that would ship breaks a limit")
    assert said["File"].startswith("onnxruntime-fp32, ")
    assert said["File"].endswith(": its own checks hold, the release's do not")
    assert said["Look at"].startswith("onnxruntime-int8: accuracy drop 3 pp [2.5, 3.5], limit")


def test_where_nothing_may_ship_there_is_no_file(report: Report) -> None:
    said = lines(judge_report(lossy(report).model_copy(update={"variants": lossy(report).variants[1:]})))
    assert said["File"] == "none: of no file the checks hold"
    assert said["Costs"] == said["Loses"] == "no file is known to be fit to ship"


def test_what_could_not_be_made_is_no_broken_limit(report: Report) -> None:
    failed = changed(report, "onnxruntime-int8", status=Status.FAILED, error="killed by SIGKILL", **NO_FIGURES)
    said = lines(failed)
    assert said["Ship"] == "no, a variant that would ship could not be made or run"
    assert said["Look at"].startswith("onnxruntime-int8: failed: killed by SIGKILL")


def test_what_is_open_is_not_settled(report: Report, few_variants: list[Any]) -> None:
    said = lines(report.model_copy(update={"variants": tuple(few_variants), "gate": judge(few_variants)}))
    assert said["Ship"].startswith("not settled, nothing that would ship is known to break a limit")
    assert "onnxruntime-" in said["Look at"]


def test_a_waiver_is_what_to_look_at(report: Report) -> None:
    waiver = Waiver(check="*", variants="onnxruntime-int8", reason="r", owner="o", expires=date(2999, 1, 1))
    policy = Policy.read().model_copy(update={"waivers": (waiver,)})
    assert lines(judge_report(lossy(report), policy))["Look at"] == "1 check passed by a waiver"


def test_a_report_without_variants_has_its_five_lines_too(report: Report) -> None:
    empty = judge_report(report.model_copy(update={"variants": ()}))
    assert lines(empty)["File"] == "none: of no file the checks hold"


def test_a_page_links_the_file_and_comments_begin_with_the_lines(report: Report) -> None:
    page = html.render(report)
    assert '<a href="models/onnxruntime-int8.onnx"><code>' in page
    assert page.index("<dt>Look at</dt>") < page.index("<nav>")
    assert markdown.render(report).splitlines()[2].startswith("- Ship: **yes**, ")


@pytest.mark.parametrize("path", ["javascript:alert(1)", "//elsewhere/x", "https://elsewhere/x"])
def test_a_path_of_others_leads_nowhere_else(report: Report, path: str) -> None:
    artifact = report.variants[1].artifact
    assert artifact is not None
    page = html.render(changed(report, "onnxruntime-int8", artifact=artifact.model_copy(update={"path": path})))
    addresses = [urlsplit(href.partition('"')[0]) for href in page.split('href="')[1:]]
    assert not any(address.scheme or address.netloc for address in addresses)


def test_links_lead_to_sections_that_are_there(report: Report) -> None:
    for some in (report, lossy(report)):
        (block,) = in_short(some).blocks
        assert isinstance(block, Definitions)
        places = [part.to for _, words in block.items for part in spans(words) if isinstance(part, Span) and part.to]
        assert all(f'id="{place[1:]}"' in html.render(some) for place in places if place.startswith("#"))
        assert places
