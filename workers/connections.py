"""A client's connection, closed when the client does not say in time what it wants.

uvicorn limits how long a connection may be idle between two requests, but neither how long the
head of a request may take nor what may still drip in after its answer. Not here: bodies that
somebody waits for (body.py).
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Patient(H11Protocol):
    """`seconds`: how long the client may take until its next request is being answered."""

    seconds = 10.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """The clock runs while nothing is being answered; a byte does not set it back."""
        if self._answering():
            self._unwatch()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._give_up)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _give_up(self) -> None:
        self._timer = None
        if self._answering() or self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self.transport.write(_TOO_SLOW)  # half a head has come: say why it ends here
        self.transport.close()


def patient(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's `http`: its own protocol, with this patience."""
    return type("Patient", (_Patient,), {"seconds": seconds})
