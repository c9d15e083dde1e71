import json
import os
from pathlib import Path

import pytest

from ghostface_edge.pipeline.release import bundle as bundles
from ghostface_edge.pipeline.release.bundle import write_bundle
from ghostface_edge.pipeline.release.check import check_bundle
from ghostface_edge.pipeline.release.contents import CALIBRATION, MADE
from ghostface_edge.reports.devices import Device
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.renderings.report_files import pages, write_report
from ghostface_edge.reports.variant import Variant

from .forging import content, statement_of, variant


def test_a_bundle_holds_what_the_report_names(bundle, run_dir, small_report):
    report = check_bundle(bundle).report
    assert report == small_report
    files = content(bundle)
    named = [name for one in report.variants for name in one.files]
    assert list(files) == [*sorted([*named, *MADE, CALIBRATION, "report.json"]), "manifest.json"]
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
    (run_dir / "provenance.json").write_text(statement_of(report).to_json())
    names = write_bundle(run_dir, tmp_path / "devices.zip")
    assert check_bundle(tmp_path / "devices.zip").report.variants[-1].device == "pi4"
    assert sorted(name for name in names if name.startswith("models/net")) == sorted(
        name for one in small_report.variants for name in one.files
    )
    chosen = write_bundle(run_dir, tmp_path / "pi4.zip", devices=["pi4"])
    assert {name for name in chosen if name.startswith("models/net")} == {*local.files}
    assert [one.id for one in check_bundle(tmp_path / "pi4.zip").manifest.variants] == [local.id]
    assert "ran on the devices" in refuse_to_bundle(
        run_dir, tmp_path / "x.zip", variants=["onnxruntime-fp32"], devices=["pi4"]
    )


def test_the_same_run_gives_the_same_bytes_wherever_it_lies(bundle, run_dir, tmp_path):
    first = bundle.read_bytes()
    (run_dir / "notes.txt").write_text("of a user")
    os.utime(run_dir / "report.json", (1, 1))
    moved = run_dir.rename(tmp_path / "moved")
    assert write_bundle(moved, bundle) == [*content(bundle)]
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


def refuse_to_bundle(run_dir, output, **options):
    before = sorted(output.parent.iterdir())
    with pytest.raises(InputError) as refused:
        write_bundle(run_dir, output, **options)
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
    assert "cannot be the name of a file that is handed on" in refuse_to_bundle(run_dir, tmp_path / "x.zip")


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


def test_chosen_variants_bring_their_files_and_the_whole_report(run_dir, small_report, tmp_path):
    names = write_bundle(run_dir, tmp_path / "x.zip", variants=["openvino-int8"])
    checked = check_bundle(tmp_path / "x.zip")
    assert {name for name in names if name.startswith("models/net")} == {*small_report.variants[1].files}
    assert checked.report == small_report
    assert [one.id for one in checked.manifest.variants] == ["openvino-int8"]
    said = refuse_to_bundle(run_dir, tmp_path / "y.zip", variants=["tflite-int8"])
    assert "no variant 'tflite-int8'" in said
    assert "openvino-int8" in said
    assert "no device 'pi5'" in refuse_to_bundle(run_dir, tmp_path / "y.zip", devices=["pi5"])


def test_runners_go_along_as_they_are(run_dir, tmp_path):
    (run_dir / "runners/c").mkdir(parents=True)
    (run_dir / "runners/c/model.c").write_text("int main(void) { return 0; }")
    (run_dir / "runners/golden.bin").write_bytes(bytes(300))
    names = write_bundle(run_dir, tmp_path / "x.zip")
    assert [name for name in names if name.startswith("runners/")] == ["runners/c/model.c", "runners/golden.bin"]
    checked = check_bundle(tmp_path / "x.zip")
    assert checked.manifest.files["runners/golden.bin"].bytes == 300
    assert "`runners/` holds programs" in content(tmp_path / "x.zip")["README.md"].decode()


@pytest.mark.parametrize("kind", ["link", "folder behind a link", "pipe", "too many", "a name of Windows"])
def test_runners_that_cannot_be_packed(run_dir, tmp_path, kind):
    runners = run_dir / "runners"
    if kind == "folder behind a link":
        (tmp_path / "elsewhere").mkdir()
        runners.symlink_to(tmp_path / "elsewhere")
    else:
        runners.mkdir()
    if kind == "link":
        (runners / "run").symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(runners / "run")
    elif kind == "too many":
        for number in range(2001):
            (runners / f"{number}").touch()
    elif kind == "a name of Windows":
        (runners / "aux.c").touch()
    said = refuse_to_bundle(run_dir, tmp_path / "x.zip")
    assert ("more than the 2,000 files" if kind == "too many" else "runners") in said


def test_a_run_that_does_not_say_where_it_comes_from(run_dir, small_report, tmp_path):
    path = run_dir / "provenance.json"
    path.unlink()
    assert "provenance.json cannot be read" in refuse_to_bundle(run_dir, tmp_path / "x.zip")
    path.write_text('{"_type": "https://in-toto.io/Statement/v1"}')
    assert "no statement of provenance" in refuse_to_bundle(run_dir, tmp_path / "x.zip")
    other = small_report.model_copy(update={"tool": small_report.tool.model_copy(update={"seed": 7})})
    path.write_text(statement_of(other).to_json())
    assert "differ in the run's seed" in refuse_to_bundle(run_dir, tmp_path / "x.zip")


def test_ranges_and_faces_go_along_where_the_run_left_them(run_dir, tmp_path):
    (run_dir / "quantization.json").write_text("{}")
    (run_dir / "models/calibration.sha256").unlink()
    names = write_bundle(run_dir, tmp_path / "x.zip")
    assert "quantization.json" in names
    assert "models/calibration.sha256" not in names


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
