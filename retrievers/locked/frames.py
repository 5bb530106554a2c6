"""JSON in frames over a socket: four bytes of length, then the text. Never pickle.

Not here: what the frames say.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_HEAD = struct.Struct(">I")
MOST = 1 << 30  # bytes of one frame: a sheet goes into the child in one


def send(sock: socket.socket, said: dict[str, Any]) -> None:
    """One frame; OSError when the other side is gone."""
    packed = json.dumps(said, ensure_ascii=True).encode()
    if len(packed) > MOST:
        raise OSError(f"a frame of {len(packed)} bytes, the cap is {MOST}")
    sock.sendall(_HEAD.pack(len(packed)) + packed)


def receive(sock: socket.socket, most: int = MOST) -> dict[str, Any] | None:
    """The next frame; None when the other side hung up.

    OSError for a frame beyond `most` bytes, TimeoutError by the socket's own timeout.
    """
    head = _exactly(sock, _HEAD.size)
    if head is None:
        return None
    (length,) = _HEAD.unpack(head)
    if length > most:
        raise OSError(f"a frame of {length} bytes, the cap is {most}")
    packed = _exactly(sock, length)
    if packed is None:
        return None
    said: dict[str, Any] = json.loads(packed)
    return said


def _exactly(sock: socket.socket, count: int) -> bytes | None:
    pieces, left = [], count
    while left:
        piece = sock.recv(min(left, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
