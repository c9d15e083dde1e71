"""Kernel sets: whose kernels an int8 model is written for; the function stays the same."""

from enum import StrEnum


class KernelSet(StrEnum):
    """Whose kernels run a model."""

    XNNPACK = "xnnpack"
    """CPUs: PRelu as max(x, slope * x), which XNNPACK and LiteRT have fast kernels for."""
    PORTABLE = "portable"
    """Microcontrollers and NPUs: one operator for each ONNX node, batch 1, the smallest arena."""
