"""The networks that quantization is tested on."""

from ..quantize.conftest import faces, network, program

__all__ = ["faces", "network", "program"]
