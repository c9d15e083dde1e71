"""The network that ships with the tool: a GhostFaceNetV1-0.5-2 trained on rendered people (MODEL_CARD.md)."""

from pathlib import Path

_FILE = "ghostfacenet-v1-0.5-2-synthetic.safetensors"


def default_checkpoint() -> Path:
    """The embedded weights, for `load_checkpoint`."""
    return Path(__file__).with_name(_FILE)
