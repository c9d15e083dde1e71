import hashlib
import io
import json
import os
import random
import resource
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from ghostface_edge.pipeline.tools import bundle as bundles
from ghostface_edge.pipeline.tools.archive import Writer
from ghostface_edge.pipeline.tools.bundle import check_bundle, write_bundle
from ghostface_edge.reports.devices import Device
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.renderings.report_files import pages, write_report
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Variant


def content(bundle):
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forge(bundle, changed, *, manifest=True):
    """Pack a bundle again with other members (None takes one out), as its writer would, and its manifest rewritten."""
    files = {name: data for name, data in (content(bundle) | changed).items() if data is not None}
    old = files.pop("MANIFEST.json")
    hashes = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    with bundle.open("w+b") as file:
        writer = Writer(file)
        for name in hashes:
            writer.add(name, [files[name]])
        writer.add("MANIFEST.json", [json.dumps(hashes, indent=2).encode() if manifest else old])
        writer.finish()


def forge_report(bundle, change, **changed):
    """Change the report, and make the pages anew, so that all of it fits together."""
    document = json.loads(content(bundle)["report.json"])
    change(document)
    report = Report.model_validate(document)
    made = {name: page.encode() for name, page in pages(report).items()}
    forge(bundle, {"report.json": report.to_json().encode(), **made, **changed})


def variant(document, label):
    (found,) = [one for one in document["variants"] if one["id"] == label]
    return found


def refusal(bundle):
    with pytest.raises(InputError) as refused:
        check_bundle(bundle)
    return str(refused.value)


def test_a_bundle_holds_what_the_report_names_and_proves_itself(bundle, run_dir, small_report):
    report = check_bundle(bundle)
    assert report == small_report
    files = content(bundle)
    named = [name for one in report.variants for name in one.files]
    assert list(files) == [*sorted([*named, "junit.xml", "report.html", "report.json", "report.md"]), "MANIFEST.json"]
    for name in named:
        assert files[name] == (run_dir / name).read_bytes()
    assert files["report.json"] == (run_dir / "report.json").read_bytes()
    assert len(named) == 10


def test_what_ran_on_a_device_is_packed_once(run_dir, small_report, tmp_path):
    local = small_report.variants[1]
    there = {
        **{name: getattr(local, name) for name in ("runtime", "precision", "method", "artifact", "accuracy")},
        "id": f"{local.id}@pi4",
        "device": "pi4",
        "status": "ok",
        "versus_reference": local.versus_reference,
        "latency": local.latency,
        "versus_local": {
            "faces": 4000,
            "equal_bytes": 4000,
            "cosine_mean": 1.0,
            "cosine_min": 1.0,
            "max_abs": 0.0,
            "drop_pp": 0.0,
            "ci95_pp": [-0.15, 0.15],
            "flipped_pairs": 0,
        },
    }
    pi4 = {"name": "pi4", "kind": "ssh", "machine": "aarch64", "cpu": "Cortex-A72", "os": "Debian 12", "is_timed": True}
    device = Device.model_validate({**pi4, "faces": 4000, "pairs": 2000, "same": 1000})
    variants = (*small_report.variants, Variant.model_validate(there))
    report = judge_report(small_report.model_copy(update={"variants": variants, "devices": (device,)}))
    write_report(report, None, run_dir)
    names = write_bundle(run_dir, tmp_path / "devices.zip")
    assert check_bundle(tmp_path / "devices.zip").variants[-1].device == "pi4"
    assert sorted(name for name in names if name.startswith("models/")) == sorted(
        name for one in small_report.variants for name in one.files
    )


def test_the_same_run_gives_the_same_bytes_wherever_it_lies(bundle, run_dir, tmp_path):
    first = bundle.read_bytes()
    (run_dir / "notes.txt").write_text("of a user")
    os.utime(run_dir / "report.json", (1, 1))
    moved = run_dir.rename(tmp_path / "moved")
    assert write_bundle(moved, bundle) == sorted(content(bundle).keys() - {"MANIFEST.json"})
    assert bundle.read_bytes() == first


def test_pages_are_the_reports_whatever_lies_in_the_folder(run_dir, small_report, tmp_path):
    (run_dir / "report.html").write_text("<p>Verdict: pass</p>")
    (run_dir / "report.md").unlink()
    write_bundle(run_dir, tmp_path / "x.zip")
    packed = content(tmp_path / "x.zip")
    assert {name: packed[name].decode() for name in pages(small_report)} == pages(small_report)


def test_the_folder_itself_may_be_a_link(run_dir, bundle, tmp_path):
    (tmp_path / "latest").symlink_to(run_dir)
    write_bundle(tmp_path / "latest", tmp_path / "x.zip")
    assert (tmp_path / "x.zip").read_bytes() == bundle.read_bytes()


def refuse_to_bundle(run_dir, output):
    before = sorted(output.parent.iterdir())
    with pytest.raises(InputError) as refused:
        write_bundle(run_dir, output)
    assert sorted(output.parent.iterdir()) == before
    return str(refused.value)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret", "models/../../secret", "models\\secret", ".", "C:secret", "logs/../secret"]
)
@pytest.mark.parametrize("place", ["firmware", "estimates", "artifact", "files"])
def test_names_that_lead_elsewhere_are_not_packed(run_dir, tmp_path, name, place):
    (tmp_path / "secret").write_text("not the run's")
    document = json.loads((run_dir / "report.json").read_text())
    micro = variant(document, "tflite-micro-int8")
    if place == "firmware":
        micro["firmware"]["files"] = [name]
    elif place == "estimates":
        micro["estimates"][0]["path"] = name
    elif place == "artifact":
        micro["artifact"]["path"] = name
    else:
        micro["files"][name] = "0" * 64
    (run_dir / "report.json").write_text(json.dumps(document))
    assert "cannot be the name of a file in a bundle" in refuse_to_bundle(run_dir, tmp_path / "x.zip")


@pytest.mark.parametrize(
    "name",
    ["report.json", "report.html", "report.md", "junit.xml", "models/net-openvino-int8.bin", "models"],
)
def test_links_are_not_followed(run_dir, tmp_path, name):
    (run_dir / name).rename(tmp_path / "elsewhere")
    (run_dir / name).symlink_to(tmp_path / "elsewhere")
    said = refuse_to_bundle(run_dir, tmp_path / "x.zip")
    assert f"{run_dir / name} is a link" in said


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "endless device"])
def test_what_is_no_file_is_not_packed(run_dir, tmp_path, kind):
    path = run_dir / "models/net-openvino-int8.bin"
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless device":
        path.symlink_to("/dev/zero")
    assert "net-openvino-int8.bin" in refuse_to_bundle(run_dir, tmp_path / "x.zip")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("models/net-openvino-int8.bin", "net-openvino-int8.bin is not the file that the report is about"),
        ("models/net-openvino-int8.xml.json", "net-openvino-int8.xml.json is not the file"),
        ("models/net-tflite-micro-int8.h", "net-tflite-micro-int8.h is not the file"),
    ],
)
def test_another_file_than_the_run_s_is_not_packed(run_dir, tmp_path, name, said):
    (run_dir / name).write_bytes(b"other")
    assert said in refuse_to_bundle(run_dir, tmp_path / "x.zip")


def test_a_report_that_names_no_hashes_is_held_to_its_models(run_dir, tmp_path):
    document = json.loads((run_dir / "report.json").read_text())
    for one in document["variants"]:
        one["files"] = {}
    (run_dir / "report.json").write_text(json.dumps(document))
    names = write_bundle(run_dir, tmp_path / "x.zip")
    assert "models/net-tflite-micro-int8.h" in names
    assert "models/net-openvino-int8.xml.json" not in names
    check_bundle(tmp_path / "x.zip")
    (run_dir / "models/net-openvino-int8.bin").write_bytes(b"v" * 900)
    (tmp_path / "x.zip").unlink()
    assert "openvino-int8 is not the model that was measured" in refuse_to_bundle(run_dir, tmp_path / "x.zip")


def test_a_report_that_contradicts_itself_is_not_packed(run_dir, tmp_path):
    document = json.loads((run_dir / "report.json").read_text())
    document["gate"]["checks"][-1]["measured"] = 0.1
    (run_dir / "report.json").write_text(json.dumps(document))
    assert "does not follow from the figures" in refuse_to_bundle(run_dir, tmp_path / "x.zip")


def test_what_is_no_run_is_not_packed(tmp_path):
    assert "report.json cannot be read" in refuse_to_bundle(tmp_path, tmp_path / "x.zip")
    (tmp_path / "report.json").write_text("{}")
    assert "schema_version" in refuse_to_bundle(tmp_path, tmp_path / "x.zip")


def test_a_disk_that_fails_while_reading_is_said(run_dir, tmp_path, monkeypatch):
    """As /proc/self/mem does, whose first page nobody may read."""

    def failing(path, fix):
        return Path("/proc/self/mem").open("rb")

    monkeypatch.setattr(bundles, "open_file", failing)
    assert "cannot be read: Input/output error" in refuse_to_bundle(run_dir, tmp_path / "x.zip")


def test_300_random_changes_of_a_byte_are_refused(bundle, tmp_path):
    good = bundle.read_bytes()
    rng = random.Random(12)
    for place in rng.sample(range(len(good)), 300):
        bad = bytearray(good)
        bad[place] ^= rng.randrange(1, 256)
        bundle.write_bytes(bad)
        refusal(bundle)


def test_damaged_content_is_named(bundle):
    forge(bundle, {"models/net-openvino-int8.bin": b"v" * 900}, manifest=False)
    assert "models/net-openvino-int8.bin has changed since it was bundled" in refusal(bundle)
    good = bundle.read_bytes()
    bundle.write_bytes(good.replace(b"v" * 900, b"v" * 899 + b"u"))
    assert "models/net-openvino-int8.bin is damaged: its CRC" in refusal(bundle)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"models/net-openvino-int8.bin": b"v" * 900}, "net-openvino-int8.bin is not the file that the report"),
        ({"models/net-openvino-int8.bin": b"v"}, "net-openvino-int8.bin is not the file that the report"),
        ({"models/net-ethos-u55-128.tflite": b"m"}, "net-ethos-u55-128.tflite is not the file"),
        ({"models/net-tflite-micro-int8.cc": b"C"}, "net-tflite-micro-int8.cc is not the file"),
        ({"models/net-onnxruntime-fp32.onnx.json": b"{}"}, "net-onnxruntime-fp32.onnx.json is not the file"),
        ({"models/net-openvino-int8.bin": None}, "models/net-openvino-int8.bin is missing"),
        ({"report.json": None}, "holds no report.json"),
        ({"report.md": None}, "report.md is missing"),
        ({"models/added.onnx": b"a"}, "it holds models/added.onnx, which its report does not name"),
        ({"inner.zip": b"PK\x05\x06" + b"\0" * 18}, "it holds inner.zip, which"),
        ({"report.html": b"<h1>pass</h1>"}, "report.html does not follow from report.json"),
        ({"report.md": b"## pass"}, "report.md does not follow from report.json"),
        ({"junit.xml": b"<testsuites/>"}, "junit.xml does not follow from report.json"),
        ({"report.json": b"[" * 60_000}, "report.json is no JSON"),
        ({"report.json": b"\0" * 70_000_000}, "report.json has 70,000,000 bytes, more than"),
    ],
)
def test_a_forged_file_with_a_manifest_that_fits(bundle, changed, said):
    forge(bundle, changed)
    assert said in refusal(bundle)


def test_renamed_and_swapped_models(bundle):
    files = content(bundle)
    first, second = "models/net-onnxruntime-fp32.onnx", "models/net-tflite-micro-int8.tflite"
    good = bundle.read_bytes()
    forge(bundle, {first: files[second], second: files[first]})
    assert "net-onnxruntime-fp32.onnx is not the file" in refusal(bundle)
    bundle.write_bytes(good)
    forge(bundle, {first: None, "models/other.onnx": files[first]})
    assert "net-onnxruntime-fp32.onnx is missing" in refusal(bundle)


def test_bytes_that_move_from_one_file_of_a_model_to_the_other(bundle):
    """The model's SHA-256 is over both, one after the other; a report's hash of each tells them apart."""
    files = content(bundle)
    weights, graph = "models/net-openvino-int8.bin", "models/net-openvino-int8.xml"
    forge(bundle, {graph: files[graph][:-1], weights: files[graph][-1:] + files[weights]})
    assert "is not the file that the report is about" in refusal(bundle)


def test_a_manifest_that_says_something_else(bundle):
    files = content(bundle)
    for manifest in (
        b"",
        b"{}",
        b"[" * 60_000,
        files["MANIFEST.json"] + b" ",
        files["MANIFEST.json"].replace(b"\n}", b',\n  "x": "0"\n}'),
        files["MANIFEST.json"].replace(b"{\n", b'{\n  "report.md": "0",\n'),
    ):
        forge(bundle, {"MANIFEST.json": manifest}, manifest=False)
        assert "MANIFEST.json" in refusal(bundle)
    forge(bundle, {"MANIFEST.json": b"[" * 2_000_000}, manifest=False)
    assert "MANIFEST.json has 2,000,000 bytes, more than" in refusal(bundle)


def test_members_in_another_order(bundle):
    files = content(bundle)
    with bundle.open("w+b") as file:
        writer = Writer(file)
        for name in reversed(files):
            writer.add(name, [files[name]])
        writer.finish()
    assert "not in the order" in refusal(bundle)


def test_a_forged_verdict_or_figure(bundle):
    good = bundle.read_bytes()

    def fail(document):
        variant(document, "openvino-int8")["artifact"]["fp32_bytes"] = 1000

    def shrink(document):
        fail(document)
        for check in document["gate"]["checks"]:
            if check["name"] == "size_ratio" and check["variant"] == "openvino-int8":
                check |= {"measured": 0.2, "reason": "openvino-int8: size / FP32 0.2 x, limit <= 0.5 x"}

    forge_report(bundle, fail)
    assert "its gate's check size_ratio of openvino-int8 does not follow" in refusal(bundle)
    bundle.write_bytes(good)
    forge_report(bundle, shrink)
    assert "its gate's check size_ratio of openvino-int8 does not follow" in refusal(bundle)
    bundle.write_bytes(good)
    forge_report(bundle, lambda document: document["gate"].update(verdict="inconclusive"))
    assert "gate.verdict: inconclusive, but the checks make it pass" in refusal(bundle)


def test_a_report_that_fails_its_policy_is_a_good_bundle(run_dir, small_report, tmp_path):
    document = small_report.model_dump()
    variant(document, "openvino-int8")["artifact"]["fp32_bytes"] = 1000
    (run_dir / "report.json").write_text(judge_report(Report.model_validate(document)).to_json())
    write_bundle(run_dir, tmp_path / "x.zip")
    assert check_bundle(tmp_path / "x.zip").gate.verdict == "fail"


def test_what_another_release_said_is_for_it_to_check(bundle):
    forge_report(bundle, lambda document: document["tool"].update(version="9.9"))
    check_bundle(bundle)
    forge(bundle, {"report.md": b"other words"})
    assert "ghostface-edge 9.9" in refusal(bundle)
    forge_report(bundle, lambda document: document["tool"].update(version=version("ghostface-edge")))
    forge(bundle, {"report.md": b"other words"})
    assert "get the bundle again" in refusal(bundle)


def test_figures_that_cannot_be_drawn(bundle):
    """A page is made of them to compare with the one in the bundle."""
    document = json.loads(content(bundle)["report.json"])
    for one in document["variants"]:
        one["latency"] |= {"p50_ms": 5e-324, "p90_ms": 5e-324, "p99_ms": 5e-324}
    forge(bundle, {"report.json": Report.model_validate(document).to_json().encode()})
    assert "cannot be drawn" in refusal(bundle)


def test_zeros_cost_little(tmp_path):
    """1.9 GB of zeros that a zip holds in 2 MB, and as many in a bundle's own form, in a process of their own."""
    bomb = tmp_path / "bomb.zip"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("report.json", "w") as member:
        for _ in range(19):
            member.write(bytes(10**6))
    bomb.write_bytes(packed.getvalue())
    large = tmp_path / "large.zip"
    with large.open("w+b") as file:
        file.truncate(1_900_000_000)
    for path in (bomb, large):
        done = subprocess.run(
            [sys.executable, "-m", "ghostface_edge.pipeline", "verify", path],
            capture_output=True,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (200_000_000, 200_000_000)),
            check=False,
        )
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
