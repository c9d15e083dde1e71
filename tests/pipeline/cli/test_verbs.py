"""The other verbs, on what the main job left behind."""

import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ghostface_edge.pipeline.cli.measure import _opened


def model(finished, ending):
    _, out = finished
    (path,) = out.glob(f"models/*-{ending}")
    return path


def test_help_of_every_verb(cli):
    shown = cli("--help")
    assert shown.returncode == 0
    for verb in (
        "run",
        "inspect",
        "export",
        "quantize",
        "evaluate",
        "benchmark",
        "gate",
        "bundle",
        "verify",
        "align",
        "reproduce",
        "diff",
    ):
        assert verb in shown.stdout
        assert cli(verb, "--help").returncode == 0


def test_inspect_a_checkpoint_and_artifacts(finished, cli, given):
    facts = json.loads(cli("inspect", given["--checkpoint"], "--json").stdout)
    assert facts["name"] == "GhostFaceNetV1-0.5-2"
    assert (facts["parameters"], facts["embedding_size"]) == (722_364, 512)
    for ending in ("onnxruntime-int8.onnx", "openvino-int8.xml", "tflite-int8.tflite"):
        facts = json.loads(cli("inspect", model(finished, ending), "--json").stdout)
        assert facts["mmacs"] >= 10.7  # TFLite's narrow convolutions gain some zeros
        assert facts["share_of_macs"]["int8"] == "100.0%"


def test_inspect_refuses_what_it_does_not_know(cli, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    for name, says in (
        ("notes.txt", "no runtime takes '.txt'"),
        ("gone.onnx", "gone.onnx cannot be read: No such file"),
    ):
        done = cli("inspect", tmp_path / name)
        assert done.returncode == 2
        assert says in done.stderr


def test_export_then_quantize(cli, given, tmp_path):
    exported = cli("export", given["--checkpoint"], "-o", tmp_path / "net.onnx")
    assert exported.returncode == 0, exported.stderr
    assert "equals PyTorch to" in exported.stdout
    done = cli(
        *("quantize", tmp_path / "net.onnx", "--target", "onnxruntime-int8-stock,tflite-int8", "-o", tmp_path / "int8"),
        *("--calibration", given["--calibration"], "--recipe", given["recipe"]),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "int8/net-onnxruntime-int8-stock.onnx").is_file()
    assert (tmp_path / "int8/net-tflite-int8.tflite").is_file()


def test_evaluate_against_a_reference(finished, cli, few_pairs):
    done = cli(
        *("evaluate", model(finished, "tflite-fp16.tflite"), "--pairs", few_pairs),
        *("--reference", model(finished, "onnxruntime-fp32.onnx"), "--json"),
    )
    facts = json.loads(done.stdout)
    assert facts["accuracy"]["mean"] >= 0.9
    assert facts["versus_reference"]["cosine_min"] > 0.9999
    # 30 people, two images each
    assert (facts["all_pairs"]["genuine"], facts["all_pairs"]["impostor"]) == (30, 60 * 59 // 2 - 30)
    loosest = facts["all_pairs"]["fnmr_at_fmr"]["0.01"]
    low, high = loosest["rise_ci95_pp"]
    assert low <= loosest["rise_pp"] <= high
    assert "more comparisons" in facts["all_pairs"]["not_answerable"]["0.001"]


def test_evaluate_tells_groups_of_people(finished, cli, few_pairs, tmp_path):
    lines = (few_pairs.parent / "pairs.txt").read_text().splitlines()[1:]
    people = sorted({line.split("\t")[0] for line in lines})
    table = tmp_path / "people.csv"
    rows = [f"{name},{'fm'[place % 2]}" for place, name in enumerate(people)]
    table.write_text("\n".join(["person,sex", *rows, "Nobody,f", ""]))
    asked = (model(finished, "tflite-fp16.tflite"), "--pairs", few_pairs, "--groups", table)
    refused = cli("evaluate", *asked)
    assert refused.returncode == 2
    assert "give the FP32 artifact with --reference" in refused.stderr
    facts = json.loads(
        cli("evaluate", *asked, "--reference", model(finished, "onnxruntime-fp32.onnx"), "--json").stdout
    )
    assert facts["groups"]["fmr"] == "0.01"
    women, men = facts["groups"]["rows"]
    assert (women["people"], women["genuine"], men["genuine"]) == (15, 15, 15)
    assert women["finding"] == men["finding"] == "too small"
    assert 0 <= women["fnmr"]["variant"] <= women["fnmr"]["variant_ci"][1] <= 1


def test_evaluate_on_a_gallery_alone_and_with_pairs_at_its_threshold(finished, cli, few_pairs, people):
    net = model(finished, "onnxruntime-fp32.onnx")
    alone = cli("evaluate", net, "--gallery", people, "--json")
    assert alone.returncode == 0, alone.stderr
    facts = json.loads(alone.stdout)
    assert list(facts) == ["all_pairs"]
    assert (facts["all_pairs"]["genuine"], facts["all_pairs"]["impostor"]) == (40, 115 * 114 // 2 - 40)
    done = cli("evaluate", net, "--gallery", people, "--pairs", few_pairs, "--flip", "--json")
    facts = json.loads(done.stdout)
    kept = facts["one_threshold"][few_pairs.stem]["0.01"]
    assert kept["threshold"] == facts["all_pairs"]["fnmr_at_fmr"]["0.01"]["threshold"]
    # all images of the pairs, which are known too
    assert (kept["genuine"], kept["impostor"]) == (30, 60 * 59 // 2 - 30)
    table = cli("evaluate", net, "--gallery", people, "--pairs", few_pairs)
    assert f"{few_pairs.stem} 0.01" in table.stdout


def test_evaluate_searches_probes_among_many(finished, cli, people):
    nets = model(finished, "onnxruntime-fp32.onnx"), model(finished, "onnxruntime-int8.onnx")
    done = cli("evaluate", nets[1], "--gallery", people, "--reference", nets[0], "--identification", "--json")
    facts = json.loads(done.stdout)
    found, before = facts["identification"], facts["identification_of_reference"]
    assert (found["enrolled"], found["mated"], found["non_mated"]) == (40, 40, 35)
    assert found["rank"]["1"]["drop_pp"] == pytest.approx(
        100 * (before["rank"]["1"]["rate"] - found["rank"]["1"]["rate"])
    )
    assert found["tpir"]["0.1"]["support"] == "bound"
    assert found["tpir"]["0.1"]["rate"] <= found["rank"]["1"]["rate"]
    assert "265 more probes of people who are not" in found["not_answerable"]["0.01"]


def test_evaluate_with_templates_of_an_older_release(finished, cli, people):
    nets = model(finished, "onnxruntime-int8.onnx"), model(finished, "onnxruntime-fp32.onnx")
    command = ("evaluate", nets[0], "--gallery", people, "--enrolled-by", nets[1])
    done = cli(*command, "--json")
    found = json.loads(done.stdout)["enrolled_by"]
    assert (found["model"], found["genuine"], found["impostor"]) == (str(nets[1]), 80, 2 * (115 * 114 // 2 - 40))
    row = found["at_fmr"]["0.01"]
    kept = row["at_old_threshold"]
    assert kept["rise_pp"] == pytest.approx(100 * (kept["fnmr"] - row["old_fnmr"]))
    assert f"{len(found['enrol_again'])} of 40 people would be rejected less often" in done.stderr
    assert "at fmr 0.01 at old threshold" in cli(*command).stdout


def test_evaluate_needs_to_know_who_is_who(finished, cli, few_pairs, tmp_path):
    shutil.copyfile(few_pairs, tmp_path / "unknown.bin")
    for option in (("--identification",), ("--enrolled-by", model(finished, "onnxruntime-fp32.onnx"))):
        done = cli("evaluate", model(finished, "onnxruntime-fp32.onnx"), "--pairs", tmp_path / "unknown.bin", *option)
        assert done.returncode == 2
        assert "it is not known who is on the images of" in done.stderr


def test_evaluate_needs_faces(finished, cli):
    done = cli("evaluate", model(finished, "onnxruntime-fp32.onnx"))
    assert done.returncode == 2
    assert "give --pairs, or a folder of people with --gallery" in done.stderr


def test_a_list_of_groups_takes_a_line_each():
    rows = [{"value": "f", "people": 2}, {"value": "m", "people": 3}]
    assert list(_opened({"fmr": "0.01", "rows": rows, "none": []})) == [
        *(("fmr", "0.01"), ("rows 1", rows[0]), ("rows 2", rows[1]), ("none", []))
    ]


def test_benchmark_compares_with_the_first(finished, cli):
    paths = [model(finished, f"tflite-{precision}.tflite") for precision in ("fp32", "int8")]
    first, second = json.loads(cli("benchmark", *paths, "--json").stdout)
    assert first["artifact"].endswith("fp32.tflite")
    assert first["versus_first"] == 1
    assert second["versus_first"] > 0
    assert second["runs"] >= 200


def test_benchmark_writes_nothing_beside_the_models_and_tells_equal_names_apart(finished, cli, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        shutil.copyfile(model(finished, "onnxruntime-fp32.onnx"), tmp_path / folder / "net.onnx")
    below = tmp_path / "one" / ".." / "two" / "net.onnx"
    done = cli("benchmark", tmp_path / "one/net.onnx", below, "--profile", "--json")
    assert done.returncode == 0, done.stderr
    facts, names = json.loads(done.stdout), [str(tmp_path / "one/net.onnx"), str(below)]
    assert [row["artifact"] for row in facts["latency"]] == names
    assert list(facts["profile"]) == names
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["net.onnx", "net.onnx", "one", "two"]


def test_quantize_refuses_what_a_run_made_for_a_runtime(finished, cli, given, tmp_path):
    for ending in ("onnxruntime-fp32.onnx", "onnxruntime-int8.onnx"):
        done = cli(
            *("quantize", model(finished, ending), "--target", "tflite", "-o", tmp_path / "int8"),
            *("--calibration", given["--calibration"]),
        )
        assert done.returncode == 2, done.stderr
        assert "ghostface-edge export CHECKPOINT" in done.stderr
        assert not (tmp_path / "int8").exists()


def test_gate_judges_again(finished, cli):
    done, out = finished
    again = cli("gate", out / "report.json", "--json")
    assert again.returncode == done.returncode
    stored = json.loads((out / "report.json").read_text())["gate"]
    assert json.loads(again.stdout)["verdict"] == stored["verdict"]
    assert "onnxruntime-int8-stock" in cli("gate", out / "report.json", "--explain").stdout


def test_compare_a_run_with_itself(finished, cli, tmp_path):
    _, out = finished
    done = cli("compare", out / "report.json", out / "report.json", "--html", tmp_path / "page.html")
    assert done.returncode == 0
    assert "tflite-int8" in done.stdout
    assert (tmp_path / "page.html").stat().st_size > 1000


def test_a_bundle_is_checked(finished, cli, tmp_path):
    _, out = finished
    bundle = tmp_path / "release.zip"
    assert cli("bundle", out, "-o", bundle).returncode == 0
    done = cli("verify", bundle)
    assert done.returncode == 0
    assert "whole, unsigned: it does not tell who made it" in done.stdout
    first = bundle.read_bytes()
    cli("bundle", out, "-o", bundle)
    assert bundle.read_bytes() == first
    (model,) = (out / "models").glob("*-tflite-int8.tflite")
    place = first.index(model.read_bytes())
    bundle.write_bytes(first[:place] + bytes([first[place] ^ 1]) + first[place + 1 :])
    done = cli("verify", bundle)
    assert done.returncode == 2
    assert f"models/{model.name} is damaged" in done.stderr
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "private.pem").write_bytes(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)
    done = cli("bundle", out, "-o", bundle, "--variant", "tflite-int8", "--sign", tmp_path / "private.pem")
    assert done.returncode == 0, done.stderr
    said = json.loads(cli("verify", bundle, "--key", tmp_path / "public.pem", "--json").stdout)
    assert said["signature_checked"]
    assert said["variants"] == ["tflite-int8"]
    assert said["verdict"]["policy"] == "default"


def test_align_photographs(assets, cli, tmp_path):
    raw, landmarks = assets / "lfw/raw", assets / "lfw/landmarks.csv"
    done = cli("align", raw, "-o", tmp_path / "faces", "--landmarks", landmarks, "--sheet", tmp_path / "sheet.jpg")
    assert done.returncode == 0, done.stderr
    assert "305 faces" in done.stdout
    assert len(list((tmp_path / "faces").glob("*/*.png"))) == 305
    assert (tmp_path / "sheet.jpg").stat().st_size > 10_000
    refused = cli("align", raw, "-o", tmp_path / "faces2")
    assert refused.returncode == 2
    assert "--landmarks" in refused.stderr
    assert not (tmp_path / "faces2").exists()
