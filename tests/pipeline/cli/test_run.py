"""The main job over every target."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ghostface_edge.calibration.verification import load_pairs

from .conftest import TARGETS, arguments_of

CHECK_REPORT = Path(__file__).resolve().parents[3].parent / "shared/check_report.py"


def test_every_variant_is_built_checked_and_timed(finished):
    done, out = finished
    report = json.loads((out / "report.json").read_text())
    variants = {variant["id"]: variant for variant in report["variants"]}
    assert {variant["status"] for variant in variants.values()} == {"ok"}, done.stderr
    assert len(variants) == 11
    assert report["model"]["parameters"] == 722_364
    assert report["model"]["mmacs"] == pytest.approx(10.7, abs=0.05)
    assert report["data"]["pairs"]["count"] == 60
    assert report["data"]["calibration"]["identities_shared_with_pairs"] == 0
    for name, variant in variants.items():
        assert (out / variant["artifact"]["path"]).is_file()
        assert variant["artifact"]["bytes"] > 500_000
        assert variant["latency"]["runs"] >= 200
        if name.endswith(("fp32", "fp16")):
            assert variant["accuracy"]["mean"] >= 0.9
            assert variant["versus_reference"]["cosine_min"] > 0.9999
        if name.endswith("int8"):
            assert variant["int8_mac_share"] >= 0.95
            assert variant["versus_reference"]["cosine_mean"] > 0.8


def test_the_report_keeps_the_contract(finished):
    if not CHECK_REPORT.is_file():
        pytest.skip("../shared/check_report.py is not there")
    _, out = finished
    checked = subprocess.run(
        [sys.executable, CHECK_REPORT, out / "report.json"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_the_report_comes_in_every_form(finished):
    done, out = finished
    for name in ("report.json", "report.html", "report.md", "junit.xml"):
        assert (out / name).stat().st_size > 1000
    assert "onnxruntime-int8-stock" in done.stdout
    assert "Verdict" in done.stdout
    assert "embed" in done.stderr


def test_every_model_has_a_datasheet_and_the_calibration_faces_are_listed(finished):
    _, out = finished
    (path,) = out.glob("models/*-tflite-int8.tflite.json")
    sheet = json.loads(path.read_text())
    assert sheet["input"]["layout"] == "NHWC"
    assert sheet["input"]["dtype"] == "int8"
    assert sheet["input"]["quantization"] == "q = pixel - 128"
    assert sheet["output"]["embedding_size"] == 512
    assert set(sheet["thresholds"]) <= {"0.01", "0.001"}
    here = [place["device"] for place in sheet["proven"]["on"]] + [one["where"] for one in sheet["proven"]["not_on"]]
    assert here[0] == "local"
    assert "it did not run there, and evidence of " in sheet["proven"]["not_on"][-1]["why"]
    listing = (out / "models/calibration.sha256").read_text().splitlines()
    report = json.loads((out / "report.json").read_text())
    assert len(listing) == report["data"]["calibration"]["images"]
    quantization = json.loads((out / "quantization.json").read_text())["quantization"]
    assert quantization["curve"][-1]["cosine_mean"] > 0.9
    assert quantization["range_stability"]


def test_the_exit_code_is_the_verdict(finished):
    done, out = finished
    verdict = json.loads((out / "report.json").read_text())["gate"]["verdict"]
    assert done.returncode == {"pass": 0, "fail": 1, "inconclusive": 4}[verdict]


def test_a_second_run_converts_and_infers_nothing(finished, cli, given, tmp_path):
    first, out = finished
    again = cli("run", *arguments_of(given), "--targets", TARGETS, "--out", tmp_path / "again")
    assert again.returncode == first.returncode
    for work in (": convert", ": lower", ": embed", ": time"):  # export and quantization may be another test's
        assert work in first.stderr
    for work in ("export to", "quantize (", ": convert", ": lower", ": embed", ": time"):
        assert work not in again.stderr
    old, new = (json.loads((folder / "report.json").read_text()) for folder in (out, tmp_path / "again"))
    assert old["variants"] == new["variants"]
    assert old["gate"] == new["gate"]


def test_a_missing_runtime_is_skipped_and_says_how_to_get_it(cli, given, hiding, tmp_path):
    names, out = "onnxruntime-fp32,tflite-fp32", tmp_path / "out"
    done = cli(
        "run", *arguments_of(given), "--targets", names, "--out", out, **hiding("ai_edge_litert", "tflite_runtime")
    )
    report = json.loads((out / "report.json").read_text())
    status = {variant["id"]: (variant["status"], variant["error"]) for variant in report["variants"]}
    assert status["onnxruntime-fp32"] == ("ok", None)
    assert status["tflite-fp32"][0] == "skipped"
    assert "pip install 'ghostface-edge[tflite]'" in status["tflite-fp32"][1]
    assert done.returncode == 4


def test_the_official_network_on_lfw(assets, cli, tmp_path):
    images, same = pickle.loads((assets / "lfw/lfw.bin").read_bytes())
    keep = [fold * 600 + half * 300 + row for fold in range(10) for half in range(2) for row in range(10)]
    chosen = [images[2 * pair + side] for pair in keep for side in range(2)]
    (tmp_path / "few.bin").write_bytes(pickle.dumps((chosen, [bool(same[pair]) for pair in keep])))
    done = cli(
        *("run", "--checkpoint", assets / "checkpoints/GN_W0.5_S2_ArcFace_epoch16.h5"),
        *("--pairs", assets / "lfw/raw-pairs.txt", "--faces", assets / "lfw/raw", "--pairs", tmp_path / "few.bin"),
        *("--landmarks", assets / "lfw/landmarks.csv", "--calibration", assets / "lfw/calibration"),
        *("--calibration-faces", 200, "--targets", "onnxruntime-fp32,onnxruntime-int8-stock"),
        *("--out", tmp_path / "out", "--json"),
    )
    report = json.loads(done.stdout)
    assert report["data"]["pairs"]["count"] == 200
    assert report["data"]["calibration"]["identities_shared_with_pairs"] == 0
    assert [further["name"] for further in report["data"]["further_pairs"]] == ["few"]
    fp32, stock = report["variants"]
    assert fp32["accuracy"]["mean"] >= 0.96
    assert fp32["sets"]["few"]["accuracy"]["mean"] >= 0.97
    assert stock["versus_reference"]["cosine_mean"] < 0.6


def test_without_arguments_the_embedded_network_runs_on_rendered_faces(cli, tmp_path):
    done = cli("run", "--targets", "onnxruntime-fp32", "--out", tmp_path / "out", "--json")
    report = json.loads(done.stdout)
    assert report["data"]["pairs"]["count"] >= 600
    assert report["data"]["calibration"]["identities_shared_with_pairs"] == 0
    assert report["variants"][0]["accuracy"]["mean"] >= 0.97


def test_some_of_the_three_inputs_are_too_few(cli, few_pairs):
    done = cli("run", "--pairs", few_pairs)
    assert done.returncode == 2
    assert "give all three" in done.stderr


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"--checkpoint": "nowhere.h5"}, "nowhere.h5 cannot be read"),
        ({"--checkpoint": "file"}, "file"),
        ({"--pairs": "empty"}, "empty"),
        ({"--calibration": "empty"}, "holds no images"),
        ({"--targets": "openvno"}, "did you mean 'openvino'"),
        ({"--out": "file/out"}, "cannot be written"),
        ({"--store-key": "nowhere.pem"}, "none is named"),
        ({"--history": "file/runs"}, "cannot be written"),
        ({"--release": "v1"}, "give the folder with --history, too"),
        ({"recipe": "balancd"}, "did you mean `balanced`"),
    ],
)
def test_wrong_use_is_one_message_and_leaves_nothing(cli, given, tmp_path, changed, says):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    options = given | {"--out": tmp_path / "out"}
    for option, value in changed.items():
        options[option] = value if option in {"--targets", "recipe"} else tmp_path / value
    done = cli("run", *arguments_of(options))
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_truncated_bin_is_refused(cli, given, few_pairs, tmp_path):
    cut = tmp_path / "cut.bin"
    cut.write_bytes(few_pairs.read_bytes()[:-1000])
    done = cli("run", *arguments_of(given | {"--pairs": cut}), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "cut.bin" in done.stderr
    assert not (tmp_path / "out").exists()


def test_who_leaks_is_left_out_unless_allowed_or_refused(cli, given, few_pairs, few_faces, tmp_path):
    faces = shutil.copytree(few_faces, tmp_path / "faces")
    (faces / "Leaky_Person").mkdir()
    (faces / "Leaky_Person/one.png").write_bytes(load_pairs(few_pairs).images[0])
    options = arguments_of(given | {"--calibration": faces, "--targets": "onnxruntime-fp32"})

    def calibration(*more):
        assert cli("run", *options, *more, "--out", tmp_path / "out").returncode in {0, 1, 4}
        return json.loads((tmp_path / "out/report.json").read_text())["data"]["calibration"]

    left_out = calibration()
    assert (left_out["identities"], left_out["identities_shared_with_pairs"]) == (40, 0)
    assert "Leaky_Person" in left_out["leak_guard"]["found"][0]
    allowed = calibration("--allow-leak", "Leaky_Person")
    assert (allowed["identities"], allowed["identities_shared_with_pairs"]) == (41, 1)
    assert allowed["leak_guard"]["allowed"] == ["Leaky_Person"]
    refused = cli("run", *options, "--leaks", "refuse", "--out", tmp_path / "refused")
    assert refused.returncode == 2
    assert "Leaky_Person" in refused.stderr
    assert not (tmp_path / "refused").exists()
