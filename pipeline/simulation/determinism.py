"""The same bits for the same inputs: deterministic kernels and a fixed number of threads, restored afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def deterministic(threads: int) -> Iterator[None]:
    """Run PyTorch with deterministic algorithms on exactly `threads` threads; sums depend on how they are split.

    Memory is not filled before it is written, as PyTorch else does then to make reads of nothing show: a tenth of a
    training step. On a GPU: float32 throughout, kernels chosen without a stop-watch, and cuBLAS with a workspace of its
    own, without which it refuses to be deterministic.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    memory: Any = torch.utils.deterministic
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        memory.fill_uninitialized_memory = before[2]


def training_device() -> torch.device:
    """The first GPU if there is one, else the CPU."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
