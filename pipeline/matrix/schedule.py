"""How long tasks take on so many workers, if nothing is lost in between: list scheduling, in the order of the tasks.

In: seconds and dependencies. Out: seconds from the first start to the last end. No machine is that good: nothing is
sent, nobody waits for a board, and no task is slower beside others.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Mapping


def makespan(seconds: Mapping[str, float], dependencies: Mapping[str, Collection[str]], workers: int) -> float:
    """Seconds that tasks take on equal workers, each of which takes the next that can run.

    Args:
        seconds: of each task, by key; in the order in which they are preferred.
        dependencies: keys that a task waits for; those without a time are done.
        workers: how many.
    """
    waits = {key: {each for each in dependencies.get(key, ()) if each in seconds} for key in seconds}
    waiters = defaultdict(list)
    for key, needed in waits.items():
        for each in needed:
            waiters[each].append(key)
    rank = {key: number for number, key in enumerate(seconds)}
    ready = [rank[key] for key, needed in waits.items() if not needed]
    heapq.heapify(ready)
    names = list(seconds)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < workers:
            number = heapq.heappop(ready)
            heapq.heappush(running, (now + seconds[names[number]], number))
        now, number = heapq.heappop(running)
        for key in waiters[names[number]]:
            waits[key].discard(names[number])
            if not waits[key]:
                heapq.heappush(ready, rank[key])
    return now
