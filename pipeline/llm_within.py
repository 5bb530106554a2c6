"""A wall-clock limit for one HTTP request, whatever the library beneath understands by time-out.

Not here: stopping the request. Its thread lives on until the library's own time-out or the
end of the process; what comes then is not read.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

from pipeline.llm_errors import Failure


def within(seconds: float, work: Callable[[], str | Failure]) -> str | Failure:
    """Run in a thread of its own, and stop listening after so many seconds.

    httpx's time-out starts anew with each byte, so a server that drips would hold us for ever.
    """
    found: list[str | Failure] = []
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=lambda: found.append(context.run(work)), name="pilotfish-llm", daemon=True
    )
    thread.start()
    thread.join(seconds)
    return found[0] if found else Failure("timeout", "no whole answer in time", "always", "unknown")
