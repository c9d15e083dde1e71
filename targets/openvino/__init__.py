"""OpenVINO: its converter for float models, a lowering of our own for quantized ones, NNCF as the stock quantizer."""

from ghostface_edge.targets.openvino.target import OpenvinoTarget

__all__ = ["OpenvinoTarget"]
