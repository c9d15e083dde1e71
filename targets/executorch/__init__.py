"""ExecuTorch, PyTorch's runtime for phones: its files are written by its own exporter, all of them for XNNPACK."""

from ghostface_edge.targets.executorch.target import ExecutorchTarget

__all__ = ["ExecutorchTarget"]
