"""Two releases compared."""

import json

import pytest

from ghostface_edge.pipeline.release.between import compare_bundles, sections
from ghostface_edge.pipeline.release.bundle import write_bundle
from ghostface_edge.pipeline.release.statement import PROVENANCE_FILE
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.renderings.html import render_difference

from .planting import plant

SCALES = {"stem": (0.5, -3), "head": (0.25, 0)}


def write_scales(run_dir, scales):
    ranges = [{"name": name, "scale": scale, "zero_point": zero} for name, (scale, zero) in scales.items()]
    (run_dir / "quantization.json").write_text(json.dumps({"quantization": {"ranges": ranges}}))


def test_a_release_and_itself(bundle):
    found = compare_bundles(bundle, bundle)
    assert (found.files, found.scales, found.thresholds, found.origin) == ((), (), (), ())
    assert sections(found) == []


def test_weights_scales_options_and_versions(bundle, run_dir, tmp_path):
    write_scales(run_dir, SCALES)
    write_bundle(run_dir, bundle)
    plant(run_dir, "export", None, "models/net-openvino-int8.bin", lambda data: data[:5] + b"x" + data[6:])
    write_scales(run_dir, {**SCALES, "stem": (0.5, -4)})
    document = json.loads((run_dir / PROVENANCE_FILE).read_text())
    definition = document["predicate"]["buildDefinition"]
    definition["externalParameters"]["recipe"] = {"name": "balanced", "ranges": {"faces": 16}}
    definition["resolvedDependencies"].append({"uri": "pkg:pypi/tqdm@4.0"})
    (run_dir / PROVENANCE_FILE).write_text(json.dumps(document))
    (run_dir / "runners").mkdir()
    (run_dir / "runners/run.py").write_text("print()")
    write_bundle(run_dir, tmp_path / "after.zip")
    found = compare_bundles(bundle, tmp_path / "after.zip")
    assert {one.name: one.how for one in found.files} == {
        "models/net-openvino-int8.bin": "byte 5",
        "runners/run.py": "added",
    }
    assert [(one.what, one.before, one.after) for one in found.scales] == [("stem", "0.5, -3", "0.5, -4")]
    assert {(one.what, one.before, one.after) for one in found.origin} == {
        ("recipe.ranges.faces", "absent", "16"),
        ("tqdm", "absent", "4.0"),
    }
    page = render_difference(found.figures, sections(found))
    for words in ("models/net-openvino-int8.bin", "Scales and zero points", "recipe.ranges.faces"):
        assert words in page
    back = compare_bundles(tmp_path / "after.zip", bundle)
    assert next(one.how for one in back.files if one.name == "runners/run.py") == "removed"


@pytest.mark.parametrize("text", ["[]", '{"quantization": {}}', '{"quantization": {"ranges": [{"name": "a"}]}}'])
def test_ranges_that_are_none(bundle, run_dir, tmp_path, text):
    (run_dir / "quantization.json").write_text(text)
    write_bundle(run_dir, tmp_path / "after.zip")
    with pytest.raises(InputError, match=r"quantization\.json tells no ranges"):
        compare_bundles(bundle, tmp_path / "after.zip")


def test_what_is_no_bundle(bundle, tmp_path):
    data = bundle.read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"cut\.zip"):
        compare_bundles(bundle, tmp_path / "cut.zip")
