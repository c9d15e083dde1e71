"""The bench makes every contestant, times them in turns and writes down how they compare."""

import json

import numpy as np
import onnx
import pytest

from ghostface_edge.pipeline.bench import BenchModel, run_bench
from ghostface_edge.pipeline.bench.contestants import write_sources
from ghostface_edge.pipeline.bench.floors import Floor, write_floor
from ghostface_edge.pipeline.bench.models import seeded
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.checkpoint import network_of
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.reports.metrics import normalized

SMALL = BenchModel(Architecture(width=0.25, image_size=64, embedding_size=32))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return write_sources(SMALL, tmp_path_factory.mktemp("sources"))


def kinds(path):
    return [node.op_type for node in onnx.load(path).graph.node]


def test_floors_differ_in_the_activation_alone(sources):
    before = kinds(sources.exported)
    for floor, (real, qdq) in sources.floors.items():
        after = kinds(real)
        assert "PRelu" not in [*after, *kinds(qdq)]
        assert after.count("Relu") == (before.count("PRelu") if floor is Floor.RELU else 0)
        assert after.count("Conv") == before.count("Conv") == kinds(qdq).count("Conv")
        onnx.checker.check_model(onnx.load(real), full_check=True)


def test_a_bare_network_still_ends_in_the_embedding(sources, tmp_path):
    import onnxruntime

    write_floor(sources.exported, Floor.BARE, tmp_path / "bare.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "bare.onnx")
    embeddings = session.run(None, {"faces": np.ones((2, 3, 64, 64), np.float32)})[0]
    assert embeddings.shape == (2, 32)


def test_seeded_weights_depend_on_the_seed_alone_and_tell_faces_apart(random_faces):
    import torch

    first, _ = seeded(SMALL.architecture), torch.rand(1)
    second, other = seeded(SMALL.architecture), seeded(SMALL.architecture, seed=8)
    assert all((first.weights[name] == second.weights[name]).all() for name in first.weights)
    assert not (first.weights["stem.conv.weight"] == other.weights["stem.conv.weight"]).any()
    inputs = torch.from_numpy((random_faces[:, :64, :64].astype(np.float32) - 127.5) / 128).permute(0, 3, 1, 2)
    embeddings = normalized(network_of(first)(inputs).detach().numpy())
    assert np.isfinite(embeddings).all()
    assert (embeddings @ embeddings.T)[~np.eye(5, dtype=bool)].max() < 0.999


def test_a_run_compares_stock_and_ours_and_keeps_the_figures(tmp_path):
    rows = run_bench(
        [BenchModel(Architecture(width=0.25))], [1], tmp_path / "out", Progress(), runtimes=["onnxruntime"]
    )
    labels = [row.label for row in rows]
    assert labels == ["stock", "fp32", "int8", "int8-stock", "fp32-relu", "int8-relu", "fp32-bare", "int8-bare"]
    assert all(row.error is None and row.p50_ms > 0 for row in rows)
    stock, ours = rows[0], rows[1]
    assert (stock.versus_stock.value, stock.versus_stock.ci95) == (1.0, (1.0, 1.0))
    assert ours.versus_stock.value == pytest.approx(ours.p50_ms / stock.p50_ms)
    assert ours.versus_stock.ci95[0] <= ours.versus_stock.value <= ours.versus_stock.ci95[1]
    assert {row.bytes < stock.bytes for row in rows if row.label.startswith("int8")} == {True}
    written = json.loads((tmp_path / "out/bench.json").read_text())
    assert [row["label"] for row in written["rows"]] == labels
    assert written["rounds"] >= 5
