"""Choices that keep the function and decide who computes it fast, and what goes in."""

from enum import StrEnum


class Kernels(StrEnum):
    """Whose kernels an int8 circuit is written for."""

    XNNPACK = "xnnpack"
    """CPUs: PRelu as max(x, slope * x), which XNNPACK and LiteRT have fast kernels for."""
    PORTABLE = "portable"
    """Microcontrollers and NPUs: one operator for each ONNX node, batch 1, the smallest arena."""


class InputType(StrEnum):
    """What an int8 circuit takes."""

    INT8 = "int8"
    """byte - 128 of each RGB byte: no operator in front."""
    UINT8 = "uint8"
    """The camera's RGB bytes as they are: one QUANTIZE in front, exact."""
    FLOAT32 = "float32"
    """(byte - 127.5) / 128, as the FP32 model: ADD and QUANTIZE in front, exact; embeddings come out as float32."""
