"""A proxy on 127.0.0.1 that passes connections on to a port, or drops them, as scripted.

Modes, one for each connection: `before` closes it without passing anything on; `after` passes
the request on, waits for the whole answer, and resets without giving it; `pass` passes both.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from typing import Self


class Tearing:
    """`target` may be changed while it runs. `met`: the modes that were played."""

    def __init__(self, target: int = 0) -> None:
        self.target = target
        self.met: list[str] = []
        self._script: deque[str] = deque()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def script(self, *modes: str) -> None:
        """What the next connections meet; open ones are closed, so that there are new ones."""
        self.met.clear()
        self._script.extend(modes)
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            mode = self._script.popleft() if self._script else "pass"
            self.met.append(mode)
            threading.Thread(target=self._play, args=(client, mode), daemon=True).start()

    def _play(self, client: socket.socket, mode: str) -> None:
        with client:
            if mode == "before":
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                return
            with server:
                self._open |= {client, server}
                back = threading.Thread(
                    target=self._answer, args=(server, client, mode), daemon=True
                )
                back.start()
                self._pump(client, server)
                back.join()
                self._open -= {client, server}

    def _answer(self, server: socket.socket, client: socket.socket, mode: str) -> None:
        if mode == "pass":
            self._pump(server, client)
            return
        with suppress(OSError):
            server.settimeout(60)
            server.recv(65536)  # the service has done it, and says so
            linger = struct.pack("ii", 1, 0)  # closing sends a reset
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        for one in (server, client):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            source.settimeout(None)
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
