"""A small network's way to what goes into a microcontroller's program."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
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
from ghostface_edge.targets.tflite_micro import TfliteMicroTarget, presets

from ...targets.tflite.conftest import _network as write_network

PRESETS = [preset.name for preset in presets.PRESETS]
ENDINGS = (".tflite", ".cc", ".h")


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


def test_a_model_gets_sources_and_a_compiled_form_for_every_preset(made, model):
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
    assert made.warnings == ()
    assert [estimate.accelerator for estimate in made.estimates] == [
        name for preset in PRESETS for name in (preset, f"{preset}, input kept")
    ]
    assert {path.name for path in made.files} == {
        *(f"tiny-tflite-micro-int8{ending}" for ending in (".cc", ".h")),
        *(f"tiny-{preset}{kept}{ending}" for preset in PRESETS for kept in ("", "-input-kept") for ending in ENDINGS),
    }
    assert all(path.is_file() for path in made.files)
    assert {estimate.cpu_operators for estimate in made.estimates} == {0}
    assert not [one for one in made.estimates if one.output_in_input and one.accelerator.endswith("input kept")]
    assert {one.memory_mode for one in made.estimates} == {"Shared_Sram", "Sram_Only", "Dedicated_Sram_384KB"}
    for one in made.estimates:
        assert (one.fast_memory_bytes > 0) == (one.memory_mode == "Dedicated_Sram_384KB")


def test_a_header_speaks_of_its_own_model_alone(made, model):
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
    portable, plain, kept, dedicated = (
        (model.parent / f"tiny-{name}.h").read_text()
        for name in ("tflite-micro-int8", "ethos-u55-128", "ethos-u55-128-input-kept", "ethos-u65-256")
    )
    for header in (portable, plain, kept, dedicated):
        assert "each value is the camera's byte as it is." in header
    assert "The interpreter reuses the input's memory" in portable
    assert "ethos" not in portable
    assert "read the output, then fill the input" in plain
    assert "The NPU writes nothing into the input" in kept
    assert "fast_memory_bytes" not in kept
    assert "constexpr std::size_t tiny_ethos_u65_256_fast_memory_bytes = " in dedicated
    assert "system Ethos_U55_High_End_Embedded, memory mode Shared_Sram" in kept


MAIN = """
#include <cstdio>
#include "NAME.h"
struct Resolver {
  int AddEthosU() { return 0; }
};
int main() {
  static_assert(ID_operator_kinds == 1, "the NPU's alone");
  std::fwrite(ID, 1, ID_length, stdout);
  Resolver resolver;
  static_assert(ID_arena_bytes == ARENA, "as the report says");
  return reinterpret_cast<std::size_t>(ID) % 16 == 0 && ID_register_operators(resolver) ? 0 : 1;
}
"""


@pytest.mark.parametrize("name", ["ethos-u55-64", "ethos-u85-256-input-kept"])
def test_a_compiled_models_c_array_links_and_needs_the_npus_operator_alone(name, made, model, tmp_path):
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
    (estimate,) = (one for one in made.estimates if one.path == f"tiny-{name}.tflite")
    identifier = f"tiny_{name.replace('-', '_')}"
    text = MAIN.replace("NAME", f"tiny-{name}").replace("ID", identifier).replace("ARENA", str(estimate.arena_bytes))
    (tmp_path / "main.cc").write_text(text)
    assert (
        printed_by(tmp_path / "main.cc", model.parent / f"tiny-{name}.cc")
        == (model.parent / estimate.path).read_bytes()
    )


def test_the_c_array_links_and_is_the_model(made, model, tmp_path):
    (tmp_path / "main.cc").write_text(
        f'#include <cstdio>\n#include "{model.stem}.h"\n'
        "int main() {\n"
        "  std::fwrite(tiny_tflite_micro_int8, 1, tiny_tflite_micro_int8_length, stdout);\n"
        f"  return tiny_tflite_micro_int8_arena_bytes == {made.needs.arena_bytes} ? 0 : 1;\n"
        "}\n"
    )
    assert printed_by(tmp_path / "main.cc", model.with_suffix(".cc")) == model.read_bytes()


def printed_by(main, source):
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    binary = main.with_suffix("")
    command = [compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{source.parent}", "-o", binary, main, source]
    subprocess.run(command, check=True)
    return subprocess.run([binary], check=True, capture_output=True).stdout


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
    good = next(preset for preset in presets.PRESETS if preset.name == "ethos-u55-128")
    bad = replace(good, name="ethos-u99-128", accelerator="ethos-u99-128")
    monkeypatch.setattr(presets, "PRESETS", (bad, good))
    made = FirmwareMaker().make(model, "tiny", "micro", tmp_path)
    assert [estimate.accelerator for estimate in made.estimates] == ["ethos-u55-128", "ethos-u55-128, input kept"]
    assert "ethos-u99-128" in made.warnings[0]
    plain, kept = made.estimates
    assert not kept.output_in_input
    assert kept.sram_kib >= plain.sram_kib
    (tmp_path / "out/models").mkdir(parents=True)
    needs, estimates = made.publish(tmp_path / "out/models", "models")
    assert needs.files == ("models/tiny-micro.cc", "models/tiny-micro.h")
    for name in (*needs.files, *(name for one in estimates for name in (one.path, *one.files))):
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
