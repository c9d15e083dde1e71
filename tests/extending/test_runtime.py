"""A runtime comes with an installed package: a class and an entry point, nothing edited here."""

import os
import subprocess
import sys

import numpy as np
import pytest

from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.table import parse_variants, runtimes

pytestmark = pytest.mark.usefixtures("installed")


def test_its_variants_are_known_by_name():
    assert runtimes()[-1] == "onnx-reference"
    assert [str(variant) for variant in parse_variants(["onnx-reference"])] == ["onnx-reference-fp32"]


def test_it_embeds_in_a_process_of_its_own_as_another_runtime_does(write_ghost_network, tmp_path):
    model = write_ghost_network(quantized=False)
    faces = np.random.default_rng(1).integers(0, 256, (3, 28, 28, 3), np.uint8)
    embeddings = {}
    for runtime in ("onnx-reference", "onnxruntime"):
        artifact = tmp_path / f"{runtime}.onnx"
        with LOCAL.open(RuntimeWorker, runtime, log=tmp_path / "log") as worker:
            worker.convert(model, Precision.FP32, artifact)
            worker.load(artifact, 1, 1)
            embeddings[runtime] = worker.embed(faces)
    np.testing.assert_allclose(embeddings["onnx-reference"], embeddings["onnxruntime"], atol=1e-4)


def test_the_command_line_lists_it(installed):
    path = os.pathsep.join(filter(None, (str(installed), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "ghostface_edge.pipeline", "targets"]
    shown = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert "onnx-reference" in shown.stdout
