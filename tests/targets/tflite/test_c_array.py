import shutil
import subprocess

import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.c_array import write_c_array
from ghostface_edge.targets.tflite.forms import InputType, Kernels

PROGRAM = """
#include <cstdio>
#include "face.h"
int main() {
  unsigned long sum = 0;
  for (std::size_t i = 0; i < face_length; ++i) sum = (sum * 31 + face[i]) % 1000003;
  std::printf("%zu %lu %zu %d %d %d %.9g %d %d %zu", face_length, sum, reinterpret_cast<std::size_t>(face) % 16,
              face_input_height, face_input_channels, face_input_zero_point, face_input_scale,
              face_embedding_size, face_output_zero_point, face_arena_bytes);
}
"""


@pytest.mark.parametrize(("input_type", "zero_point"), [(InputType.INT8, 0), (InputType.UINT8, 128)])
def test_firmware_sees_the_model_and_how_to_feed_it(input_type, zero_point, carrier, tmp_path):
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    artifact = tmp_path / "m.tflite"
    TfliteTarget().lower_quantized(carrier, artifact, kernels=Kernels.PORTABLE, input_type=input_type)

    source, header = write_c_array(artifact, tmp_path, "face", arena_bytes=12345)

    assert (source.name, header.name) == ("face.cc", "face.h")
    (tmp_path / "main.cc").write_text(PROGRAM)
    binary = tmp_path / "main"
    subprocess.run([compiler, "-Wall", "-Werror", "-o", binary, tmp_path / "main.cc", source], check=True)
    printed = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.split()
    content, checksum = artifact.read_bytes(), 0
    for byte in content:
        checksum = (checksum * 31 + byte) % 1000003
    expected = [len(content), checksum, 0, 16, 3, zero_point, 1 / 128, 16, 0, 12345]
    assert [float(value) for value in printed] == expected


def test_a_float_model_is_no_firmware(write_onnx, tmp_path):
    from onnx import helper

    artifact = tmp_path / "m.tflite"
    TfliteTarget().convert(
        write_onnx([helper.make_node("Relu", ["x"], ["y"])], {}, (3, 8, 8)), Precision.FP32, artifact
    )
    with pytest.raises(InputError, match="firmware needs integers"):
        write_c_array(artifact, tmp_path, "face")
    assert not list(tmp_path.glob("face.*"))


@pytest.mark.parametrize("name", ["", "1face", "my-face", "face;"])
def test_a_name_that_c_does_not_allow_is_refused(name, tmp_path):
    with pytest.raises(InputError, match="no C identifier"):
        write_c_array(tmp_path / "m.tflite", tmp_path, name)
