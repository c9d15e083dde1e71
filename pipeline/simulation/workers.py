"""Shares independent work out to threads; results come in the order of the work, whatever takes how long.

PyTorch computes each piece on one thread, so neither the number of cores nor their load changes a sum.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import torch

WORKERS: Final = 2
"""On every machine: the memory that a piece may take is reckoned by it."""

_pool = ThreadPoolExecutor(WORKERS, initializer=torch.set_num_threads, initargs=(1,))
Item = TypeVar("Item")
Result = TypeVar("Result")


def share_out(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`work` of every item, in order; `work` must not share out work itself.

    Few more items are taken than there are workers, so that what they hold stays little.
    """
    running: deque[Future[Result]] = deque()
    for item in items:
        running.append(_pool.submit(work, item))
        if len(running) > WORKERS:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()
