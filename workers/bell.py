"""The seam between the database, which is the truth, and what wakes workers.

A bell carries ids only, and may lose any of them: the dispatcher rings again for what the
database says is unfinished. Two implementations: queue.py (Celery on Redis), inline.py.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from pilotfish.errors import Unavailable

Kind = Literal["answer", "index"]


class QueueUnreachable(Unavailable):
    """Redis does not answer. Nothing is lost: the dispatcher rings when it is back."""

    code = "queue_unreachable"


class Bell(Protocol):
    """What dispatcher, API and workers need of a queue."""

    def ring(self, kind: Kind, ids: Sequence[int], *, first: bool = False) -> None:
        """Wake a worker for each item; `first`: before all that was rung for without it.

        Raises QueueUnreachable.
        """

    def tell(self, item_id: int) -> None:
        """Say that an item has ended; nobody need hear it. Never raises."""

    def listening(self, item_id: int) -> AbstractContextManager[threading.Event]:
        """An event that is set when somebody tells of the item. Enter it before ringing, and
        look into the database from time to time: a word may be lost.
        """

    def ready(self) -> bool:
        """Whether the queue answers now."""

    def age(self) -> str:
        """Changes when the queue was started anew, perhaps without its ids. Raises Unavailable."""

    def close(self) -> None:
        """Let go of connections and threads."""
