"""Seeds get through their parser, and mutations keep the structure that they claim to keep."""

import json
import pickletools
import random

import pytest

from ghostface_edge.reports.errors import InputError

from ..hostile import good
from . import mutators
from .targets import TARGETS

LIGHT = (
    *("bin", "pairs", "people", "cfp", "landmarks", "image", "archive", "records"),
    *("recipe", "policy", "devices", "plan", "matrix", "binding", "report", "history", "wire"),
    *("executorch", "sophgo"),
)
"""Whose parsers and seeds need neither PyTorch nor a runtime."""
WHOLE = {*LIGHT} - {"records"}
"""Whose seeds are good files, of which at least one is taken."""


def test_every_parser_of_the_issue_is_a_target() -> None:
    named = {
        "bin",
        "pairs",
        "people",
        "landmarks",
        "recipe",
        "policy",
        "report",
        "bundle",
        "safetensors",
        "hdf5",
        "onnx",
        "qdq",
        "torch",
    }
    assert named <= TARGETS.keys()


@pytest.mark.parametrize("name", LIGHT)
def test_seeds_get_through(name: str) -> None:
    parse = TARGETS[name].prepare()
    taken = 0
    for seed in TARGETS[name].seeds():
        assert len(seed) <= TARGETS[name].max_bytes
        try:
            parse(seed)
            taken += 1
        except InputError:
            continue
    assert taken or name not in WHOLE


def test_json_stays_json_and_changes() -> None:
    before = good.report_json()
    mutated = [mutators._json(before, random.Random(seed)) for seed in range(50)]
    assert all(json.loads(one) is not ... for one in mutated)
    assert len({before, *mutated}) > 40


def test_pickles_stay_programs_and_change() -> None:
    before = good.bin_of([b"abc"] * 4, [True, False])
    mutated = [mutators._pickle(before, random.Random(seed)) for seed in range(50)]
    readable = 0
    for one in mutated:
        try:
            readable += bool(list(pickletools.genops(one)))
        except ValueError:  # the last instruction may have gone
            continue
    assert readable > 25
    assert len({before, *mutated}) > 40


def test_models_stay_models_and_change() -> None:
    from onnx import ModelProto

    before = good.tiny_onnx()
    mutated = [mutators.onnx_model(before, random.Random(seed)) for seed in range(50)]
    assert all(ModelProto.FromString(one) is not None for one in mutated)
    assert len({before, *mutated}) > 30
