"""The main job on real inputs: the official checkpoint, 200 of LFW's pairs, every target."""

import json
import pickle
import subprocess
import sys
import time

import pytest

CHECKPOINT = "checkpoints/GN_W0.5_S2_ArcFace_epoch16.h5"


@pytest.fixture(scope="module")
def few_pairs(assets, tmp_path_factory):
    """The first 10 + 10 pairs of each of LFW's folds, in the .bin's own form."""
    images, same = pickle.loads((assets / "lfw/lfw.bin").read_bytes())
    keep = [fold * 600 + half * 300 + row for fold in range(10) for half in range(2) for row in range(10)]
    path = tmp_path_factory.mktemp("pairs") / "few.bin"
    chosen = [images[2 * pair + side] for pair in keep for side in range(2)]
    path.write_bytes(pickle.dumps((chosen, [bool(same[pair]) for pair in keep])))
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def command(*arguments, cache, **options):
    return subprocess.run(
        [sys.executable, "-m", "ghostface_edge.pipeline", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "GHOSTFACE_EDGE_CACHE": str(cache), "PYTHONPATH": ":".join(sys.path)},
        check=False,
        **options,
    )


@pytest.fixture(scope="module")
def finished(assets, few_pairs, cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    done = command(
        *("run", "--checkpoint", assets / CHECKPOINT, "--pairs", few_pairs),
        *("--calibration", assets / "lfw/calibration", "--out", out),
        cache=cache,
    )
    return done, out


def test_nine_variants_are_built_checked_and_timed(finished):
    done, out = finished
    report = json.loads((out / "report.json").read_text())
    variants = {variant["id"]: variant for variant in report["variants"]}
    assert {variant["status"] for variant in variants.values()} == {"ok"}, done.stderr
    assert {"openvino-int8-stock", "onnxruntime-fp16", "tflite-fp32"} <= set(variants)
    assert report["model"]["parameters"] == 722_364
    assert report["model"]["mmacs"] == pytest.approx(10.7, abs=0.05)
    assert report["data"]["pairs"]["count"] == 200
    assert report["data"]["calibration"]["identities_shared_with_pairs"] == 0
    for name, variant in variants.items():
        assert (out / variant["artifact"]["path"]).is_file()
        assert variant["artifact"]["bytes"] > 500_000
        assert variant["latency"]["runs"] >= 200
        if name.endswith(("fp32", "fp16")):
            assert variant["accuracy"]["mean"] >= 0.97
            assert variant["versus_reference"]["cosine_min"] > 0.9999
    assert variants["onnxruntime-int8-stock"]["versus_reference"]["cosine_mean"] < 0.6
    assert variants["tflite-int8-stock"]["int8_mac_share"] > 0.95


def test_the_report_comes_in_every_form(finished):
    done, out = finished
    for name in ("report.json", "report.html", "report.md", "junit.xml"):
        assert (out / name).stat().st_size > 1000
    assert "openvino-int8-stock" in done.stdout
    assert "Verdict" in done.stdout
    assert "embed" in done.stderr


def test_a_second_run_converts_and_infers_nothing(finished, assets, few_pairs, cache, tmp_path):
    started = time.time()
    again = command(
        *("run", "--checkpoint", assets / CHECKPOINT, "--pairs", few_pairs),
        *("--calibration", assets / "lfw/calibration", "--out", tmp_path),
        cache=cache,
    )
    first, out = finished
    assert again.returncode == first.returncode
    assert "embed" not in again.stderr
    assert "convert" not in again.stderr
    assert "time " not in again.stderr
    assert [path for path in cache.iterdir() if path.stat().st_mtime_ns and path.stat().st_ctime > started + 1e9] == []
    old, new = (json.loads((folder / "report.json").read_text())["variants"] for folder in (out, tmp_path))
    assert old == new


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"--checkpoint": "nowhere.h5"}, "no such checkpoint"),
        ({"--checkpoint": "lfw/pairs.txt"}, "pairs.txt"),
        ({"--pairs": "lfw/calibration"}, "calibration"),
        ({"--calibration": "empty"}, "holds no images"),
        ({"--targets": "openvno"}, "did you mean 'openvino'"),
        ({"--out": "file/out"}, "cannot be written"),
    ],
)
def test_wrong_use_is_one_message_and_leaves_nothing(assets, few_pairs, cache, tmp_path, changed, says):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    given = {
        "--checkpoint": assets / CHECKPOINT,
        "--pairs": few_pairs,
        "--calibration": assets / "lfw/calibration",
        "--out": tmp_path / "out",
    }
    for option, value in changed.items():
        here = option in {"--out", "--calibration"}
        given[option] = value if option == "--targets" else (tmp_path if here else assets) / value
    done = command("run", *(part for pair in given.items() for part in pair), cache=cache)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_truncated_bin_is_refused(assets, few_pairs, cache, tmp_path):
    cut = tmp_path / "cut.bin"
    cut.write_bytes(few_pairs.read_bytes()[:-1000])
    done = command(
        *("run", "--checkpoint", assets / CHECKPOINT, "--pairs", cut),
        *("--calibration", assets / "lfw/calibration", "--out", tmp_path / "out"),
        cache=cache,
    )
    assert done.returncode == 2
    assert "cut.bin" in done.stderr
    assert not (tmp_path / "out").exists()
