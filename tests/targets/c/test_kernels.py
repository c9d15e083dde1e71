"""Every kernel, in plain C and for this processor, gives what NumPy computes by the reference, to the byte.

One network of random layers has what kernels tell apart: strides, borders, odd and few channels, views into a
concatenation, saturation, every shift to the right and two to the left, and layers whose float forms are not proved.
"""

import ctypes
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostface_edge.targets.c import proofs
from ghostface_edge.targets.c.arena import plan
from ghostface_edge.targets.c.compiler import HOST, LIBRARY, compile_c, find_compiler
from ghostface_edge.targets.c.layers import (
    Addition,
    Concatenation,
    Convolution,
    Depthwise,
    Layer,
    Mean,
    Multiplication,
    Multiplier,
    Prelu,
    Program,
    Requantization,
    Slopes,
    Tensor,
    Window,
    sources_of,
)
from ghostface_edge.targets.c.source import write_source

STRICT: Final = ("-Wconversion", "-Wpedantic")
SIZE: Final = 19
TRACE: Final = r"""
#include <stdint.h>
#include <string.h>
void record(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride);
int8_t recorded[1 << 20];
int32_t recorded_bytes;
void record(int layer, const char *name, const int8_t *data, int pixels, int channels, int stride)
{
    (void)layer, (void)name;
    for (int pixel = 0; pixel < pixels; ++pixel, recorded_bytes += channels)
        memcpy(recorded + recorded_bytes, data + pixel * stride, (size_t)channels);
}
"""
VNNI: Final = r"""
#include <immintrin.h>
/* What the instruction does, by instructions that are there. */
static inline __m256i stand_in(__m256i sum, __m256i x, __m256i w)
{
    const __m256i low = _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(255)),
                                          _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8));
    const __m256i high = _mm256_madd_epi16(_mm256_srli_epi16(x, 8), _mm256_srai_epi16(w, 8));
    return _mm256_add_epi32(sum, _mm256_add_epi32(low, high));
}
#define __AVXVNNI__ 1
#define _mm256_dpbusd_avx_epi32 stand_in
"""
BUILDS: Final = MappingProxyType(
    {"portable": ("", ["-DMODEL_PORTABLE"]), "native": ("", [*HOST]), "vnni": (VNNI, ["-mavx2", "-mfma"])}
)


@dataclass
class Network:
    """Layers as they are added, with random parameters."""

    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    faces: Tensor = field(default_factory=lambda: Tensor("faces", SIZE, SIZE, 3, 1 / 128, 0))
    layers: list[Layer] = field(default_factory=list)

    def tensor(self, rows: int, channels: int) -> Tensor:
        return Tensor(f"t{len(self.layers)}", rows, rows, channels, 0.05, int(self.random.integers(-40, 40)))

    def add(self, layer: Layer) -> Tensor:
        self.layers.append(layer)
        return layer.out

    def requantization(self, out: Tensor, summands: int, shifts: NDArray[Any] | None) -> Requantization:
        """Sums that fill int8 and a bit more, or shifts that are given."""
        channels = out.channels
        significands = self.random.integers(1 << 30, 1 << 31, channels)
        if shifts is None:
            shifts = -round(np.log2(np.sqrt(summands) * 50)) - self.random.integers(0, 2, channels)
        bias = self.random.integers(-200, 200, channels) << np.clip(-shifts - 4, 0, 20)
        return Requantization(*(each.astype(np.int32) for each in (bias, significands, shifts)), out.zero_point)

    def slopes(self, tensor: Tensor, above: float = 1.0) -> Slopes:
        values = self.random.integers(-30, 128, tensor.channels).astype(np.int8)
        zero = tensor.zero_point
        return Slopes(values, Multiplier.of(above), Multiplier.of(0.0061), zero, zero)

    def conv(self, source: Tensor, outputs: int, k: int = 1, stride: int = 1, **options: Any) -> Tensor:
        return self._windowed(Convolution, source, outputs, k, stride, **options)

    def depthwise(self, source: Tensor, k: int, stride: int = 1, **options: Any) -> Tensor:
        return self._windowed(Depthwise, source, source.channels, k, stride, **options)

    def _windowed(
        self,
        kind: type[Any],
        source: Tensor,
        outputs: int,
        k: int,
        stride: int,
        *,
        valid: bool = False,
        above: float | None = None,
        shifts: NDArray[Any] | None = None,
        limits: tuple[int, int] = (-128, 127),
    ) -> Tensor:
        rows = (source.rows - k) // stride + 1 if valid else -(-source.rows // stride)
        before = 0 if valid else max((rows - 1) * stride + k - source.rows, 0) // 2
        inputs = k * k * source.channels if kind is Convolution else k * k
        shape = (outputs, inputs) if kind is Convolution else (inputs, outputs)
        values = self.random.integers(-127, 128, shape).astype(np.int8)
        out = self.tensor(rows, outputs)
        made = self.requantization(out, inputs, shifts)
        requantization = Requantization(made.bias, made.significands, made.shifts, out.zero_point, *limits)
        prelu = None if above is None else self.slopes(out, above)
        return self.add(kind(source, out, Window(k, k, stride, before, before), values, requantization, prelu))


def network() -> Program:
    net = Network()
    stem = net.conv(net.faces, 8, 3, 2, above=1.0)
    few = net.conv(stem, 5, above=1.0)
    cheap = net.depthwise(few, 3, above=1.0)
    whole = net.tensor(few.rows, 10)
    same = [Tensor(each.name, each.rows, each.columns, 5, each.scale, each.zero_point) for each in (few, cheap)]
    joined = net.add(Concatenation((same[0], same[1]), whole))
    view = net.conv(few, 7, 3, 2)
    wide = net.conv(joined, 37, above=1.0)
    a = net.depthwise(wide, 3)
    b = net.depthwise(wide, 3, above=0.7)
    for channels in (2, 16, 18, 24, 31, 32, 33):
        net.depthwise(net.conv(joined, channels), 3, above=1.0 if channels % 2 else None)
    for stride, k, valid in ((2, 5, False), (2, 3, False), (1, 5, False), (1, 4, True), (3, 3, False), (1, 1, False)):
        net.depthwise(wide, k, stride, valid=valid)
        net.depthwise(view, min(k, 4), stride, valid=valid)
    shifts = np.arange(-31, 3)
    net.depthwise(net.conv(few, len(shifts), shifts=shifts), 3, shifts=shifts, above=1.0)
    net.conv(few, len(shifts), shifts=shifts, above=1.0)
    net.depthwise(few, 3, shifts=np.array([-9, 0, -20, 2, -1]))
    net.conv(wide, 12, limits=(-20, 90))
    net.conv(wide, 12, shifts=np.full(12, -6))  # saturated
    net.depthwise(joined, 3, limits=(-20, 90), above=1.0)
    halves = Multiplier.of(0.5), Multiplier.of(0.5), Multiplier.of(2.0**-20)
    factors = Multiplier.of(0.5), Multiplier.of(0.41), Multiplier.of(1.37 / (1 << 20))
    for terms in (halves, factors):
        net.add(Addition(a, b, net.tensor(a.rows, a.channels), *terms, -100, 127))
    part = net.conv(stem, 5)
    net.add(Addition(few, part, net.tensor(few.rows, 5), *factors, -128, 127))
    squeezed = net.add(Mean(wide, net.tensor(1, 37), Multiplier.of(1.3).over(wide.pixels)))
    many = net.conv(net.faces, 6, 3)
    net.add(Mean(many, net.tensor(1, 6), Multiplier.of(0.9).over(many.pixels)))
    gate = net.conv(net.conv(squeezed, 20, above=1.0), 37)
    for factor in (0.003, 0.75):
        net.add(Multiplication(wide, gate, net.tensor(a.rows, 37), Multiplier.of(factor), -128, 120))
    net.add(Multiplication(a, b, net.tensor(a.rows, 37), Multiplier.of(0.004), -128, 127))
    net.add(Prelu(a, net.tensor(a.rows, 37), net.slopes(a)))
    last = net.conv(net.depthwise(wide, wide.rows, valid=True), 33)
    return Program(net.faces, tuple(net.layers), last)


def scaled(values: NDArray[Any], significands: Any, shifts: Any) -> NDArray[np.int64]:
    wide = (np.asarray(each, np.int64) for each in (values, significands, shifts))
    return proofs.reference(*wide)


def by(values: NDArray[Any], factor: Multiplier) -> NDArray[np.int64]:
    return scaled(values, factor.significand, factor.shift)


def with_prelu(values: NDArray[Any], slopes: Slopes) -> NDArray[np.int64]:
    x = values - slopes.zero_point
    y = np.where(x >= 0, by(x, slopes.above), by(x * slopes.slopes.astype(np.int64), slopes.below))
    return np.clip(y + slopes.output_zero_point, -128, 127)


def windows(image: NDArray[Any], window: Window, out: Tensor, zero_point: int) -> NDArray[Any]:
    """(pixels, taps, channels)"""
    padded = np.pad(image, [(window.top, 9), (window.left, 9), (0, 0)], constant_values=zero_point)
    taps = [
        padded[i : i + out.rows * window.stride : window.stride, j : j + out.columns * window.stride : window.stride]
        for i in range(window.rows)
        for j in range(window.columns)
    ]
    return np.stack(taps, 2).reshape(out.pixels, window.taps, -1)


def compute(layer: Layer, values: dict[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """One layer, by NumPy."""
    inputs = [values[each.name] for each in sources_of(layer)]
    match layer:
        case Convolution() | Depthwise():
            patches = windows(inputs[0], layer.window, layer.out, layer.source.zero_point)
            weights, rounding = layer.weights.astype(np.int64), layer.requantization
            if isinstance(layer, Convolution):
                sums = patches.reshape(layer.out.pixels, -1) @ weights.T
            else:
                sums = (patches * weights).sum(axis=1)
            y = scaled(sums + rounding.bias, rounding.significands, rounding.shifts) + rounding.zero_point
            y = np.clip(y, rounding.low, rounding.high)
            result = y if layer.prelu is None else with_prelu(y, layer.prelu)
        case Addition():
            x, y = inputs[0] - layer.a.zero_point, inputs[1] - layer.b.zero_point
            total = by(by(x << 20, layer.factor_a) + by(y << 20, layer.factor_b), layer.factor_out)
            result = np.clip(total + layer.out.zero_point, layer.low, layer.high)
        case Multiplication():
            product = (inputs[0] - layer.a.zero_point) * (inputs[1] - layer.b.zero_point)
            result = np.clip(by(product, layer.factor) + layer.out.zero_point, layer.low, layer.high)
        case Mean():
            sums = (inputs[0] - layer.source.zero_point).sum(axis=(0, 1))
            result = np.clip(by(sums, layer.factor) + layer.out.zero_point, -128, 127)
        case Prelu():
            result = with_prelu(inputs[0], layer.slopes)
        case Concatenation():
            result = np.concatenate(inputs, axis=2)
    return result.reshape(layer.out.rows, layer.out.columns, layer.out.channels)


@pytest.fixture(scope="module")
def compiler() -> str:
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        pytest.skip("no C compiler")
    return find_compiler()


@pytest.fixture(scope="module")
def program() -> Program:
    return network()


def has_avx2() -> bool:
    cpu = Path("/proc/cpuinfo")
    return cpu.is_file() and {"avx2", "fma"} <= set(cpu.read_text().split())


@pytest.mark.parametrize("build", BUILDS)
def test_every_layer_is_numpys_to_the_byte(build: str, program: Program, compiler: str, tmp_path: Path) -> None:
    if build == "vnni" and not has_avx2():
        pytest.skip("no AVX2 here")
    before, flags = BUILDS[build]
    arena = plan(program)
    (tmp_path / "model.c").write_text(before + write_source(program, arena, "test", "0").c)
    (tmp_path / "trace.c").write_text(TRACE)
    options = [*flags, *LIBRARY, *STRICT, "-O1", "-DMODEL_TRACE=record"]
    compile_c(compiler, [tmp_path / "model.c", tmp_path / "trace.c"], options, tmp_path / "model.so")
    library = ctypes.CDLL(str(tmp_path / "model.so"))
    for seed in range(3):
        faces = np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
        memory = np.zeros(arena.size_bytes + 64, np.uint8)
        at = memory.ctypes.data + -memory.ctypes.data % 16
        ctypes.c_int32.in_dll(library, "recorded_bytes").value = 0
        embedding = np.zeros(program.embedding.channels, np.int8)
        assert (
            library.model_embed(*(ctypes.c_void_p(each) for each in (faces.ctypes.data, at, embedding.ctypes.data)))
            == 0
        )
        recorded = np.frombuffer((ctypes.c_int8 * (1 << 20)).in_dll(library, "recorded"), np.int8)
        values, position = {program.faces.name: faces.astype(np.int64) - 128}, 0
        for number, layer in enumerate(program.layers):
            values[layer.out.name] = compute(layer, values)
            if isinstance(layer, Concatenation):  # its parts are in place, so that it is no step
                continue
            size = values[layer.out.name].size
            got = recorded[position : position + size].reshape(values[layer.out.name].shape)
            np.testing.assert_array_equal(got, values[layer.out.name], f"layer {number}: {layer.out}")
            position += size
        assert position == ctypes.c_int32.in_dll(library, "recorded_bytes").value
        np.testing.assert_array_equal(embedding, values[program.embedding.name].reshape(-1))


@pytest.mark.parametrize(
    "flags", [("-mavx2", "-mfma", "-mavxvnni"), ("-mavx2", "-mfma", "-mavx512f", "-mavx512vl", "-mavx512vnni")]
)
def test_the_vnni_forms_compile(flags: tuple[str, ...], program: Program, compiler: str, tmp_path: Path) -> None:
    if not has_avx2():
        pytest.skip("no compiler for x86")
    (tmp_path / "model.c").write_text(write_source(program, plan(program), "test", "0").c)
    compile_c(compiler, [tmp_path / "model.c"], [*flags, *STRICT, "-fsyntax-only"], tmp_path / "none")


def test_the_network_has_proved_and_unproved_layers(program: Program) -> None:
    found: dict[str, set[bool]] = {"sums": set(), "prelu": set(), "addition": set(), "product": set()}
    for layer in program.layers:
        if isinstance(layer, Convolution | Depthwise):
            found["sums"].add(proofs.prove_sums(layer) is not None)
            if layer.prelu is not None:
                found["prelu"].add(proofs.prove_prelu(layer.prelu, layer.requantization) is not None)
        elif isinstance(layer, Addition):
            found["addition"].add(proofs.prove_addition(layer) is not None)
        elif isinstance(layer, Multiplication):
            found["product"].add(proofs.prove_products(layer) is not None)
    assert found == {name: {True, False} for name in found}
