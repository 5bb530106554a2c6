"""The process parsers are forked from: imports them once, forks a child per document, watches it.

It kills the child's whole group when the reader hangs up, and reports its exit status. So no
process id ever leaves this process, and when the asking process dies, all children go with it.
Not here: what a parser may do (`jail`), and the side that asks (`sandbox`).
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import NamedTuple, NoReturn

from corpus import jail

NAME_SIZE = 256  # a request on the control socket: the parser's dotted name, padded
READY = b"+"
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000


class Fds(NamedTuple):
    """What goes with a request: the stream both ways, the document, the exit status's pipe."""

    stream: int
    file: int
    status: int


class Ward(NamedTuple):
    """A child at work. `alive` is a pipe whose other end only the child holds."""

    pid: int
    stream: int
    status: int
    alive: int


def main(control_fd: int) -> None:
    """Serve until the other side of the control socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command line to handle
    _cut_network()
    control = socket.socket(fileno=control_fd)
    control.sendall(READY)
    wards: list[Ward] = []
    while True:
        poll = select.poll()
        poll.register(control, select.POLLIN)
        for ward in wards:
            poll.register(ward.stream, 0)  # reports nothing but that the reader has hung up
            poll.register(ward.alive, select.POLLIN)
        ready = {fd for fd, _ in poll.poll()}
        for ward in [one for one in wards if not ready.isdisjoint((one.stream, one.alive))]:
            wards.remove(ward)
            _settle(ward)
        if control_fd in ready and not _admit(control, wards):
            break
    for ward in wards:
        _settle(ward)


def _admit(control: socket.socket, wards: list[Ward]) -> bool:
    """Take one request and fork its child; False when there are no more requests to come."""
    name, fds, _, _ = socket.recv_fds(control, NAME_SIZE, len(Fds._fields), socket.MSG_WAITALL)
    if len(name) < NAME_SIZE or len(fds) != len(Fds._fields):
        return False
    dotted, given = name.rstrip(b"\0").decode(), Fds(*fds)
    with suppress(ImportError):  # the child will say which one is missing
        importlib.import_module(dotted.rpartition(".")[0])
    gc.freeze()  # what is here now stays shared with the children
    alive, held = os.pipe()
    child = os.fork()
    if child == 0:
        control.close()
        for fd in (alive, given.status, *(fd for ward in wards for fd in ward[1:])):
            os.close(fd)
        _work(given, dotted)
    os.close(held)
    os.close(given.file)
    wards.append(Ward(child, given.stream, given.status, alive))
    return True


def _work(fds: Fds, dotted: str) -> NoReturn:
    """The child: parse, and leave without unwinding into what the zygote was doing."""
    code = 1
    try:
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(quiet, fd)
        jail.serve(fds.stream, fds.file, dotted)
        code = 0
    finally:
        os._exit(code)


def _settle(ward: Ward) -> None:
    """Make sure that a child and its group are gone, and report how it ended."""
    for kill in (os.killpg, os.kill):  # before it is waited for, its id cannot be another's
        with suppress(ProcessLookupError, PermissionError):
            kill(ward.pid, signal.SIGKILL)
    _, status = os.waitpid(ward.pid, 0)
    with suppress(OSError):
        os.write(ward.status, str(os.waitstatus_to_exitcode(status)).encode())
    for fd in ward[1:]:
        os.close(fd)


def _cut_network() -> None:
    """A network namespace with nothing in it, where the system lets us have one."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NET)
