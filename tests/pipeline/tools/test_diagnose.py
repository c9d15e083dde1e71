from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.network.checkpoint import network_of
from ghostface_edge.pipeline.network.preprocessing import ColourOrder, Preprocessing
from ghostface_edge.pipeline.synthetic.sets import RenderedPairs, render_pairs
from ghostface_edge.pipeline.tools.diagnose import REMEDIES, Diagnosis, diagnose, separation_warning

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@pytest.fixture(scope="module")
def pairs() -> RenderedPairs:
    return render_pairs(60, seed=5)


@pytest.fixture(scope="module")
def network() -> Network:
    """The embedded default on float32 (N, S, S, 3) input."""
    net = network_of(load_checkpoint(default_checkpoint()))

    def run(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return net(torch.from_numpy(np.ascontiguousarray(inputs.transpose(0, 3, 1, 2)))).numpy()

    return run


def diagnosed(pairs: RenderedPairs, network: Network, wants: Preprocessing | None = None) -> Diagnosis:
    """Diagnose a network that wants something else but is fed the official preprocessing."""

    def embed(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        fed = normalize(faces)
        if wants is None:
            return network(fed)
        if wants.colour is ColourOrder.BGR:
            fed = fed[..., ::-1]
        pixels = fed * np.float32(wants.scale) + np.float32(wants.mean)  # what such a network takes the input for
        return network((pixels - np.float32(127.5)) / np.float32(128))

    return diagnose(embed, pairs.faces, pairs.index, pairs.same)


def test_a_network_fed_rightly_is_told_so(pairs: RenderedPairs, network: Network) -> None:
    diagnosis = diagnosed(pairs, network)
    assert diagnosis.findings[0].accuracy > 0.9
    assert diagnosis.advice == "nothing is wrong with the input"


@pytest.mark.parametrize(
    "wants",
    [Preprocessing(ColourOrder.BGR), Preprocessing(mean=0.0, scale=255.0), Preprocessing(ColourOrder.BGR, 0.0, 255.0)],
    ids=str,
)
def test_the_mistake_is_found(pairs: RenderedPairs, network: Network, wants: Preprocessing) -> None:
    diagnosis = diagnosed(pairs, network, wants)
    assert diagnosis.best.remedy.preprocessing == wants
    assert diagnosis.best.remedy.cause in diagnosis.advice


def test_unaligned_faces_are_found(pairs: RenderedPairs, network: Network) -> None:
    shrunk = [
        cv2.copyMakeBorder(cv2.resize(face, (62, 62), interpolation=cv2.INTER_AREA), *[25] * 4, cv2.BORDER_REPLICATE)
        for face in pairs.faces
    ]
    small = RenderedPairs(np.stack(shrunk), pairs.index, pairs.same, pairs.names)
    diagnosis = diagnosed(small, network)
    assert "too small" in diagnosis.best.remedy.cause
    assert "align" in diagnosis.advice


def test_an_untrained_network_has_none_of_the_usual_causes(pairs: RenderedPairs) -> None:
    noise = np.random.default_rng(0)
    diagnosis = diagnose(lambda faces: noise.normal(size=(len(faces), 8)), pairs.faces, pairs.index, pairs.same)
    assert "none of the usual causes" in diagnosis.advice


def test_the_unit_interval_is_reached_to_half_a_grey_level() -> None:
    remedy = next(remedy for remedy in REMEDIES if remedy.preprocessing == Preprocessing(mean=0.0, scale=255.0))
    faces = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    np.testing.assert_allclose(normalize(remedy.undo(faces)), faces / 255, atol=0.51 / 128)


def test_the_warning_names_the_causes() -> None:
    assert separation_warning(0.99) is None
    warning = separation_warning(0.62)
    assert warning is not None
    assert all(word in warning for word in ("62.0 %", "BGR", "[0, 1]", "aligned", "--diagnose"))
