"""The main job and `quantize` for microcontrollers, on the shared job's inputs: the cache keeps its quantized model."""

import json
import zipfile

import pytest

pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")

from .conftest import arguments_of

MODEL = "GhostFaceNetV1-0.5-2"
ACCELERATORS = ("ethos-u55-64", "ethos-u55-128", "ethos-u55-256", "ethos-u65-256", "ethos-u85-256")


@pytest.fixture(scope="module")
def firmware(cli, given, tmp_path_factory):
    out = tmp_path_factory.mktemp("micro") / "out"
    done = cli("run", *arguments_of(given), "--targets", "ethos-u", "--input", "uint8", "--out", out)
    (variant,) = json.loads((out / "report.json").read_text())["variants"]
    return done, out, variant


def test_ethos_u_is_verified_in_the_interpreter_of_microcontrollers(firmware):
    done, _, variant = firmware
    assert variant["id"] == "tflite-micro-int8", done.stderr
    assert variant["status"] == "ok"
    assert variant["int8_mac_share"] == 1
    assert variant["versus_reference"]["cosine_mean"] > 0.9
    assert 200_000 < variant["firmware"]["arena_bytes"] < 400_000
    assert variant["firmware"]["operators"]["QUANTIZE"] == 1
    assert variant["curve"]
    assert len(variant["range_stability"]) == 20
    assert variant["profile"] == []


def test_estimates_of_every_accelerator_with_nothing_on_the_cpu(firmware):
    done, out, variant = firmware
    estimates = {estimate["accelerator"]: estimate for estimate in variant["estimates"]}
    for accelerator in ACCELERATORS:
        plain, kept = estimates[accelerator], estimates[f"{accelerator}, input kept"]
        assert plain["cpu_operators"] == kept["cpu_operators"] == 0
        assert plain["npu_operators"] >= 150
        assert 0.5 < plain["inference_ms"] < 30
        assert 150 < plain["sram_kib"] < 400
        assert 600 < plain["flash_kib"] < 900
        assert 180_000 < plain["arena_bytes"] <= kept["arena_bytes"] + plain["fast_memory_bytes"]
        assert not kept["output_in_input"]
        assert (out / kept["path"]).is_file()
    assert "estimated by Vela" in done.stdout


def test_the_files_say_how_to_feed_the_camera_bytes(firmware):
    _, out, _ = firmware
    sheet = json.loads((out / f"models/{MODEL}-tflite-micro-int8.tflite.json").read_text())
    assert (sheet["input"]["dtype"], sheet["input"]["quantization"]) == ("uint8", "q = pixel")
    header = (out / f"models/{MODEL}-tflite-micro-int8.h").read_text()
    assert "each value is the camera's byte as it is." in header


def test_a_runner_and_golden_faces_come_with_it(firmware):
    _, out, variant = firmware
    model = (out / "runners/tflite-micro/model.h").read_text()
    assert "#define MODEL(name) ghostfacenetv1_0_5_2_tflite_micro_int8##name" in model
    assert f'#include "{MODEL}-tflite-micro-int8.h"' in model
    assert (out / variant["firmware"]["files"][1]).name == f"{MODEL}-tflite-micro-int8.h"
    golden = (out / "runners/golden/tflite-micro-int8/golden.c").read_text()
    assert "GOLDEN_UINT8" in golden


def test_a_bundle_holds_the_firmware_and_proves_itself(firmware, cli, tmp_path):
    _, out, variant = firmware
    bundle = tmp_path / "release.zip"
    assert cli("bundle", out, "-o", bundle).returncode == 0
    assert cli("verify", bundle).returncode == 0
    names = set(zipfile.ZipFile(bundle).namelist())
    compiled = {name for estimate in variant["estimates"] for name in (estimate["path"], *estimate["files"])}
    assert names >= {*variant["firmware"]["files"], *compiled}


def test_quantize_writes_the_same_files_as_run(firmware, cli, given, tmp_path):
    """An export is the same bytes as the main job's, so that its quantized form is reused."""
    _, out, _ = firmware
    exported, folder = tmp_path / f"{MODEL}.onnx", tmp_path / "firmware"
    cli("export", given["--checkpoint"], "-o", exported, "--calibration", given["--calibration"])
    done = cli(
        *("quantize", exported, "--target", "ethos-u", "--input", "uint8", "-o", folder),
        *("--recipe", given["recipe"], "--calibration", given["--calibration"]),
    )
    assert done.returncode == 0, done.stderr
    assert "equalize" not in done.stderr
    expected = {path.name: path for path in out.glob(f"models/{MODEL}*") if path.suffix != ".json"}
    assert {path.name for path in folder.iterdir()} == expected.keys()
    assert len(done.stdout.split()) == len(expected)
    for name, path in expected.items():
        assert (folder / name).read_bytes() == path.read_bytes()


def test_an_input_that_nothing_takes_is_refused(cli, given, tmp_path):
    for targets, says in (("openvino", "no variant has a choice of input"), ("tflite-micro-fp32", "such as uint8")):
        done = cli("run", *arguments_of(given), "--targets", targets, "--input", "uint8", "--out", tmp_path / "out")
        assert done.returncode == 2
        assert says in done.stderr
        assert not (tmp_path / "out").exists()
    done = cli("run", *arguments_of(given), "--input", "unit8", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "uint8" in done.stderr


def test_targets_lists_ethos_u(cli):
    rows = {row["runtime"]: row for row in json.loads(cli("targets", "--json").stdout)}
    assert rows["tflite-micro"]["variants"] == ["tflite-micro-fp32", "tflite-micro-int8"]
    assert rows["ethos-u"]["variants"] == ["tflite-micro-int8"]
    assert rows["ethos-u"]["ready"]
    assert rows["ethos-u"]["versions"].keys() == {"ethos-u-vela"}
    shown = " ".join(cli("targets").stdout.split())
    assert "another name of tflite-micro-int8" in shown
