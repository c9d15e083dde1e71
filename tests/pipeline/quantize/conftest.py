"""A whole small GhostFaceNet with seeded weights, prepared once."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ghostface_edge.pipeline.architecture import Architecture
from ghostface_edge.pipeline.checkpoints.preprocessing import Preprocessing
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.canonical import canonicalize
from ghostface_edge.pipeline.graph.emit import emit
from ghostface_edge.pipeline.network import GhostFaceNet
from ghostface_edge.pipeline.prepare.prepare import prepare
from ghostface_edge.pipeline.quantize.program import Program
from ghostface_edge.pipeline.quantize.reading import load_program

SIDE = 64


def write_network(path: Path, version: int) -> Path:
    """V1 or V2 of width 0.25 on 64x64 faces, with BatchNorm statistics of random images."""
    torch.manual_seed(version)
    architecture = Architecture(width=0.25, version=version, image_size=SIDE, embedding_size=32)
    network = GhostFaceNet(architecture)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d)]
    for norm in norms:
        norm.momentum = None
    with torch.no_grad():
        network.train()(torch.rand(64, 3, SIDE, SIDE) * 2 - 1)
    model = emit(network.eval(), Preprocessing())
    canonicalize(model)
    graph_model.save(model, path)
    return path


def draw_faces(count: int, seed: int = 0) -> np.ndarray:
    """Smooth random images, uint8 (count, 64, 64, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3)).astype(np.uint8)
    return np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for image in coarse])


@pytest.fixture(scope="session")
def faces() -> np.ndarray:
    return draw_faces(64)


@pytest.fixture(scope="session")
def networks(tmp_path_factory, faces) -> dict[int, Path]:
    """Prepared ONNX by version."""
    folder = tmp_path_factory.mktemp("networks")
    prepared = {}
    for version in (1, 2):
        original = write_network(folder / f"v{version}.onnx", version)
        prepared[version] = folder / f"v{version}.prepared.onnx"
        prepare(original, faces, prepared[version], seed=0, progress=lambda _name, _share: None)
    return prepared


@pytest.fixture(scope="session")
def program(networks) -> Program:
    return load_program(networks[1])
