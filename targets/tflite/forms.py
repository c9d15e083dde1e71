"""Choices that keep the function and decide who computes it fast."""

from enum import StrEnum


class Kernels(StrEnum):
    """Whose kernels an int8 circuit is written for."""

    XNNPACK = "xnnpack"
    """CPUs: PRelu as max(x, slope * x), which XNNPACK and LiteRT have fast kernels for."""
    PORTABLE = "portable"
    """Microcontrollers and NPUs: one operator for each ONNX node, batch 1, the smallest arena."""
