"""Kernels of Cortex-M: the bytes of the portable ones, at sizes that fill no vector and no pair."""

from contextlib import closing

import numpy as np
import pytest

from ghostface_edge.targets.c.arena import plan
from ghostface_edge.targets.c.layers import (
    Addition,
    Convolution,
    Depthwise,
    Multiplication,
    Multiplier,
    Program,
    Requantization,
    Slopes,
    Tensor,
    Window,
)
from ghostface_edge.targets.c.metal.build import build
from ghostface_edge.targets.c.metal.embedder import MetalEmbedder
from ghostface_edge.targets.c.source import write_source

SIDE = 9
KEPT = Multiplier.of(1.0)


class Layers:
    """Layers with seeded weights, one behind the other."""

    def __init__(self):
        self.generator = np.random.default_rng(6)
        self.layers, self.last = [], Tensor("faces", SIDE, SIDE, 3, 1 / 128, 0)

    def add(self, make, rows, channels):
        out = Tensor(f"t{len(self.layers)}", rows, rows, channels, 0.1, int(self.generator.integers(-20, 20)))
        self.layers.append(make(self.last, out))
        self.last = out
        return out

    def integers(self, *shape):
        return self.generator.integers(-127, 128, shape).astype(np.int8)

    def requantization(self, out, factors, limits=(-128, 127)):
        """Factors as they come, some of them beyond what a kernel may take a short way for."""
        multipliers = [Multiplier.of(factor) for factor in np.resize(factors, out.channels)]
        return Requantization(
            self.generator.integers(-5000, 5000, out.channels).astype(np.int32),
            np.array([each.significand for each in multipliers], np.int32),
            np.array([each.shift for each in multipliers], np.int32),
            out.zero_point,
            *limits,
        )

    def slopes(self, out, above=KEPT):
        return Slopes(self.integers(out.channels), above, Multiplier.of(0.007), out.zero_point, out.zero_point)

    def convolution(self, rows, channels, kernel, stride, factors, *, above=None, limits=(-128, 127)):
        def make(source, out):
            window = Window(kernel, kernel, stride, kernel // 2, kernel // 2)
            prelu = None if above is None else self.slopes(out, above)
            weights = self.integers(channels, kernel * kernel * source.channels)
            return Convolution(source, out, window, weights, self.requantization(out, factors, limits), prelu)

        return self.add(make, rows, channels)

    def depthwise(self, rows, kernel, stride, factors, *, above=None, limits=(-128, 127)):
        def make(source, out):
            window = Window(kernel, kernel, stride, kernel // 2, kernel // 2)
            prelu = None if above is None else self.slopes(out, above)
            weights = self.integers(kernel * kernel, source.channels)
            return Depthwise(source, out, window, weights, self.requantization(out, factors, limits), prelu)

        return self.add(make, rows, self.last.channels)


@pytest.fixture
def model(tmp_path):
    """Odd sizes; factors from 2^-33 to 1.5; with and without PReLU, its rises kept and scaled; clamped and not."""
    w = Layers()
    w.convolution(5, 7, 3, 2, (0.004, 0.002, 2.0**-9), above=KEPT)
    first = w.convolution(5, 5, 1, 1, (0.01, 1.5, 2.0**-12), above=Multiplier.of(0.8))
    second = w.depthwise(5, 3, 1, (0.004, 0.6, 1.2), above=KEPT)
    factors = (Multiplier.of(0.5), Multiplier.of(0.37), Multiplier.of(2.0**-19 * 1.3))
    w.add(lambda _, out: Addition(first, second, out, *factors, -128, 90), 5, 5)
    w.convolution(5, 19, 1, 1, (0.01, 2.0**-33, 0.03), limits=(-50, 100))
    third = w.depthwise(5, 5, 1, (0.002, 0.001), limits=(-128, 99))
    w.add(lambda _, out: Multiplication(third, third, out, Multiplier.of(0.009), -128, 127), 5, 19)
    w.depthwise(1, 5, 5, (0.003, 0.002, 0.001), above=Multiplier.of(1.3))
    w.convolution(1, 33, 1, 1, (0.002, 0.001))
    program = Program(Tensor("faces", SIDE, SIDE, 3, 1 / 128, 0), tuple(w.layers), w.last)
    source = write_source(program, plan(program), "a test", "0" * 64)
    (tmp_path / "model.c").write_text(source.c)
    (tmp_path / "model.h").write_text(source.h)
    return tmp_path / "model.c"


@pytest.mark.parametrize("core", ["cortex-m7", "cortex-m55"])
def test_every_layer_has_the_portable_bytes(emulator, model, tmp_path, core):
    face = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    found = []
    for name, options in (("chosen", ()), ("portable", ("-DMODEL_PORTABLE", "-O1"))):
        (tmp_path / name).mkdir()
        program = build(model, core, tmp_path / name, ("-DMODEL_TRACE=trace", *options))
        with closing(MetalEmbedder(program, (emulator,))) as board:
            found.append(list(board.layers(face)))
    chosen, portable = found
    assert [layer for layer, _ in chosen] == [*range(9), -1]
    assert [int((a != b).sum()) for (_, a), (_, b) in zip(chosen, portable, strict=True)] == [0] * 10
    assert all(len(np.unique(values)) > 1 for _, values in chosen)
