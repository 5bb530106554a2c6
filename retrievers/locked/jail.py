"""What a child takes from itself before it reads SQL: network, files, memory, time.

Four walls, each where the system grants it: an empty network namespace, no new file descriptor
(RLIMIT_NOFILE 0: neither a file nor a socket can be opened again, on any system), Landlock with no
rule, and limits on memory, CPU and file size. Python's own doors are shut by corpus/jail.py's
audit hook. Not here: the wall clock on the other side (`reader`).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from math import ceil
from pathlib import Path

from corpus.jail import refuse
from corpus.limits import MB
from retrievers.locked.nouns import Limits

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES = 38
_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # Landlock's system calls, the same on every machine
_FILES_V1 = (1 << 13) - 1  # all rights of its first version: execute, write, read, list, make, ...


def before_loading(limits: Limits, paths: Iterable[Path] = (), network: bool = False) -> None:
    """No network, no core file, memory and time for loading. `paths` can still be opened.

    network: a server is connected to first; `lock` then leaves the child that one socket.
    """
    if sys.platform.startswith("linux") and not network:
        # in a user namespace root is nobody: it may not read what is another's alone
        user = _NEW_USER if all(_plainly_readable(path) for path in paths) else 0
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).unshare(user | _NEW_NET)
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_FSIZE, 0)
    _soften(resource.RLIMIT_AS, used_bytes() + limits.load_mb * MB)
    clock(limits.load_s + 1, ceil(limits.load_s))


def lock(limits: Limits, network: bool = False) -> None:
    """From here on nothing can be opened, and memory ends at `memory_mb` beyond what is used.

    network: the one socket there is stays of use: poll(2) counts it against the limit on files.
    """
    sys.dont_write_bytecode = True
    most = used_bytes() + limits.memory_mb * MB  # asked while /proc can still be read
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            _landlock()
    sys.addaudithook(refuse)
    _cap(resource.RLIMIT_AS, most)
    _cap(resource.RLIMIT_NPROC, 0)
    _cap(resource.RLIMIT_NOFILE, 1 if network else 0)  # 0 is taken, so that 1 opens nothing either


def clock(wall_s: float, cpu_s: int) -> None:
    """The child ends itself after that long, whether or not anybody still waits for it."""
    signal.setitimer(signal.ITIMER_REAL, wall_s)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    _soften(resource.RLIMIT_CPU, ceil(spent.ru_utime + spent.ru_stime) + cpu_s)


def used_bytes() -> int:
    """Address space in use; a gigabyte where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 1024 * MB


def _plainly_readable(path: Path) -> bool:
    with suppress(OSError):
        about = path.stat()
        return about.st_uid == os.geteuid() or bool(about.st_mode & 0o004)
    return True


def _cap(kind: int, most: int) -> None:
    with suppress(ValueError, OSError):  # not every system knows or grants every one
        resource.setrlimit(kind, (most, most))


def _soften(kind: int, most: int) -> None:
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))


def _landlock() -> None:
    """No right on any file, not even to read: Linux 5.13 and later."""
    libc = ctypes.CDLL(None, use_errno=True)
    handled = ctypes.c_uint64(_FILES_V1)
    rules = libc.syscall(_CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    if rules >= 0 and libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        libc.syscall(_RESTRICT_SELF, rules, 0)
