import re

import numpy as np
import pytest

from ghostface_edge.targets.diagnosis.cause import Blame
from ghostface_edge.targets.diagnosis.difference import compare
from ghostface_edge.targets.diagnosis.operator_causes import operator_cause

SHAPE = (4, 7, 7, 24)


def named(here, there):
    return operator_cause("CONV_2D", compare(here, there), here, there)


def on_grid(real, rounding):
    return (rounding(real) - 3).clip(-128, 127).astype(np.int8)


@pytest.mark.parametrize("sides", [(-1, 1), (1,), (-1,)])
@pytest.mark.parametrize("share", [0.002, 0.01, 0.1])
def test_steps_here_and_there_are_rounding_and_no_fault(sides, share):
    for seed in range(20):
        generator = np.random.default_rng(seed)
        here = on_grid(generator.normal(0, 40, SHAPE), np.round)
        moved = here + generator.choice(sides, SHAPE) * (generator.random(SHAPE) < share)
        there = moved.clip(-128, 127).astype(np.int8)
        assert named(here, there).blame is Blame.ROUNDING


@pytest.mark.parametrize("rounding", [np.floor, np.ceil, np.trunc])
def test_rounding_down_up_or_towards_zero_is_truncation(rounding):
    for seed in range(20):
        real = np.random.default_rng(seed).normal(0, 40, SHAPE)
        found = named(on_grid(real, np.round), on_grid(real, rounding))
        assert (found.name, found.blame) == ("truncated rounding at CONV_2D", Blame.FAULT)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda values: np.roll(values, -2, axis=3), "channels are shifted by -2 at CONV_2D"),
        (lambda values: values[..., ::-1], "channels are in reverse order at CONV_2D"),
        (lambda values: values[[1, 0, 2, 3]], r"batch: faces are mixed up \(rows 1 0 2 3\) at CONV_2D"),
        (lambda values: (values.clip(-126) - 2).astype(np.int8), r"zero point off by 2 \(-2\) at CONV_2D"),
        (lambda values: values * (np.arange(24) != 5).astype(np.int8), "a weight of CONV_2D is wrong: only channel 5"),
        (lambda values: values // 2, "CONV_2D computes something else"),
    ],
)  # fmt: skip
def test_what_an_operator_does_otherwise_is_named(change, cause):
    here = on_grid(np.random.default_rng(1).normal(0, 40, SHAPE), np.round)
    found = named(here, change(here))
    assert found.blame is Blame.FAULT
    assert re.match(cause, found.name)


def test_half_precision_is_no_fault():
    here = np.random.default_rng(1).normal(0, 40, SHAPE).astype(np.float32)
    found = named(here, here.astype(np.float16).astype(np.float32))
    assert (found.name, found.blame) == ("CONV_2D computes in lower precision", Blame.ROUNDING)
