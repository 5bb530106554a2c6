"""How long to pause before the next attempt. Not here: whether there is one."""

from __future__ import annotations

import random

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0


def pause_after(attempt: int) -> float:
    """Seconds: twice as long each time, and never the same for two clients."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt, 10)) * random.uniform(0.75, 1.25)
