"""An emulated CPU for real, where one is installed: the same bytes as here, and instructions that repeat."""

import numpy as np
import pytest

from ghostface_edge.reports.cache_root import default_root
from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.devices.instructions import counting, read_count
from ghostface_edge.targets.devices.table import find_devices
from ghostface_edge.targets.tflite.runtime import TfliteEmbedder
from ghostface_edge.targets.tflite.target import TfliteTarget

USERLANDS = default_root() / "userlands"
"""The user's: tests may be given a cache of their own later."""


@pytest.fixture
def cortex_a72():
    try:
        (device,) = find_devices(["cortex-a72"], USERLANDS)
    except RuntimeMissingError as missing:
        pytest.skip(f"no emulated CPU: {missing}")
    return device


@pytest.fixture
def model(ghost_qdq, tmp_path):
    path = tmp_path / "model.tflite"
    TfliteTarget().lower_quantized(ghost_qdq, path)
    return path


def test_it_gives_the_same_bytes(cortex_a72, model, few_faces, tmp_path):
    embedder = TfliteEmbedder(model, 1, 1)
    here = np.concatenate([embedder.run(embedder.prepare(face[None])) for face in few_faces])
    with cortex_a72.open("tflite", log=tmp_path / "log") as there:
        assert there.facts().machine == "aarch64"
        there.load((model,), 1, 1)
        assert there.embed(few_faces).tobytes() == here.tobytes()


def test_instructions_are_counted_while_it_runs(cortex_a72, model, few_faces, tmp_path):
    try:
        device, counter = counting(cortex_a72, tmp_path)
    except RuntimeMissingError as missing:
        pytest.skip(str(missing))
    counts = []
    with device.open("tflite", log=tmp_path / "log") as there:
        there.load((model,), 1, 1)
        there.time(few_faces[:1], 2)
        for runs in (20, 40):
            before = read_count(counter)
            there.time(few_faces[:1], runs)
            counts.append((read_count(counter) - before) / runs)
    assert counts[0] > 10_000
    assert counts[1] == pytest.approx(counts[0], rel=0.3)
