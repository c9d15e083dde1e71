"""ncnn, the runtime of phones and ARM boards: its files are written here, without its converter."""

from ghostface_edge.targets.ncnn.target import NcnnTarget

__all__ = ["NcnnTarget"]
