"""A small network's way to what goes into a microcontroller's program."""

import json
import shutil
import subprocess
import sys
from importlib.machinery import PathFinder

import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
from ghostface_edge.pipeline.quantize.options import load_recipe
from ghostface_edge.pipeline.stages.firmware import FirmwareMaker
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.tools.inspection import runtime_of
from ghostface_edge.pipeline.tools.quantize_file import quantize_file
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.table import parse_variants
from ghostface_edge.targets.tflite_micro import TfliteMicroTarget, vela

from ...targets.tflite.conftest import _network as write_network

ACCELERATORS = ("ethos-u55-128", "ethos-u55-256", "ethos-u65-256", "ethos-u85-256")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The small GhostFaceNet of the TFLite tests, with the camera's bytes as input."""
    folder = tmp_path_factory.mktemp("lowered")
    qdq, last = write_network()
    artifact = folder / "tiny-tflite-micro-int8.tflite"
    TfliteMicroTarget().lower_quantized(qdq.save(folder / "model.qdq.onnx", last), artifact, InputType.UINT8)
    return artifact


@pytest.fixture(scope="module")
def made(model):
    return FirmwareMaker().make(model, "tiny", "tflite-micro-int8", model.parent)


def test_a_model_gets_sources_and_a_compiled_form_for_every_accelerator(made, model):
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
    assert made.warnings == ()
    assert [estimate.accelerator for estimate in made.estimates] == [
        name for accelerator in ACCELERATORS for name in (accelerator, f"{accelerator}, input kept")
    ]
    assert {path.name for path in made.files} == {
        *(f"tiny-tflite-micro-int8{ending}" for ending in (".cc", ".h")),
        *(f"tiny-{accelerator}{kept}.tflite" for accelerator in ACCELERATORS for kept in ("", "-input-kept")),
    }
    assert all(path.is_file() for path in made.files)
    assert {estimate.cpu_operators for estimate in made.estimates} == {0}
    assert not [one for one in made.estimates if one.output_in_input and one.accelerator.endswith("input kept")]
    header = model.with_suffix(".h").read_text()
    assert "each value is the camera's byte as it is." in header
    assert "The NPU writes nothing into the input" in header
    assert "tiny-ethos-u55-128-input-kept.tflite" in header
    assert "ethos-u65-256: give ethosu_init()" in header


def test_the_c_array_links_and_is_the_model(made, model, tmp_path):
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    (tmp_path / "main.cc").write_text(
        f'#include <cstdio>\n#include "{model.stem}.h"\n'
        "int main() {\n"
        "  std::fwrite(tiny_tflite_micro_int8, 1, tiny_tflite_micro_int8_length, stdout);\n"
        f"  return tiny_tflite_micro_int8_arena_bytes == {made.needs.arena_bytes} ? 0 : 1;\n"
        "}\n"
    )
    binary = tmp_path / "main"
    source = model.with_suffix(".cc")
    command = [compiler, "-Wall", "-Werror", f"-I{model.parent}", "-o", binary, tmp_path / "main.cc", source]
    subprocess.run(command, check=True)
    assert subprocess.run([binary], check=True, capture_output=True).stdout == model.read_bytes()


def test_without_vela_there_is_firmware_and_a_warning_that_says_how_to_get_it(model, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [Hiding if one is PathFinder else one for one in sys.meta_path])
    for name in [name for name in sys.modules if name.split(".")[0] == "ethosu"]:
        monkeypatch.delitem(sys.modules, name)
    made = FirmwareMaker().make(model, "tiny", "micro", tmp_path)
    assert made.estimates == ()
    assert "pip install 'ghostface-edge[micro]'" in made.warnings[0]
    assert [path.name for path in made.files] == ["tiny-micro.cc", "tiny-micro.h"]
    assert made.needs.arena_bytes % 1024 == 0
    assert made.needs.operators["CONV_2D"] == 4


def test_an_accelerator_that_vela_refuses_costs_only_its_estimate(model, tmp_path, monkeypatch):
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
    monkeypatch.setattr(vela, "ACCELERATORS", ("ethos-u99-128", "ethos-u55-128"))
    made = FirmwareMaker().make(model, "tiny", "micro", tmp_path)
    assert [estimate.accelerator for estimate in made.estimates] == ["ethos-u55-128", "ethos-u55-128, input kept"]
    assert "ethos-u99-128" in made.warnings[0]
    plain, kept = made.estimates
    assert not kept.output_in_input
    assert kept.sram_kib >= plain.sram_kib
    (tmp_path / "out/models").mkdir(parents=True)
    needs, estimates = made.publish(tmp_path / "out/models", "models")
    assert needs.files == ("models/tiny-micro.cc", "models/tiny-micro.h")
    for name in (*needs.files, *(estimate.path for estimate in estimates)):
        assert (tmp_path / "out" / name).is_file()
    assert json.loads(needs.model_dump_json())["arena_bytes"] == made.needs.arena_bytes


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        ("onnxruntime-int8", "onnxruntime takes float32, not uint8"),
        ("tflite-int8-stock", "takes what the runtime's own quantizer chooses"),
        ("tflite-micro-fp32", "no INT8 variant is named"),
    ],
)
def test_an_input_that_cannot_be_had_is_refused(tmp_path, targets, says):
    variants, recipe = parse_variants([targets]), load_recipe("balanced")
    with pytest.raises(InputError, match=says):
        quantize_file(
            *(tmp_path / "none.onnx", variants, tmp_path, tmp_path / "int8", recipe, 0, Progress()),
            input_type=InputType.UINT8,
        )
    assert not (tmp_path / "int8").exists()


def test_models_are_known_by_their_names(tmp_path):
    for name, runtime in {"a-tflite-micro-int8.tflite": "tflite-micro", "a-tflite-int8.tflite": "tflite"}.items():
        (tmp_path / name).touch()
        assert runtime_of(tmp_path / name) == runtime


class Hiding:
    """Finds what is on the path, but for Vela."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.split(".")[0] == "ethosu" else PathFinder.find_spec(name, path, target)
