"""The runner's own code, against stand-ins for TensorFlow Lite Micro (`stub/`): its sources are in no package."""

import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.runners.golden import Golden
from ghostface_edge.targets.runners.golden_text import faces_source, golden_source
from ghostface_edge.targets.tflite.inspection import read_interface
from ghostface_edge.targets.tflite_micro import TfliteMicroTarget
from ghostface_edge.targets.tflite_micro.c_array import write_c_array
from ghostface_edge.targets.tflite_micro.runner import runner_sources

COMMON = Path(str(files("ghostface_edge.targets.runners"))) / "sources/common"
STUB = Path(__file__).with_name("stub")
STRICT = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti")
SIDE, SIZE = 16, 16
MAIN = """
#include <cstdio>
#include "runner.h"

int main() {
  static std::uint8_t faces[3][ghostface::kFaceBytes];
  std::int8_t embeddings[3][ghostface::kEmbeddingSize];
  if (ghostface::embed(faces[0], embeddings[0]) != ghostface::Status::kNotStarted) return 9;
  const ghostface::Status status = ghostface::start();
  if (status != ghostface::Status::kOk) return static_cast<int>(status);
  if (std::fread(faces, 1, sizeof faces, stdin) != sizeof faces) return 8;
  for (int i = 0; i < 3; ++i)
    if (ghostface::embed(faces[i], embeddings[i]) != ghostface::Status::kOk) return 7;
  std::fwrite(embeddings, 1, sizeof embeddings, stdout);
  float scores[2];
  for (int i = 0; i < 2; ++i) scores[i] = ghostface::cosine(embeddings[0], embeddings[i + 1]);
  std::fwrite(scores, 1, sizeof scores, stdout);
  return ghostface::arena_used_bytes() <= ghostface::arena_bytes() ? 0 : 6;
}
"""


@pytest.fixture
def tree(request, qdq_model, tmp_path):
    """A firmware's tree: models as a run writes them, and the runner."""
    input_type = getattr(request, "param", InputType.UINT8)
    artifact = tmp_path / "models/Face-0.5.tflite"
    runner = tmp_path / "runners/tflite-micro"
    artifact.parent.mkdir()
    runner.mkdir(parents=True)
    TfliteMicroTarget().lower_quantized(qdq_model, artifact, input_type)
    write_c_array(artifact, artifact.parent, "Face-0.5", 4096, [])
    for file, text in runner_sources(artifact, "Face-0.5").items():
        (runner / file).write_text(text)
    (tmp_path / "main.cc").write_text(MAIN)
    return tmp_path


def command(tree, compiler, *more, size=SIZE):
    folders = (STUB, tree / "models", tree / "runners/tflite-micro")
    stub = (f"-DSTUB_INPUT_BYTES={SIDE * SIDE * 3}", f"-DSTUB_OUTPUT_BYTES={size}")
    return [found(compiler), *STRICT, *stub, *(f"-I{folder}" for folder in folders), *more]


def found(compiler):
    path = shutil.which(compiler)
    if path is None:
        pytest.skip(f"no {compiler}")
    return path


def sources(tree):
    return (tree / "main.cc", tree / "runners/tflite-micro/runner.cc", tree / "models/Face-0.5.cc")


def built(tree, *more, **sizes):
    binary = tree / "main"
    subprocess.run(command(tree, "c++", *more, "-o", binary, *sources(tree), **sizes), check=True)
    return binary


@pytest.mark.parametrize("tree", [InputType.INT8, InputType.UINT8], indirect=True)
def test_faces_are_fed_anew_and_compared(tree):
    faces = np.random.default_rng(0).integers(0, 256, (3, SIDE * SIDE * 3), dtype=np.uint8)
    faces[1] = faces[0] ^ 1
    done = subprocess.run([built(tree)], input=faces.tobytes(), capture_output=True, check=True)

    entry, output = read_interface(tree / "models/Face-0.5.tflite")
    # the stand-in takes every so-manieth byte of what it is fed
    fed = faces if entry.dtype == "uint8" else faces ^ 128
    expected = fed[:, :: SIDE * SIDE * 3 // SIZE][:, :SIZE].view(np.int8)
    embeddings = np.frombuffer(done.stdout[: 3 * SIZE], np.int8).reshape(3, SIZE)
    np.testing.assert_array_equal(embeddings, expected)
    real = embeddings.astype(np.float64) - output.zero_point
    cosines = [real[0] @ other / np.linalg.norm(real[0]) / np.linalg.norm(other) for other in real[1:]]
    np.testing.assert_allclose(np.frombuffer(done.stdout[3 * SIZE :], np.float32), cosines, atol=1e-6)
    assert cosines[0] > 0.995 > cosines[1]


def test_what_does_not_fit_is_told_apart(tree):
    model, arena = 2, 3
    assert subprocess.run([built(tree, size=SIZE + 1)], check=False).returncode == model
    header = tree / "models/Face-0.5.h"
    header.write_text(re.sub(r"arena_bytes = \d+", "arena_bytes = 700", header.read_text()))
    assert subprocess.run([built(tree)], check=False).returncode == arena
    assert subprocess.run([built(tree, "-DRUNNER_MORE_ARENA_BYTES=84")], input=bytes(9999), check=False).returncode == 0


def test_it_compiles_by_clang_and_with_an_arena_in_a_section_of_its_own(tree):
    arena = '-DRUNNER_ARENA=__attribute__((section(".sram")))'
    source = sources(tree)[1]
    subprocess.run(command(tree, "clang++", arena, "-c", source, "-o", tree / "runner.o"), check=True)
    objdump = found("objdump")
    (line,) = (
        line.split()
        for line in subprocess.run(
            [objdump, "-h", tree / "runner.o"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if " .sram " in line
    )
    assert int(line[2], 16) == 4096


def test_cmake_builds_it_into_a_project(tree):
    project(tree, f"STUB_INPUT_BYTES={SIDE * SIDE * 3}", "main.cc", "ghostface")
    assert subprocess.run([tree / "build/app"], input=bytes(9999), check=False).returncode == 0


def project(tree, stub, source, library):
    (tree / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(product C CXX)\nadd_library(tflm INTERFACE)\n"
        f"target_include_directories(tflm INTERFACE {STUB})\n"
        f"target_compile_definitions(tflm INTERFACE {stub} STUB_OUTPUT_BYTES={SIZE})\n"
        f"add_subdirectory(runners/tflite-micro)\nadd_executable(app {source})\n"
        f"target_link_libraries(app PRIVATE {library})\n"
    )
    for arguments in (("-S", tree, "-B", tree / "build"), ("--build", tree / "build")):
        subprocess.run([found("cmake"), *arguments], check=True, stdout=subprocess.DEVNULL)


CHECK = """
#include <cstdio>
#include <cmath>
#include "golden.h"
#include "runtime.h"
#include "selftest.h"

static float score(const float* one, const float* other) {
  double product = 0, left = 0, right = 0;
  for (int i = 0; i < golden.embedding_size; ++i) {
    product += double(one[i]) * other[i], left += double(one[i]) * one[i], right += double(other[i]) * other[i];
  }
  return float(product / std::sqrt(left * right));
}
static void say(const char* line) { std::puts(line); }
static uint8_t input[GOLDEN_PIXELS * 3];

int main() {
  if (runtime_open("")) return 2;
  const Integration board = {nullptr, runtime_prepare, runtime_embed, score, nullptr, say, input};
  return selftest(&board);
}
"""


def test_the_self_test_knows_a_sound_board_from_another(tree):
    """With the stand-in's embeddings as golden ones, for faces as large as those of the self-test."""
    models, runners = tree / "models", tree / "runners"
    header = models / "Face-0.5.h"
    header.write_text(
        re.sub(
            "(height|width) = 16", r"\1 = 112", re.sub(r"arena_bytes = \d+", "arena_bytes = 40000", header.read_text())
        )
    )
    output = read_interface(models / "Face-0.5.tflite")[1]
    faces = np.random.default_rng(0).integers(0, 256, (8, 112, 112, 3), dtype=np.uint8)
    steps = faces.reshape(8, -1)[:, :: 112 * 112 * 3 // SIZE][:, :SIZE].view(np.int8).astype(np.float32)
    shutil.copytree(COMMON, runners / "common")
    folder = runners / "golden/tflite-micro-int8"
    folder.mkdir(parents=True)
    (runners / "golden/golden_faces.c").write_text(faces_source(faces))
    for moved, result in {0: 0, 1: 1}.items():
        golden = Golden(faces, (), np.float32(output.scale) * (steps + moved - output.zero_point), output.scale)
        (folder / "golden.c").write_text(golden_source("tflite-micro-int8", "Face-0.5.tflite", 1e-6, golden, []))
        (tree / "check.cc").write_text(CHECK)
        project(tree, f"STUB_INPUT_BYTES={112 * 112 * 3}", "check.cc", "ghostface_selftest")
        done = subprocess.run([tree / "build/app"], capture_output=True, text=True, check=False)
        assert done.returncode == result, done.stdout
    assert "zero point: all values are moved by one distance, in steps -1" in done.stdout


def test_a_model_of_real_values_is_refused(qdq_model, tmp_path):
    artifact = tmp_path / "float.tflite"
    TfliteMicroTarget().lower_quantized(qdq_model, artifact, InputType.FLOAT32)
    with pytest.raises(InputError, match="takes or gives real values"):
        runner_sources(artifact, "float")
