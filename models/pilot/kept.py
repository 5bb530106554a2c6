"""Remembers what a judge said of a pair: support, repairs and citations ask for the same ones.

Not here: any model.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from models.pilot.reading import Pair, Reading

MOST = 4096


class Kept:
    """Up to MOST pairs, the longest known go first; thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[Pair, Reading] = OrderedDict()
        self._mutex = threading.Lock()

    def __call__(
        self, pairs: Sequence[Pair], ask: Callable[[list[Pair]], list[Reading]]
    ) -> list[Reading]:
        """A reading of each pair, in order; `ask` is called once for those not known."""
        with self._mutex:
            found = {pair: self._known[pair] for pair in pairs if pair in self._known}
        missing = list(dict.fromkeys(pair for pair in pairs if pair not in found))
        if missing:
            fresh = dict(zip(missing, ask(missing), strict=True))
            found |= fresh
            self._keep(fresh)
        return [found[pair] for pair in pairs]

    def _keep(self, fresh: dict[Pair, Reading]) -> None:
        with self._mutex:
            self._known |= fresh
            while len(self._known) > MOST:
                self._known.popitem(last=False)
