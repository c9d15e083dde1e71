import json
import shutil

import pytest

from ghostface_edge.calibration.pairs_source import sources
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.synthetic.sets import write_pairs
from ghostface_edge.pipeline.tools.embedded import Question
from ghostface_edge.pipeline.tools.evaluate import evaluate
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.json_text import to_json

from ..listener import Listener
from ..people import write_people


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_checkpoint, random_faces):
    """A tiny network, 200 pairs without names, 40 more with names, and a gallery."""
    folder = tmp_path_factory.mktemp("evaluate")
    tiny = make_checkpoint(Architecture(width=0.2, stride=2, embedding_size=64))
    export_onnx(tiny, folder / "net.onnx", faces=random_faces)
    shutil.copyfile(folder / "net.onnx", folder / "copy.onnx")
    write_pairs(folder, 200, seed=3).rename(folder / "first.bin")
    (folder / "named").mkdir()
    write_pairs(folder / "named", 40, seed=4).rename(folder / "named/second.bin")
    (folder / "pairs.txt").unlink()
    write_people(folder / "people", [2] * 40)
    return folder


@pytest.fixture
def ask(folder, monkeypatch):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(folder / "cache"))

    def call(*pairs, **options):
        given = sources([folder / path for path in pairs])
        return evaluate(Question(folder / "net.onnx", given, **options), Listener())

    return call


def test_the_threshold_of_unknown_pairs_is_tried_on_the_pairs_of_others(ask, folder):
    facts = ask("first.bin", "named/second.bin", reference=folder / "net.onnx")
    assert {"accuracy", "accuracy on second", "versus_reference on second", "one_threshold"} <= {*facts}
    assert "all_pairs" not in facts
    assert {*facts["one_threshold"]} == {"second"}
    ((far, row),) = facts["one_threshold"]["second"].items()
    assert (far, row["genuine"], row["impostor"]) == ("0.01", 20, 20)
    # of 100 impostors a TAR at 1 % can be told, whose drop is a record of its own
    assert json.loads(to_json(facts))["versus_reference"]["tar_drop_pp"]["0.01"]["drop_pp"] == 0


def test_the_gallerys_threshold_is_tried_on_all_pairs_however_they_are_known(ask, folder):
    facts = ask("first.bin", "named/second.bin", gallery=folder / "people", reference=folder / "copy.onnx")
    chosen = facts["all_pairs"]["fnmr_at_fmr"]["0.01"]["threshold"]
    first, second = (facts["one_threshold"][name]["0.01"] for name in ("first", "second"))
    assert first["threshold"] == second["threshold"] == chosen
    assert (first["genuine"], first["impostor"]) == (100, 100)
    assert (second["genuine"], second["impostor"]) == (20, 40 * 39 // 2 - 20)
    assert facts["one_threshold_of_reference"] == facts["one_threshold"]


def test_a_gallery_and_pairs_of_one_name(ask, folder):
    (folder / "people.bin").write_bytes((folder / "first.bin").read_bytes())
    with pytest.raises(InputError, match="the gallery and a set of pairs are called 'people'"):
        ask("people.bin", gallery=folder / "people")
