"""A program as C: `model.c`, which stands alone, and `model.h`, which says how to call it.

In: layers and their memory. Out: two texts. The embedding may be any tensor that the program computes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from ghostface_edge.targets.c import packing
from ghostface_edge.targets.c.arena import ALIGNMENT, PATCHES, Arena
from ghostface_edge.targets.c.layer_source import BLOCKS, LayerSource, LayerWriter
from ghostface_edge.targets.c.layers import Convolution, Depthwise, Program
from ghostface_edge.targets.c.literals import real

_KERNELS: Final = ("arithmetic", "avx2", "neon", "helium", "dsp", "portable", "cosine")
"""Files of `kernels` in the order of the source: `portable` leaves out what those before it define."""


@dataclass(frozen=True, slots=True)
class Source:
    """The two files."""

    c: str
    h: str


def write_source(program: Program, arena: Arena, version: str, sha256: str) -> Source:
    """Write a network as C.

    Args:
        program: as `fusion.fuse` gives it.
        arena: as `arena.plan` gives it.
        version: of what writes it.
        sha256: of the `.tflite` that it was read from.
    """
    writer = LayerWriter(program, arena)
    written = [writer.write(number, layer) for number, layer in enumerate(program.layers)]
    layers = [each for each in written if each is not None]
    folder = files(__package__).joinpath("kernels")
    parts = [
        _opening(program),
        *(folder.joinpath(f"{name}.h").read_text() for name in _KERNELS),
        f"#ifdef {BLOCKS}\n#define ORDERED(blocks, rows) blocks\n#else\n#define ORDERED(blocks, rows) rows\n#endif\n",
        "/* ---- The layers. ---- */\n",
        *(each.function for each in layers),
        _network(program, arena, layers, version, sha256),
        "/* ---- Weights and parameters. ---- */\n",
        *(each.data for each in layers if each.data),
    ]
    return Source("\n".join(parts) + "\n", _header(program, arena, version, sha256))


def _opening(program: Program) -> str:
    embedding, size = program.embedding, program.faces.rows
    windows = [each for each in program.layers if isinstance(each, Depthwise)]
    rings = [packing.ring(each) for each in windows]
    inputs = max((each.weights.shape[1] for each in program.layers if isinstance(each, Convolution)), default=1)
    return f"""\
/* A face-recognition network in int8, generated: the .h beside it says how to call it.
   It stands alone, keeps no state, allocates nothing, and gives the same bytes on every machine. Kernels are chosen by
   the instruction set that it is compiled for; -DMODEL_PORTABLE takes plain C. Two networks in one program: rename the
   second one's functions, as -Dmodel_embed=second_embed. */
#include <stdint.h>
#include <string.h>

#define EMBEDDING_SIZE {embedding.pixels * embedding.channels}
#define EMBEDDING_ZERO_POINT ({embedding.zero_point})
#define FACE_BYTES ({size} * {size} * 3)
#define PATCHES {PATCHES}
#define MAX_INPUTS {inputs}
#define MAX_TAPS {max((each.window.taps for each in windows), default=1)}
#define MAX_RING {max((ring.image for ring in rings), default=1)}
#define MAX_LINE {max((ring.line_bytes for ring in rings), default=1)}
#define MAX_PAIRED {max((ring.weights for ring in rings), default=1)}

int model_embed(const uint8_t rgb[FACE_BYTES], void *arena, int8_t embedding[EMBEDDING_SIZE]);
float model_cosine(const int8_t a[EMBEDDING_SIZE], const int8_t b[EMBEDDING_SIZE]);
extern const uint32_t model_size, model_arena_bytes, model_embedding_size;
extern const float model_embedding_scale;
extern const int32_t model_embedding_zero_point;
extern const char model_version[], model_sha256[];

/* For self-tests: -DMODEL_TRACE=name, a function of yours that is shown every tensor as it is made. */
#ifdef MODEL_TRACE
void MODEL_TRACE(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride);
#define TRACE(...) MODEL_TRACE(__VA_ARGS__)
#else
#define TRACE(...) ((void)0)
#endif
"""


def _network(program: Program, arena: Arena, layers: Sequence[LayerSource], version: str, sha256: str) -> str:
    embedding, steps = program.embedding, [f"{layer.name}(rgb, memory);" for layer in layers]
    if embedding == program.faces:
        steps += ["for (int32_t i = 0; i < EMBEDDING_SIZE; ++i)", "    embedding[i] = (int8_t)(rgb[i] ^ 0x80);"]
    else:
        view = arena.views[embedding.name]
        steps += [
            f"copy(memory + {view.offset}, {view.stride}, {embedding.pixels}, {embedding.channels}, "
            f"embedding, {embedding.channels});"
        ]
    calls = "\n".join(f"    {step}" for step in steps)
    return f"""\
/* ---- The network. ---- */

const uint32_t model_size = {program.faces.rows}, model_arena_bytes = {arena.size_bytes};
const uint32_t model_embedding_size = EMBEDDING_SIZE;
const float model_embedding_scale = {real(embedding.scale)};
const int32_t model_embedding_zero_point = EMBEDDING_ZERO_POINT;
const char model_version[] = "{version}";
const char model_sha256[] = "{sha256}";

int model_embed(const uint8_t rgb[FACE_BYTES], void *arena, int8_t embedding[EMBEDDING_SIZE])
{{
    int8_t *memory = arena;
    if (!memory || (uintptr_t)memory % {ALIGNMENT})
        return 1;
{calls}
    return 0;
}}
"""


def _header(program: Program, arena: Arena, version: str, sha256: str) -> str:
    embedding, size = program.embedding, program.faces.rows
    return f"""\
/* How to call the network in the .c beside this file; generated by {version}. */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define MODEL_SIZE {size}
#define MODEL_ARENA_BYTES {arena.size_bytes}
#define MODEL_EMBEDDING_SIZE {embedding.pixels * embedding.channels}
#define MODEL_EMBEDDING_SCALE {real(embedding.scale)}
#define MODEL_EMBEDDING_ZERO_POINT ({embedding.zero_point})
#define MODEL_VERSION "{version}"
/* SHA-256 of the .tflite whose output it gives, byte for byte. */
#define MODEL_SHA256 "{sha256}"

/* One face to its embedding.
   rgb: MODEL_SIZE x MODEL_SIZE pixels, row by row, red, green, blue, aligned to the ArcFace template; bytes as a
   camera gives them.
   arena: MODEL_ARENA_BYTES of memory at a multiple of {ALIGNMENT}. Nothing has to be in it, nothing in it is needed
   later; threads that have one each may call at once.
   embedding: real value = MODEL_EMBEDDING_SCALE * (value - MODEL_EMBEDDING_ZERO_POINT).
   Returns 0, or 1 where the arena is NULL or lies elsewhere.
   A processor's rounding mode has to be to nearest, as programs start. Stack: about a kilobyte on microcontrollers,
   some tens of kilobytes where vector kernels of a large processor run. */
int model_embed(const uint8_t rgb[MODEL_SIZE * MODEL_SIZE * 3], void *arena, int8_t embedding[MODEL_EMBEDDING_SIZE]);

/* Cosine of two embeddings; 0 where one of them is nothing but zeros. */
float model_cosine(const int8_t a[MODEL_EMBEDDING_SIZE], const int8_t b[MODEL_EMBEDDING_SIZE]);

/* The same figures, for programs that load the network as a library. */
extern const uint32_t model_size, model_arena_bytes, model_embedding_size;
extern const float model_embedding_scale;
extern const int32_t model_embedding_zero_point;
extern const char model_version[], model_sha256[];

#ifdef __cplusplus
}}
#endif

#endif
"""
