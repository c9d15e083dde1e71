import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.pipeline.bench import BenchModel
from ghostface_edge.pipeline.bench.limits import BYTES, TENSORFLOW, Comparison
from ghostface_edge.pipeline.bench.tensorflow_rival import compare, make
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.stages.latency import ROUNDS, Timing
from ghostface_edge.reports.errors import ToolError


def timing(p50_ms):
    samples = p50_ms * np.random.default_rng(3).uniform(0.9, 1.1, 25 * ROUNDS)
    return Timing(samples, threads=1, load_ms=1.0, peak_rss_mb=1.0)


def test_every_file_is_compared_with_every_other_by_time_and_with_fp32_by_size():
    timings = {"fp32": timing(2.0), "int8": timing(1.0), TENSORFLOW: timing(4.0)}
    found = compare("net", timings, {"fp32": 1000, "int8": 290, TENSORFLOW: 350})

    def of(label, against):
        return found[Comparison("net", "tflite", label, against)]

    assert np.isclose(of("int8", TENSORFLOW).value, 0.25)
    assert np.isclose(of("int8", "fp32").value * of("fp32", "int8").value, 1)
    assert of("int8", TENSORFLOW).ci95[0] <= 0.25 <= of("int8", TENSORFLOW).ci95[1]
    assert (of("int8", BYTES).value, of(TENSORFLOW, BYTES).value) == (0.29, 0.35)
    assert len(found) == 3 * 2 + 3


@pytest.mark.skipif(find_spec("tensorflow") is not None, reason="TensorFlow is installed here")
def test_a_python_without_tensorflow_is_an_error_that_points_at_its_log(tmp_path):
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    network = BenchModel(Architecture(width=0.25, image_size=64, embedding_size=32))
    with pytest.raises(ToolError, match=r"ended with 1 .*tensorflow\.log"):
        make(network, tmp_path, Path(sys.executable))
    assert "No module named 'tensorflow'" in (tmp_path / "tensorflow.log").read_text()
    assert (tmp_path / "int8.tflite").stat().st_size < (tmp_path / "fp32.tflite").stat().st_size
