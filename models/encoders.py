"""The encoders of a process, by name: each loaded once, shared by its threads and collections.

Not here: encoding (encoder.py).
"""

from __future__ import annotations

import threading

from models.encoder import Encoder

KEPT = 4  # sessions of about 100 MB each


class Encoders:
    """Gives the encoder of a name; thread-safe. `threads`: batches that each encodes at once."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._held: dict[str, Encoder] = {}
        self._loading = threading.Lock()

    def __call__(self, name: str, fingerprint: str | None = None, /) -> Encoder:
        """The encoder of that name; loaded anew when the one in memory has another fingerprint.

        The files behind a name may have changed since: what is loaded may differ from
        `fingerprint` still. Raises SettingsError where the model cannot be had.
        """
        known = self._known(name, fingerprint)
        if known is not None:  # without the lock: loading one must not hold up the others
            return known
        with self._loading:
            held = self._known(name, fingerprint) or Encoder(name, threads=self._threads)
            self._held = dict([*self._held.items(), (name, held)][-KEPT:])
            return held

    def _known(self, name: str, fingerprint: str | None) -> Encoder | None:
        held = self._held.get(name)
        return held if held and fingerprint in (None, held.fingerprint) else None
