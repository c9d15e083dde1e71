"""The same bits for the same inputs: deterministic kernels and a fixed number of threads, restored afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def deterministic(threads: int) -> Iterator[None]:
    """Run PyTorch with deterministic algorithms on exactly `threads` threads; sums depend on how they are split."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
