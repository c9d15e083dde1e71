"""Artifacts of one runtime, timed in turns; one that cannot be loaded costs the others nothing."""

import numpy as np
import pytest

from ghostface_edge.pipeline.precision_search.turns import RUNS, TurnTimer, relative, time_in_turns
from ghostface_edge.targets.onnxruntime import OnnxruntimeTarget
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.protocol import Precision


@pytest.fixture(scope="module")
def artifacts(qdq_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifacts")
    good, bad, int8 = folder / "fp32.onnx", folder / "bad.onnx", folder / "int8.onnx"
    OnnxruntimeTarget().convert(qdq_file.with_name("prepared.onnx"), Precision.FP32, good)
    OnnxruntimeTarget().lower_quantized(qdq_file, int8)
    bad.write_bytes(b"no model")
    return {"fp32": good, "bad": bad, "int8": int8}


def test_a_broken_artifact_is_left_out_and_every_other_gets_its_turns(artifacts, tmp_path):
    def open_timer():
        return LOCAL.open(TurnTimer, "onnxruntime", log=tmp_path / "log")

    rounds = []
    taken = time_in_turns(open_timer, artifacts, threads=1, rounds=3, advance=rounds.append)
    assert list(taken) == ["fp32", "int8"]
    assert all(samples.shape == (3, RUNS) for samples in taken.values())
    assert all((samples > 0).all() for samples in taken.values())
    assert rounds == [1, 1, 1]
    bad = {"bad": artifacts["bad"]}
    assert time_in_turns(open_timer, bad, threads=1, rounds=3, advance=rounds.append) == {}


def test_ratios_do_not_feel_a_machine_that_slows_down_or_a_single_slow_run():
    generator = np.random.default_rng(0)
    drift = np.linspace(1, 4, 40)[:, None]
    samples = {name: drift * cost * np.ones((40, RUNS)) for name, cost in {"a": 1.0, "b": 0.8, "c": 1.5}.items()}
    samples["b"][generator.integers(40, size=12), 2] *= 30
    samples["c"][5] *= 10
    assert relative(samples, "a") == pytest.approx({"a": 1.0, "b": 0.8, "c": 1.5})
