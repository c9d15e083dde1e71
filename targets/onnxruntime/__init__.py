"""ONNX Runtime on the CPU: rewrites to what its kernels are fast at, float and integer, and its own quantizer."""

from ghostface_edge.targets.onnxruntime.target import OnnxruntimeTarget

__all__ = ["OnnxruntimeTarget"]
