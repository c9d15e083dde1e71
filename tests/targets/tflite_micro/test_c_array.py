import shutil
import subprocess

import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite_micro.c_array import identifier_of, write_c_array

PROGRAM = """
#include <cstdio>
#include <type_traits>
#include "Face-0.5.h"
struct Resolver {
  int calls = 0;
  int AddAdd() { ++calls; return 0; }
  int AddConcatenation() { ++calls; return 0; }
  int AddConv2D() { ++calls; return 0; }
  int AddDepthwiseConv2D() { ++calls; return 0; }
  int AddMean() { ++calls; return 0; }
  int AddMul() { ++calls; return 0; }
  int AddPrelu() { ++calls; return 0; }
  int AddQuantize() { ++calls; return 0; }
  int AddDequantize() { ++calls; return 0; }
  int AddReshape() { ++calls; return 0; }
};
struct Refusing : Resolver { int AddMul() { return 1; } };
int main() {
  unsigned long sum = 0;
  for (std::size_t i = 0; i < face_0_5_length; ++i) sum = (sum * 31 + face_0_5[i]) % 1000003;
  Resolver resolver;
  Refusing refusing;
  bool registered = face_0_5_register_operators(resolver) && resolver.calls == face_0_5_operator_kinds;
  std::printf("%zu %lu %zu %d %d %d %zu %d %d", face_0_5_length, sum, reinterpret_cast<std::size_t>(face_0_5) % 16,
              face_0_5_input_height, face_0_5_input_channels, face_0_5_embedding_size, face_0_5_arena_bytes, registered,
              face_0_5_register_operators(refusing));
#ifdef QUANTIZED
  std::printf(" %d %.9g %d %.9g", face_0_5_input_zero_point, face_0_5_input_scale, face_0_5_output_zero_point,
              face_0_5_output_scale);
#endif
  static_assert(std::is_same<face_0_5_input_t, INPUT>::value, "the input's type");
}
"""


@pytest.mark.parametrize(
    ("input_type", "c_type", "zero_point", "feed"),
    [
        (InputType.INT8, "std::int8_t", 0, "each value is byte - 128."),
        (InputType.UINT8, "std::uint8_t", 128, "each value is the camera's byte as it is."),
        (InputType.FLOAT32, "float", None, "each value is (byte - 127.5) / 128."),
    ],
)
def test_firmware_links_and_sees_the_model_and_how_to_feed_it(
    input_type, c_type, zero_point, feed, qdq_model, tmp_path
):
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    artifact = tmp_path / "m.tflite"
    TfliteTarget().lower_quantized(qdq_model, artifact, input_type, kernels=KernelSet.PORTABLE)

    source, header = write_c_array(artifact, tmp_path, "Face-0.5", 12345, ["a note"])

    assert (source.name, header.name) == ("Face-0.5.cc", "Face-0.5.h")
    assert feed in header.read_text()
    assert "// a note" in header.read_text()
    (tmp_path / "main.cc").write_text(PROGRAM)
    binary = tmp_path / "main"
    defined = [f"-DINPUT={c_type}", *(["-DQUANTIZED"] if zero_point is not None else [])]
    command = [compiler, "-std=c++17", "-Wall", "-Werror", *defined, "-o", binary, tmp_path / "main.cc", source]
    subprocess.run(command, check=True)
    printed = subprocess.run([binary], check=True, capture_output=True, text=True).stdout.split()
    content, checksum = artifact.read_bytes(), 0
    for byte in content:
        checksum = (checksum * 31 + byte) % 1000003
    expected = [len(content), checksum, 0, 16, 3, 16, 12345, 1, 0]
    expected += [] if zero_point is None else [zero_point, 1 / 128, 0, pytest.approx(0.1)]
    assert [float(value) for value in printed] == expected


def test_what_is_no_tflite_file_is_refused(tmp_path):
    (tmp_path / "m.tflite").write_bytes(b"not a model")
    with pytest.raises(InputError, match="not a TFLite file"):
        write_c_array(tmp_path / "m.tflite", tmp_path, "face", 1024, [])
    assert not list(tmp_path.glob("face.*"))


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("GhostFaceNetV1-0.5-2-tflite-micro-int8", "ghostfacenetv1_0_5_2_tflite_micro_int8"), ("1face;", "model_1face")],
)
def test_c_identifiers(name, identifier):
    assert identifier_of(name) == identifier
