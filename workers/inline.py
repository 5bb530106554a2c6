"""The memory queue: a Bell whose workers are threads of this process. No Redis, no Celery.

What it forgets when the process ends, the database knows, and the next dispatcher rings for.
For one machine, the embedded client and tests.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from queue import PriorityQueue

from workers.bell import Kind
from workers.queue import Ears


class InlineBell:
    """`work` does one item, given its kind and id; `threads` answers at once, one index job."""

    def __init__(self, work: Callable[[Kind, int], None], threads: int) -> None:
        self._work = work
        self._pools: dict[Kind, ThreadPoolExecutor] = {
            "answer": ThreadPoolExecutor(threads, thread_name_prefix="answer"),
            "index": ThreadPoolExecutor(1, thread_name_prefix="index"),
        }
        self._rung: dict[Kind, PriorityQueue[tuple[bool, int, int]]] = {
            "answer": PriorityQueue(), "index": PriorityQueue(),
        }  # fmt: skip
        self._count = itertools.count()
        self._ears = Ears(lambda _heard, _stop: None)

    def ring(self, kind: Kind, ids: Sequence[int], *, first: bool = False) -> None:
        for item_id in ids:
            self._rung[kind].put((not first, next(self._count), item_id))
            self._pools[kind].submit(self._next, kind)

    def _next(self, kind: Kind) -> None:
        """As many calls as ids were rung for, each takes the best that waits."""
        self._work(kind, self._rung[kind].get_nowait()[2])

    def tell(self, item_id: int) -> None:
        self._ears.heard(item_id)

    def listening(self, item_id: int) -> AbstractContextManager[threading.Event]:
        return self._ears.listening(item_id)

    def ready(self) -> bool:
        return True

    def age(self) -> str:
        return ""

    def close(self) -> None:
        """Finish what is being worked on; forget what only waits."""
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
