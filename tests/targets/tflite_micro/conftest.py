"""The tiny networks of the TFLite tests, and one of them lowered for microcontrollers."""

from pathlib import Path

import pytest

from ..tflite.conftest import qdq_model, run_tflite, write_onnx

__all__ = ["lowered", "qdq_model", "run_tflite", "write_onnx"]


@pytest.fixture
def lowered(qdq_model: Path, tmp_path: Path) -> Path:
    """The small GhostFaceNet in full integer, batch 1."""
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    from ghostface_edge.targets.tflite_micro import TfliteMicroTarget

    artifact = tmp_path / "lowered.tflite"
    TfliteMicroTarget().lower_quantized(qdq_model, artifact)
    return artifact
