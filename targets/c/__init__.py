"""The network as C for any machine: integer arithmetic to the byte of TFLite's reference kernels."""

from ghostface_edge.targets.c.target import CTarget

__all__ = ["CTarget"]
