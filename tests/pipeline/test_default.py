import pytest
import torch

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.checkpoint import network_of
from ghostface_edge.pipeline.network.preprocessing import Preprocessing
from ghostface_edge.pipeline.train.validation import Rendered, validate


def test_the_embedded_default_is_small_and_whole() -> None:
    path = default_checkpoint()
    checkpoint = load_checkpoint(path)
    assert path.stat().st_size <= 3_000_000
    assert checkpoint.architecture == Architecture(0.5, stride=2)
    assert checkpoint.preprocessing == Preprocessing()
    assert checkpoint.sha256 in path.with_name("MODEL_CARD.md").read_text(encoding="utf-8")


def test_it_verifies_rendered_people_it_was_not_trained_on() -> None:
    network = network_of(load_checkpoint(default_checkpoint()))
    accuracy = validate(network, Rendered(seed=0), torch.device("cpu"))
    assert accuracy.mean == pytest.approx(0.985, abs=0.005)
    assert accuracy.auc > 0.999
