import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from ghostface_edge.reports.assess import PairSet, assess, assess_galleries
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.renderings.html import render
from ghostface_edge.reports.report import Report

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>\"'&"


class _Page(HTMLParser):
    """Collects what a page would run or fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts = 0
        self.handlers: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.handlers.append(f"{tag} {name}")
            if name in {"src", "href"} and value is not None:
                self.addresses.append(value)
            if name == "id" and value is not None:
                self.ids.append(value)


@pytest.fixture(scope="module")
def full(faces, report: Report, curves: ReportCurves) -> tuple[Report, ReportCurves]:
    """The report with every section, and faces that are grey squares."""
    pairs = PairSet(
        faces.index, faces.same, names=[(f"{HOSTILE}{a // 2}", f"{HOSTILE}{b // 2}") for a, b in faces.index]
    )
    embeddings = {"onnxruntime-int8": faces.noisy(0.02), "onnxruntime-int8-stock": faces.noisy(1.6)}
    variants = [report.variants[0]]
    for variant in report.variants[1:]:
        result = assess(pairs, embeddings[variant.id], faces.embeddings, "onnxruntime-fp32", seed=0)
        update = {
            "flips": result.flips,
            "people": result.people,
            "thresholds": result.thresholds,
            "fold_drops_pp": result.fold_drops_pp,
            "sensitivity": [{"name": f"{HOSTILE}conv", "cosine": 0.9}],
            "profile": [{"kind": "Conv", "calls": 54, "ms": 0.7}],
            "float_tensors": ["head/conv"],
            "higher_precision": HOSTILE,
            "curve": [{"step": HOSTILE, "cosine_mean": 0.9, "cosine_p01": 0.8, "sqnr_db": None}],
            "range_stability": [{"tensor": HOSTILE, "spread": 0.1}],
            "sets": {HOSTILE: {"accuracy": result.accuracy, "versus_reference": result.versus_reference}},
        }
        variants.append(variant.model_validate({**variant.model_dump(), **update}))
    content = json.loads(report.to_json())
    cross = assess_galleries(pairs, embeddings)
    content["data"]["calibration"]["leak_guard"] = {"checked": ["by name"], "found": [HOSTILE], "allowed": [HOSTILE]}
    content |= {"variants": [json.loads(v.model_dump_json()) for v in variants], "cross_precision": cross.model_dump()}
    picture = cv2.imencode(".png", np.full((112, 112, 3), 90, np.uint8))[1].tobytes()
    images = [picture, b"no image", *[picture] * (len(faces.embeddings) - 2)]
    arrays = ReportCurves(
        curves.same,
        curves.scores,
        curves.reference_scores,
        curves.latency_ms,
        {name: np.full(10, 0.9) for name in embeddings},
        dict(enumerate(images)),
    )
    return Report.model_validate_json(json.dumps(content)), arrays


def _renamed(report: Report, name: str) -> Report:
    return report.model_copy(update={"model": report.model.model_copy(update={"name": name})})


def test_the_page_is_inert_and_self_contained(full: tuple[Report, ReportCurves]) -> None:
    report, curves = full
    page = _Page(render(_renamed(report, HOSTILE), curves))
    assert page.scripts == 1
    assert page.handlers == []
    file = "models/onnxruntime-int8.onnx"
    assert page.addresses.count(file) == 1
    assert all(address.startswith(("#", "data:image/jpeg;base64,", file)) for address in page.addresses)
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)


def test_only_the_pages_own_code_is_allowed(report: Report, curves: ReportCurves) -> None:
    text = render(report, curves)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert policy[1].count("sha256-") == 2
    assert "unsafe" not in policy[1]


def test_every_section_is_there(full: tuple[Report, ReportCurves]) -> None:
    report, curves = full
    text = render(report, curves)
    for section in (
        "variants",
        "checks",
        "plots",
        "folds",
        "thresholds",
        "galleries",
        "flips",
        "quantization",
        "profile",
        "sets",
        "leaks",
        "environment",
    ):
        assert f'<section id="{section}">' in text
    assert "1 tensor in higher precision" in text
    assert "Leak guard" in text
    assert text.count("data:image/jpeg;base64,") > 6
    assert len(text) < 3_000_000


def test_optional_sections_stay_away(report: Report, curves: ReportCurves) -> None:
    text = render(report, curves)
    optional = ("thresholds", "galleries", "flips", "quantization", "profile", "estimates", "firmware", "sets")
    for section in optional:
        assert f'<section id="{section}"' not in text
        assert f'href="#{section}"' not in text


def test_time_by_role_and_delegation(deployed: Report, curves: ReportCurves) -> None:
    text = render(deployed, curves)
    assert "onnxruntime-int8: float 25.0 %, 0.500 ms" in text
    assert "Delegated %" in text
    assert "not delegated: MAXIMUM (10.0\u00a0%)" in text
    # a delegate is no column where no runtime has one
    alone = deployed.model_copy(update={"variants": deployed.variants[:3]})
    assert "Delegated %" not in render(alone, curves)


def test_one_curve_for_variants_of_one_quantization(deployed: Report, curves: ReportCurves) -> None:
    text = render(deployed, curves)
    assert text.count("What each step gave") == 1
    assert "<h3>onnxruntime-int8, tflite-int8 " in text
    assert "equalization: mean 0.9500" in text
    assert "head: 60" in text


def test_estimates_stand_apart_and_warn(deployed: Report, curves: ReportCurves) -> None:
    text = render(deployed, curves)
    section = text[text.index('<section id="estimates" class="framed">') :]
    section = section[: section.index("</section>")]
    assert "estimated by Vela 4.2.0, not measured" in section
    assert "fill the input anew" in section
    assert "tensor arena <b>283 KiB</b>" in text


def test_a_report_without_any_measured_variant(report: Report, curves: ReportCurves) -> None:
    failed = report.variants[0].model_copy(update={"status": "failed", "error": "killed by SIGSEGV"})
    bare = failed.model_validate(
        {"id": "tflite-int8", "runtime": "tflite", "precision": "int8", "method": "stock"}
        | {"status": "failed", "error": f"killed by SIGSEGV {HOSTILE}"}
    )
    empty = ReportCurves(curves.same, {}, curves.reference_scores)
    text = render(report.model_copy(update={"variants": (bare,)}), empty)
    assert '<td class="left failed">failed<' in text
    assert _Page(text).scripts == 1


def test_no_console_message_in_a_browser(full: tuple[Report, ReportCurves], tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here")
    (tmp_path / "report.html").write_text(render(*full), encoding="utf-8")
    result = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            f"file://{tmp_path / 'report.html'}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "CONSOLE" not in result.stderr
    # the script ran: it moved the hover texts of shapes to where it shows them at once
    assert "data-tip=" in result.stdout
