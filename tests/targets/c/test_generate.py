"""The generated C: its bytes against TensorFlow Lite Micro's, its form, and what it promises to a program."""

import ctypes
import shutil
import subprocess
import threading

import numpy as np
import pytest

from ghostface_edge.targets.c.embedder import CEmbedder
from ghostface_edge.targets.c.generate import generate
from ghostface_edge.targets.c.layers import Concatenation

STRICT = ("-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wpedantic")
MAIN = """
#include <stdint.h>
#include <stdio.h>
#include "model.h"
static uint8_t face[MODEL_SIZE * MODEL_SIZE * 3];
static int8_t embedding[MODEL_EMBEDDING_SIZE];
static _Alignas(16) uint8_t arena[MODEL_ARENA_BYTES];
int main(void)
{
    while (fread(face, sizeof face, 1, stdin)) {
        if (model_embed(face, arena, embedding) || model_cosine(embedding, embedding) < 0.9999f)
            return 1;
        fwrite(embedding, sizeof embedding, 1, stdout);
    }
    return 0;
}
"""


def run_micro(artifact, faces):
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    from ghostface_edge.targets.tflite_micro.interpreter import MicroEmbedder

    embedder = MicroEmbedder(artifact)
    return embedder.infer(embedder.prepare(faces))


def run_c(library, faces, output=(-1,)):
    embedder = CEmbedder(library._name, output=output)
    return embedder.infer(embedder.prepare(faces))


@pytest.mark.parametrize("options", [{}, {"seed": 1, "tied": False}, {"seed": 2, "steepest": 1.7}])
def test_every_byte_is_tensorflow_lite_micros(write_ghost_network, portable, build, faces, options):
    artifact = portable(write_ghost_network(quantized=True, **options))
    plain = run_c(build(generate(artifact).source.c, *STRICT, "-DMODEL_PORTABLE"), faces)
    np.testing.assert_array_equal(plain, run_micro(artifact, faces))
    assert len(np.unique(plain)) > 50
    native = run_c(build(generate(artifact).source.c, *STRICT, "-O3", "-march=native"), faces)
    np.testing.assert_array_equal(native, plain)


def test_pooling_logistic_and_resize_of_version_2(gated_qdq, portable, build, faces):
    artifact = portable(gated_qdq)
    ours = run_c(build(generate(artifact).source.c, *STRICT), faces)
    np.testing.assert_array_equal(ours, run_micro(artifact, faces))
    assert len(np.unique(ours)) > 20


def test_the_same_text_every_time_and_nothing_but_its_own_names(ghost_qdq, portable, build):
    artifact = portable(ghost_qdq)
    source = generate(artifact).source
    assert source == generate(artifact).source
    library = build(source.c, "-O2")
    if shutil.which("nm") is None:
        pytest.skip("nm is not installed")
    listed = subprocess.run(["nm", "-D", library._name], capture_output=True, text=True, check=True).stdout
    symbols = {line.split()[-1].partition("@")[0]: line.split()[-2] for line in listed.splitlines()}
    defined = {name for name, kind in symbols.items() if kind in "TRDB" and name.startswith("model_")}
    assert defined >= {"model_embed", "model_cosine", "model_arena_bytes", "model_sha256", "model_version"}
    wanted = {name for name, kind in symbols.items() if kind == "U"}
    assert wanted <= {"memcpy", "memset", "__stack_chk_fail"}


def test_header_and_source_agree_and_sanitizers_find_nothing(ghost_qdq, portable, compiler, tmp_path, faces):
    artifact = portable(ghost_qdq)
    source = generate(artifact).source
    (tmp_path / "model.h").write_text(source.h)
    (tmp_path / "model.c").write_text('#include "model.h"\n' + source.c)
    (tmp_path / "main.c").write_text(MAIN)
    checks = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1", "-std=c11", *STRICT)
    program = tmp_path / "program"
    command = [compiler, *checks, "-o", program, tmp_path / "main.c", tmp_path / "model.c"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if "libasan" in built.stderr or "libclang_rt" in built.stderr:
        pytest.skip("the compiler comes without its sanitizers")
    assert not built.returncode, built.stderr
    done = subprocess.run([program], input=faces.tobytes(), capture_output=True, check=False)
    assert not done.returncode, done.stderr.decode()
    embeddings = np.frombuffer(done.stdout, np.int8).reshape(len(faces), -1)
    np.testing.assert_array_equal(embeddings, run_micro(artifact, faces))


def test_two_threads_an_arena_each(ghost_qdq, portable, build, faces):
    library = build(generate(portable(ghost_qdq)).source.c)
    expected, found = run_c(library, faces), {}

    def work(number):
        embedder = CEmbedder(library._name)
        found[number] = np.stack([embedder.infer(faces) for _ in range(40)])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((found[number] == expected).all() for number in range(2))


def test_an_arena_that_is_missing_or_askew_is_refused(ghost_qdq, portable, build, faces):
    library = build(generate(portable(ghost_qdq)).source.c)
    memory = np.zeros(ctypes.c_uint32.in_dll(library, "model_arena_bytes").value + 32, np.uint8)
    aligned = memory.ctypes.data + -memory.ctypes.data % 16
    embedding = np.full(ctypes.c_uint32.in_dll(library, "model_embedding_size").value, 77, np.int8)
    rgb, out = ctypes.c_void_p(faces[0].ctypes.data), ctypes.c_void_p(embedding.ctypes.data)
    for arena in (None, aligned + 1, aligned + 8):
        assert library.model_embed(rgb, ctypes.c_void_p(arena), out) == 1
        assert (embedding == 77).all()
    assert library.model_embed(rgb, ctypes.c_void_p(aligned), out) == 0


def test_nothing_is_written_outside_of_arena_and_embedding(ghost_qdq, portable, build, faces):
    library = build(generate(portable(ghost_qdq)).source.c, "-O3", "-march=native")
    size = ctypes.c_uint32.in_dll(library, "model_arena_bytes").value
    for filling in (0x00, 0x5A, 0xFF):
        memory = np.full(size + 4096, filling, np.uint8)
        start = 1024 + -(memory.ctypes.data + 1024) % 16
        embedding = np.full(24 + 64, 77, np.int8)
        rgb, out = ctypes.c_void_p(faces[0].ctypes.data), ctypes.c_void_p(embedding.ctypes.data + 32)
        assert library.model_embed(rgb, ctypes.c_void_p(memory.ctypes.data + start), out) == 0
        assert (memory[:start] == filling).all()
        assert (memory[start + size :] == filling).all()
        assert (np.delete(embedding, np.s_[32:56]) == 77).all()
        np.testing.assert_array_equal(embedding[32:56], run_c(library, faces[:1])[0])


def test_cosine_takes_the_zero_point_off(ghost_qdq, portable, build):
    generated = generate(portable(ghost_qdq))
    library, zero_point = build(generated.source.c), generated.program.embedding.zero_point
    library.model_cosine.restype = ctypes.c_float
    random = np.random.default_rng(0).integers(-128, 128, (20, 2, 24)).astype(np.int8)
    for a, b in random:
        real = a.astype(float) - zero_point, b.astype(float) - zero_point
        expected = np.dot(*real) / np.linalg.norm(real[0]) / np.linalg.norm(real[1])
        pointers = (ctypes.c_void_p(np.ascontiguousarray(each).ctypes.data) for each in (a, b))
        assert library.model_cosine(*pointers) == pytest.approx(expected, abs=1e-6)
    nothing = np.full(24, zero_point, np.int8)
    assert library.model_cosine(*[ctypes.c_void_p(nothing.ctypes.data)] * 2) == 0


SEEN = """
static int8_t seen_data[4096];
static int seen_count, seen_bytes;
void seen(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride);
void seen(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride)
{
    (void)layer;
    seen_count += name[0] != 0;
    seen_bytes = pixels * channels;
    for (int i = 0; i < seen_bytes && i < 4096; ++i)
        seen_data[i] = data[i / channels * stride + i % channels];
}
int count(void);
int count(void) { return seen_count; }
const int8_t *data(void);
const int8_t *data(void) { return seen_data; }
"""


def test_a_trace_shows_every_tensor_the_embedding_last(ghost_qdq, portable, build, faces):
    generated = generate(portable(ghost_qdq))
    library = build(generated.source.c + SEEN, "-DMODEL_TRACE=seen")
    embedding = run_c(library, faces[:1])[0]
    in_place = sum(isinstance(layer, Concatenation) for layer in generated.program.layers)
    assert library.count() == len(generated.program.layers) - in_place
    library.data.restype = ctypes.POINTER(ctypes.c_int8 * len(embedding))
    np.testing.assert_array_equal(np.array(library.data().contents), embedding)
