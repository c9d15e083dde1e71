"""A whole small GhostFaceNet with seeded weights, prepared once."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.canonical import Canonicalize
from ghostface_edge.pipeline.graph.emit import emit
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.ghostfacenet import GhostFaceNet
from ghostface_edge.pipeline.network.preprocessing import Preprocessing
from ghostface_edge.pipeline.prepare.prepare import prepare
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.reading import load_program

SIDE = 64


def write_network(path: Path, version: int) -> Path:
    """V1 or V2 of width 0.25, with BatchNorm statistics of random images."""
    torch.manual_seed(version)
    architecture = Architecture(width=0.25, version=version, image_size=SIDE, embedding_size=32)
    network = GhostFaceNet(architecture)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d)]
    for norm in norms:
        norm.momentum = None
    with torch.no_grad():
        network.train()(torch.rand(64, 3, SIDE, SIDE) * 2 - 1)
    model = emit(network.eval(), Preprocessing())
    Canonicalize()(model)
    graph_model.save(model, path)
    return path


def draw_faces() -> np.ndarray:
    """Smooth random images, uint8 (64, 64, 64, 3)."""
    coarse = np.random.default_rng(0).integers(0, 256, (64, 6, 6, 3)).astype(np.uint8)
    return np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for image in coarse])


def prepare_network(folder: Path, version: int) -> Path:
    """A prepared network of this version."""
    original = write_network(folder / "original.onnx", version)
    prepared = folder / "prepared.onnx"
    prepare(original, draw_faces(), prepared, seed=0, progress=lambda _name, _share: None)
    return prepared


@pytest.fixture(scope="session")
def faces() -> np.ndarray:
    """Of the networks' size."""
    return draw_faces()


@pytest.fixture(scope="session")
def network(tmp_path_factory) -> Path:
    """A prepared V1."""
    return prepare_network(tmp_path_factory.mktemp("v1"), 1)


@pytest.fixture(scope="session")
def second_network(tmp_path_factory) -> Path:
    """A prepared V2."""
    return prepare_network(tmp_path_factory.mktemp("v2"), 2)


@pytest.fixture(scope="session")
def program(network) -> Program:
    return load_program(network)
