"""Parsers that misbehave, for the sandbox to survive. Each is named to it as a dotted string."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from corpus.limits import Limits
from corpus.parsed import Parsed, ParseFailure, Section

LIBC = ctypes.CDLL(None)  # here, in the zygote: in the child the hook refuses it
Results = Iterator[Parsed | ParseFailure]


def segfault(data: bytes, name: str, limits: Limits) -> Results:
    yield Parsed("1", "first", "kept", "text/plain")
    ctypes.string_at(0)


def loops(data: bytes, name: str, limits: Limits) -> Results:
    while True:
        pass
    yield ParseFailure(name, "never")


def sleeps(data: bytes, name: str, limits: Limits) -> Results:
    time.sleep(600)
    yield ParseFailure(name, "never")


def eats_memory(data: bytes, name: str, limits: Limits) -> Results:
    kept = [bytearray(50_000_000) for _ in range(200)]
    yield ParseFailure(name, f"never {len(kept)}")


def killed(data: bytes, name: str, limits: Limits) -> Results:
    signal.raise_signal(signal.SIGKILL)
    yield ParseFailure(name, "never")


def leaves(data: bytes, name: str, limits: Limits) -> Results:
    yield Parsed("1", "first", "kept", "text/plain")
    os._exit(3)


def raises(data: bytes, name: str, limits: Limits) -> Results:
    raise KeyError("a\nb")
    yield ParseFailure(name, "never")


def connects(data: bytes, name: str, limits: Limits) -> Results:
    socket.create_connection(("127.0.0.1", int(data)), 2)
    yield Parsed(None, "online", "online", "text/plain")


def connects_beneath(data: bytes, name: str, limits: Limits) -> Results:
    """Straight to libc, past the audit hook: the network namespace has to stop it."""
    fd = LIBC.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    port = int(data)
    address = bytes([2, 0, port >> 8, port & 255, 127, 0, 0, 1]) + bytes(8)
    code = LIBC.connect(fd, address, len(address))
    yield Parsed(None, "code", str(code), "text/plain")


def resolves(data: bytes, name: str, limits: Limits) -> Results:
    socket.getaddrinfo("example.org", 80)
    yield Parsed(None, "online", "online", "text/plain")


def spawns(data: bytes, name: str, limits: Limits) -> Results:
    subprocess.run(["true"], check=True)
    yield Parsed(None, "ran", "ran", "text/plain")


def forks(data: bytes, name: str, limits: Limits) -> Results:
    os.fork()
    yield Parsed(None, "forked", "forked", "text/plain")


def writes(data: bytes, name: str, limits: Limits) -> Results:
    with open(data.decode(), "w") as file:
        file.write("x")
    yield Parsed(None, "wrote", "wrote", "text/plain")


def chatters(data: bytes, name: str, limits: Limits) -> Results:
    print("noise")
    print("noise", file=sys.stderr)
    os.write(1, b"noise")
    yield Parsed(None, "fine", "fine", "text/plain")


def tells_environment(data: bytes, name: str, limits: Limits) -> Results:
    yield Parsed(None, "environment", " ".join(os.environ), "text/plain")


def lies(data: bytes, name: str, limits: Limits) -> Results:
    yield Parsed(None, "short", "short", "text/plain", (Section(0, 500),))


def surrogates(data: bytes, name: str, limits: Limits) -> Results:
    yield Parsed(None, "half", "a\ud800b", "text/plain", (Section(0, 3),))


def many(data: bytes, name: str, limits: Limits) -> Results:
    for number in range(int(data)):
        yield Parsed(str(number), "one", "word " * 50, "text/plain", (Section(0, 249),))


def nothing(data: bytes, name: str, limits: Limits) -> Results:
    return iter(())
