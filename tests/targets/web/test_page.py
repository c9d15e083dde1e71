"""The page that ships with a run, in a headless Chromium: what it computes is what Node computed, bit for bit."""

import cv2
import numpy as np
import onnxruntime
import pytest

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.run.datasheet import write_datasheet
from ghostface_edge.pipeline.stages.golden import golden_faces
from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.reports.evidence import OperatingPoint, ThresholdTransfer
from ghostface_edge.reports.metrics import cosines
from ghostface_edge.reports.proven import Proven
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.runners.recording import GoldenRecorder, read_golden
from ghostface_edge.targets.runners.thresholds import Thresholds
from ghostface_edge.targets.runners.write import Run, write_runners
from ghostface_edge.targets.table import load_target, parse_variants

from ..runners.conftest import write_network
from .browser import browsing, find_browser, serving

READY = "!document.querySelector('#selftest').disabled"
STRICT, LENIENT = 0.999, -0.999


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run of a tiny network, whose strictest threshold nobody but the same picture reaches."""
    target = load_target("web")
    try:
        target.require()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    out = tmp_path_factory.mktemp("run")
    (out / "models").mkdir()
    models = {quantized: write_network(out / f"{quantized}.onnx", quantized=quantized) for quantized in (True, False)}
    runs = []
    for variant in parse_variants(["web-fp32", "web-int8"]):
        artifact = out / f"models/tiny-{variant}.onnx"
        if variant.precision is Precision.INT8:
            target.lower_quantized(models[True], artifact)
        else:
            target.convert(models[False], variant.precision, artifact)
        points = {
            far: OperatingPoint(threshold=value, far=0.0, frr=0.0)
            for far, value in (("0.1", LENIENT), ("0.01", STRICT))
        }
        transfers = {far: ThresholdTransfer(reference=one, frozen=one, retuned=one) for far, one in points.items()}
        write_datasheet(artifact, target.inspect(artifact), 24, transfers, Proven(on=(), not_on=()), {})
        folder = tmp_path_factory.mktemp(str(variant))
        recorded = GoldenRecorder("web").record(artifact, golden_faces(), folder)
        runs.append(Run(variant, artifact, read_golden(folder, recorded), Thresholds()))
    write_runners(out / "runners", golden_faces(), runs)
    return out


@pytest.fixture(scope="module")
def embeddings(run_folder):
    """What Node computed for the golden faces, by variant."""
    golden = run_folder / "runners/golden"
    return {variant: np.load(golden / variant / "embeddings.npy") for variant in ("web-fp32", "web-int8")}


@pytest.fixture(scope="module")
def page(run_folder, tmp_path_factory):
    """The page, once it has compared its two examples, and what the server was asked for."""
    if find_browser() is None:
        pytest.skip("no Chromium here")
    with (
        serving(run_folder / "runners/web") as (address, asked),
        browsing(tmp_path_factory.mktemp("profile")) as page,
    ):
        page.open(f"{address}/index.html", READY)
        yield page, asked


def text(page, name):
    return page.value(f"document.querySelector('#{name}').textContent")


def selftest_of(page):
    """What the self-test says."""
    page.value("document.querySelector('#tested').textContent = ''; document.querySelector('#selftest').click()")
    page.wait("document.querySelector('#tested').textContent.includes('faces')")
    return text(page, "tested")


def score_of(one, other):
    return f"{cosines(one[None], other[None])[0]:.4f}"


@pytest.mark.parametrize(("variant", "quantized"), [("web-fp32", False), ("web-int8", True)])
def test_node_agrees_with_onnx_runtime(run_folder, embeddings, variant, quantized):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # float, also on grids
    session = onnxruntime.InferenceSession(run_folder / f"{quantized}.onnx", options)
    inputs = np.ascontiguousarray(normalize(golden_faces()).transpose(0, 3, 1, 2))
    expected = session.run(None, {"faces": inputs})[0]
    assert cosines(embeddings[variant], expected).min() > (0.999 if quantized else 0.999999)


def test_two_faces_give_their_score_and_nothing_else_is_fetched(page, embeddings, run_folder):
    page, asked = page
    assert text(page, "score") == score_of(*embeddings["web-fp32"][:2])
    assert text(page, "verdict") == "different people"
    assert "threshold 0.9990 at FAR 0.01; embeddings took" in text(page, "details")
    assert {path.lstrip("/") for path, _ in asked} <= {file.name for file in (run_folder / "runners/web").iterdir()}
    assert {status for _, status in asked} <= {"200", "304"}
    assert page.said == []


@pytest.mark.parametrize("variant", ["web-int8", "web-fp32"])
def test_its_embeddings_are_the_bytes_of_node(page, variant):
    page, _ = page
    page.value(
        f"(select => {{ select.value = '{variant}'; select.dispatchEvent(new Event('change')); }})"
        "(document.querySelector('#variant'))"
    )
    assert "8 faces: the very embeddings that Node computed; " in selftest_of(page)


def test_a_browser_that_computes_something_else_is_told(page, run_folder):
    page, _ = page
    file = run_folder / "runners/web/web-fp32.f32"
    recorded = file.read_bytes()
    file.write_bytes(recorded[:-4] + b"\0\0\0\0")
    said = selftest_of(page)
    file.write_bytes(recorded)
    assert "other embeddings than Node computed, lowest cosine 0.9" in said


def test_photographs_of_its_user(page, embeddings, run_folder, tmp_path):
    page, _ = page
    web = run_folder / "runners/web"
    page.give(".face:nth-child(2) input", web / "face-0.png")
    page.wait("document.querySelector('#verdict').textContent === 'same person'")
    assert text(page, "score") == "1.0000"
    large = cv2.resize(cv2.imread(str(web / "face-5.png")), (300, 200))
    cv2.imwrite(str(tmp_path / "<b>large.png"), large)
    page.give(".face:nth-child(1) input", tmp_path / "<b>large.png")
    page.wait("document.querySelector('#verdict').textContent === 'no verdict'")
    assert "its middle was taken" in text(page, "warning")
    assert page.value("document.querySelector('.name').textContent") == "<b>large.png"
    page.give(".face:nth-child(1) input", web / "face-5.png")
    page.wait("document.querySelector('#verdict').textContent === 'different people'")
    assert text(page, "warning") == ""
    assert text(page, "score") == score_of(*embeddings["web-fp32"][[5, 0]])
    (tmp_path / "no.png").write_bytes(b"no image")
    page.give(".face:nth-child(1) input", tmp_path / "no.png")
    page.wait("document.querySelector('#score').textContent === ''")
    assert text(page, "details")
