"""Memory by lifetime: whatever a layer reads is still there, wherever it lies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ghostface_edge.targets.c.arena import ALIGNMENT, READ_AHEAD, is_in_place, plan, working_bytes
from ghostface_edge.targets.c.fusion import fuse
from ghostface_edge.targets.c.generate import generate
from ghostface_edge.targets.c.layers import (
    Addition,
    Concatenation,
    Multiplier,
    Prelu,
    Program,
    Slopes,
    Tensor,
    sources_of,
)

ONE = Multiplier.of(1.0)


def tensor(name, channels, side=4):
    return Tensor(name, side, side, channels, 0.1, 0)


@st.composite
def programs(draw):
    """Layers over what there is so far: sums of equals, concatenations, nested and with the same part twice."""
    known = [tensor("t0", draw(st.integers(1, 9)))]
    layers = [Addition(*[tensor("faces", known[0].channels)] * 2, known[0], ONE, ONE, ONE, -128, 127)]
    for number in range(1, draw(st.integers(2, 12))):
        if draw(st.booleans()):
            parts = tuple(draw(st.lists(st.sampled_from(known), min_size=2, max_size=3)))
            out = tensor(f"t{number}", sum(part.channels for part in parts))
            layers.append(Concatenation(parts, out))
        else:
            source = draw(st.sampled_from(known))
            out = tensor(f"t{number}", source.channels)
            layers.append(Addition(source, source, out, ONE, ONE, ONE, -128, 127))
        known.append(out)
    return Program(tensor("faces", known[0].channels), tuple(layers), known[-1])


def places(view, tensor):
    """Bytes of a tensor: (pixels, channels)."""
    return view.offset + np.arange(tensor.pixels)[:, None] * view.stride + np.arange(tensor.channels)


def follow(program):
    """Write each tensor's own values into the arena, layer by layer; what a layer reads must be what was written."""
    arena = plan(program)
    memory = np.full(arena.size_bytes, -1)
    written = {program.faces.name: None}
    for number, layer in enumerate(program.layers):
        for source in sources_of(layer):
            if written[source.name] is not None:
                np.testing.assert_array_equal(memory[places(arena.views[source.name], source)], written[source.name])
        if number in arena.scratch:
            scratch = slice(arena.scratch[number], arena.scratch[number] + working_bytes(layer))
            assert scratch.stop <= arena.size_bytes
            memory[scratch] = -2
            for source in sources_of(layer):
                if written[source.name] is not None:
                    kept = memory[places(arena.views[source.name], source)]
                    np.testing.assert_array_equal(kept, written[source.name])
        view = arena.views[layer.out.name]
        at = places(view, layer.out)
        assert at.max() + READ_AHEAD < arena.size_bytes + 1
        if isinstance(layer, Concatenation):
            values = np.concatenate([written[part.name] for part in layer.sources], axis=1)
            ends = np.cumsum([part.channels for part in layer.sources])[:-1]
            for part, place in zip(layer.sources, np.split(at, ends, axis=1), strict=True):
                if is_in_place(layer, part, arena.views):
                    np.testing.assert_array_equal(memory[place], written[part.name])
        else:
            values = (number + 1) * 10_000 + np.arange(at.size).reshape(at.shape)
        memory[at] = values
        written[layer.out.name] = values
    last = program.embedding
    np.testing.assert_array_equal(memory[places(arena.views[last.name], last)], written[last.name])
    return arena


@given(programs())
@settings(max_examples=80, deadline=None)
def test_what_a_layer_reads_is_what_was_written(program):
    follow(program)


def test_a_network_in_its_memory(write_ghost_network, portable):
    program = generate(portable(write_ghost_network(quantized=True))).program
    arena = follow(program)
    together = sum(layer.out.pixels * layer.out.channels for layer in program.layers)
    assert arena.size_bytes < together
    assert all(offset % ALIGNMENT == 0 for offset in arena.scratch.values())
    parts = [layer for layer in program.layers if isinstance(layer, Concatenation)]
    assert parts
    assert all(is_in_place(layer, part, arena.views) for layer in parts for part in layer.sources)


@pytest.mark.parametrize("readers", [1, 2])
def test_prelu_becomes_part_of_what_it_follows_unless_others_read_that(write_ghost_network, portable, readers):
    program = generate(portable(write_ghost_network(quantized=True))).program
    assert not any(isinstance(layer, Prelu) for layer in program.layers)
    layer = next(each for each in program.layers if getattr(each, "prelu", None) is not None)
    alone = Tensor("alone", layer.out.rows, layer.out.columns, layer.out.channels, 1.0, 0)
    slopes = Slopes(np.ones(layer.out.channels, np.int8), ONE, ONE, 0, 0)
    from dataclasses import replace

    bare = replace(layer, prelu=None)
    others = [Addition(bare.out, bare.out, tensor("sum", 1), ONE, ONE, ONE, -128, 127)] * (readers - 1)
    program = Program(program.faces, (bare, Prelu(bare.out, alone, slopes), *others), alone)
    assert len(fuse(program).layers) == 1 + 2 * (readers - 1)
