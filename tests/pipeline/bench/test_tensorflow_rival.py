import numpy as np

from ghostface_edge.pipeline.bench.limits import BYTES, TENSORFLOW, Comparison
from ghostface_edge.pipeline.bench.tensorflow_rival import compare
from ghostface_edge.pipeline.latency import ROUNDS, Timing


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
