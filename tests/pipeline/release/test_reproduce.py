"""A bundle rebuilt, and what was planted in one step found there."""

import json
import platform
import shutil

import numpy as np
import pytest

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.pipeline.bench.models import seeded
from ghostface_edge.pipeline.checkpoints.weights_file import write_safetensors
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.quantize.report import TensorRange
from ghostface_edge.pipeline.release.bundle import write_bundle
from ghostface_edge.pipeline.release.environment import environment, other_versions
from ghostface_edge.pipeline.release.file_difference import Constant, difference, first_other
from ghostface_edge.pipeline.release.provenance import installed_packages, stages
from ghostface_edge.pipeline.release.ranges import other_range
from ghostface_edge.pipeline.release.rebuild import listed_faces, rebuild
from ghostface_edge.pipeline.release.reproduce import Given, reproduce
from ghostface_edge.pipeline.release.statement import PROVENANCE_FILE
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.synthetic.sets import write_calibration
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.renderings.report_files import write_report
from ghostface_edge.reports.report import Report

from ..listener import Listener
from .forging import statement_of, variant
from .planting import plant, with_initializer

LABELS = ("onnxruntime-fp32", "onnxruntime-fp16")


@pytest.fixture(scope="session")
def made(small_report, tmp_path_factory):
    """The folder of a run that made two variants of the smallest network, and the store that has them."""
    folder = tmp_path_factory.mktemp("made")
    checkpoint, faces, out = folder / "net.safetensors", folder / "faces", folder / "out"
    write_safetensors(seeded(Architecture(0.2, embedding_size=64)), checkpoint)
    write_calibration(faces, 4, 0)
    calibration = sample(scan_folder(faces), 4, 0)
    context = StageContext(Store(folder / "store"), folder / "logs", Listener(), 1)
    document = small_report.model_dump(mode="json")
    document["model"]["sha256"] = file_sha256(checkpoint)
    document["data"]["calibration"]["sha256"] = calibration.sha256
    fp32 = variant(document, LABELS[0])
    document["variants"] = [fp32, {**fp32, "id": LABELS[1], "precision": "fp16"}]
    asked = statement_of(small_report).request.model_copy(update={"recipe": {}, "variants": LABELS})
    rebuild(asked, LABELS, checkpoint, calibration, context)
    (out / "models").mkdir(parents=True)
    fp32_bytes = 0
    for one, ran in zip(document["variants"], [ran for ran in context.ran if ran.stage == "convert"], strict=True):
        name = f"models/net-{one['id']}.onnx"
        shutil.copyfile(ran.folder / "model.onnx", out / name)
        size, sha256 = (out / name).stat().st_size, file_sha256(out / name)
        one["artifact"] = {"path": name, "bytes": size, "sha256": sha256, "fp32_bytes": fp32_bytes or size}
        fp32_bytes = fp32_bytes or size
        one["files"] = {name: sha256}
    report = judge_report(Report.model_validate(document))
    write_report(report, None, out)
    (out / "models/calibration.sha256").write_text(calibration.listing)
    said = json.loads(statement_of(report).to_json())
    definition = said["predicate"]["buildDefinition"]
    definition["externalParameters"] |= {"recipe": {}, "variants": LABELS}
    definition["internalParameters"]["stages"] = [one.model_dump(mode="json") for one in stages(context.ran)]
    (out / PROVENANCE_FILE).write_text(json.dumps(said))
    return folder


@pytest.fixture
def again(made, tmp_path):
    """Bundle a folder and reproduce that, with what the store has."""

    def again(out, checkpoint=made / "net.safetensors", faces=made / "faces"):
        write_bundle(out, tmp_path / "release.zip")
        context = StageContext(Store(made / "store"), tmp_path / "logs", Listener(), 1)
        given = Given(tmp_path / "release.zip", checkpoint, faces, tmp_path / "rebuilt")
        return reproduce(given, context)

    return again


@pytest.fixture
def out(made, tmp_path):
    return shutil.copytree(made / "out", tmp_path / "out")


def test_every_file_comes_out_the_same(again, out, tmp_path):
    found = again(out)
    assert found.equal
    assert [one.name for one in found.stages] == [
        "checkpoint",
        "calibration",
        "export",
        "convert of onnxruntime-fp32",
        "convert of onnxruntime-fp16",
    ]
    for label in LABELS:
        name = f"models/net-{label}.onnx"
        assert (tmp_path / "rebuilt" / name).read_bytes() == (out / name).read_bytes()
    assert json.loads((tmp_path / "rebuilt/reproduction.json").read_text())["equal"]
    bill = json.loads((tmp_path / "rebuilt/bom.cdx.json").read_text())
    assert {one["name"] for one in bill["components"]} >= {"models/net-onnxruntime-fp32.onnx", "onnxruntime"}


def bump(values):
    values.flat[3] += values.dtype.type(0.5)
    return values


@pytest.mark.parametrize(
    ("stage", "label", "change", "said"),
    [
        ("export", None, None, "export: model.onnx: SHA-256"),
        ("convert", LABELS[0], lambda data: with_initializer(data, bump), "1 of "),
        ("convert", LABELS[1], lambda data: with_initializer(data, bump), "by up to 0.5"),
        ("convert", LABELS[1], lambda data: with_initializer(data, np.negative), "convert of onnxruntime-fp16: model"),
        ("convert", LABELS[0], lambda data: data + b"\x52\x00", "convert of onnxruntime-fp32: model.onnx: byte"),
    ],
)
def test_what_was_planted_is_found_in_its_step(again, out, stage, label, change, said):
    plant(out, stage, label, "model.onnx", change)
    found = again(out)
    assert not found.equal
    assert said in found.first_difference
    assert sum(not one.equal for one in found.stages) == 1


def test_another_checkpoint_or_another_face(again, out, made, tmp_path):
    other = tmp_path / "other.safetensors"
    write_safetensors(seeded(Architecture(0.2, embedding_size=64), 1), other)
    assert again(out, checkpoint=other).first_difference.startswith("checkpoint: SHA-256")
    faces = shutil.copytree(made / "faces", tmp_path / "faces")
    first, second, *_ = sorted(faces.glob("*/*.png"))
    shutil.copyfile(second, first)
    assert "is another file than it was" in again(out, faces=faces).first_difference
    first.unlink()
    assert f"{first.name} is missing" in again(out, faces=faces).first_difference


def test_what_it_was_made_of_has_to_be_given(again, out):
    with pytest.raises(InputError, match="is not of the embedded network"):
        again(out, checkpoint=None)
    (out / "models/calibration.sha256").unlink()
    with pytest.raises(InputError, match="does not list its calibration faces"):
        again(out)


@pytest.mark.parametrize(
    ("recipe", "input_type", "said"),
    [({"rangs": {}}, "int8", "recipe cannot be followed: rangs"), ({}, "int4", "request cannot be followed")],
)
def test_requests_that_cannot_be_followed(again, out, recipe, input_type, said):
    document = json.loads((out / PROVENANCE_FILE).read_text())
    request = document["predicate"]["buildDefinition"]["externalParameters"]
    request |= {"recipe": recipe, "inputType": input_type}
    (out / PROVENANCE_FILE).write_text(json.dumps(document))
    with pytest.raises(InputError, match=said):
        again(out)


@pytest.mark.parametrize("listing", [b"\xff", b"0123", b"0" * 64 + b"  ../../secret.png\n"])
def test_lists_of_faces_that_are_none(listing):
    with pytest.raises(InputError, match="list of calibration faces"):
        listed_faces(listing)


def test_steps_have_names():
    document = {"name": "lower", "key": "lower-0", "inputs": {"variant": "tflite-int8"}, "files": {}}
    statement = {"stages": [document, {**document, "name": "firmware", "inputs": {"names": ["net", "tflite-int8"]}}]}
    from ghostface_edge.pipeline.release.statement import StageRecord

    assert [StageRecord.model_validate(one).label for one in statement["stages"]] == [
        "lower of tflite-int8",
        "firmware of tflite-int8",
    ]


FLOATS = np.arange(6, dtype=np.float32)
BYTES = np.zeros(2, np.uint8)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (
            Constant("w", FLOATS),
            Constant("w", FLOATS + np.eye(6, dtype="f4")[2]),
            "tensor w: 1 of 6 values, by up to 1;",
        ),
        (Constant("w_scale", FLOATS[:1]), Constant("w_scale", FLOATS[1:2]), "scale w_scale: 1 of 1 values"),
        (Constant("w", FLOATS), Constant("v", FLOATS), "tensor w: v stands in its place"),
        (Constant("w", FLOATS), Constant("w", FLOATS.reshape(2, 3)), "tensor w: float32 (2, 3), was float32 (6,)"),
        (Constant("w", FLOATS * 0), Constant("w", -FLOATS * 0), "tensor w: other bits of equal values"),
        (Constant("w", BYTES, (0.5, 0.25)), Constant("w", BYTES, (0.5, 0.2)), "scale of w: [1] 0.2, was 0.25"),
        (Constant("w", BYTES, (0.5,)), Constant("w", BYTES, (0.5, 0.2)), "scale of w: 2 numbers, were 1"),
        (Constant("w", BYTES, (), (1,)), Constant("w", BYTES, (), (2,)), "zero point of w: [0] 2, was 1"),
        (Constant("w", np.array([b"a"])), Constant("w", np.array([b"b"])), "tensor w: other values"),
    ],
)
def test_which_tensor_differs_and_how(was, now, said):
    assert said in first_other([was], [now])
    assert first_other([was], [was]) is None
    assert first_other([was, was], [was]) == "1 tensors, were 2"


def test_which_scale_differs():
    before = {"a": (0.5, 0), "b": (0.25, 1)}
    after = [TensorRange("a", -1.0, 1.0, 0.5, 0), TensorRange("b", -1.0, 1.0, 0.25, 1)]
    assert other_range(before, after) is None
    assert other_range({**before, "b": (0.25, 2)}, after) == "scale and zero point of b: 0.25 and 1, were (0.25, 2)"
    assert other_range({}, after) == "scale and zero point of a: 0.5 and 0, were None"


def test_which_byte_differs(tmp_path):
    was, now = tmp_path / "a.bin", tmp_path / "b.bin"
    was.write_bytes(bytes(3 << 20))
    now.write_bytes(bytes(2 << 20) + b"\1" + bytes((1 << 20) - 1))
    assert difference(was, now) == "byte 2,097,152"
    now.write_bytes(bytes(5))
    assert difference(was, now) == "byte 5; 5 bytes, were 3,145,728"


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"none")
    assert "one cannot be read" in difference(tmp_path / "a.onnx", tmp_path / "a.onnx")


def test_versions_that_differ(tmp_path):
    here = installed_packages()
    python = platform.python_version()
    assert other_versions(here, python) == {}
    assert other_versions({**here, "numpy": "1.0", "nosuch": "2"}, "3.99.1") == {
        "numpy": ("1.0", here["numpy"]),
        "nosuch": ("2", None),
        "Python": ("3.99", python.rpartition(".")[0]),
    }
    with pytest.raises(RuntimeMissingError, match=r"Python 3\.99"):
        environment(here, "3.99.1", tmp_path, print)
