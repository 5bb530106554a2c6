"""Child processes that start in a moment: forked from a parent that has imported the libraries.

Importing LiteLLM alone takes four seconds of a core, and the suite starts hundreds of children.
Each is a process of its own with its own session, environment, folder and files, and can be
killed; only the imports of third parties and of our own modules are shared. With
PILOTFISH_TEST_COLD=1 they are started by the interpreter instead. Not here: what they run.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
STATUS = struct.Struct("i")
# Heavy and without threads of their own at import; pilotfish.cli.main and what children run as
# __main__ are left out.
LIBRARIES = (
    "litellm", "openai.resources.chat", "faiss", "numpy", "tantivy", "tokenizers", "sqlalchemy",
    "alembic.command", "fastapi", "uvicorn.protocols.http.auto", "uvicorn.loops.auto", "celery",
    "celery.concurrency.thread", "celery.app.amqp", "kombu.transport.redis", "redis", "psycopg",
    "httpx2", "jinja2", "openpyxl",
)  # fmt: skip
OURS = (
    "pilotfish.cli.service", "pilotfish.cli.ask", "pilotfish.cli.batch", "pilotfish.cli.documents",
    "pipeline.library", "pipeline.batch", "pipeline.doctor", "store.database", "corpus.add",
    "workers.serve", "workers.page", "workers.tasks",
)  # fmt: skip


class WarmChild:
    """A process that a warm parent has forked; as subprocess.Popen where tests use it."""

    def __init__(self, connection: socket.socket, pid: int, pipes: dict[str, IO[bytes]]) -> None:
        self._connection, self.pid = connection, pid
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = (pipes.get(n) for n in ("in", "out", "err"))

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._connection.settimeout(timeout if timeout is None else max(timeout, 1e-4))
            try:
                said = self._connection.recv(STATUS.size)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("a warm child", timeout or 0) from None
            assert said, "the warm parent has died"
            self.returncode = os.waitstatus_to_exitcode(STATUS.unpack(said)[0])
            self._connection.close()
        return self.returncode

    def communicate(
        self, sent: bytes | None = None, timeout: float | None = None
    ) -> tuple[bytes, bytes]:
        """Write `sent`, read both streams to their ends, wait."""
        end = None if timeout is None else time.monotonic() + timeout
        found: dict[str, bytes] = {}

        def read(name: str, stream: IO[bytes]) -> None:
            with stream:
                found[name] = stream.read()

        streams = (("out", self.stdout), ("err", self.stderr))
        readers = [threading.Thread(target=read, args=(name, stream), daemon=True)
                   for name, stream in streams if stream and not stream.closed]  # fmt: skip
        for reader in readers:
            reader.start()
        if self.stdin and not self.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.write(sent or b"")
            with contextlib.suppress(BrokenPipeError):
                self.stdin.close()
        for reader in readers:
            reader.join(None if end is None else max(0.0, end - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired("a warm child", timeout or 0)
        self.wait(None if end is None else max(0.0, end - time.monotonic()))
        return found.get("out", b""), found.get("err", b"")

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


Child = subprocess.Popen[bytes] | WarmChild


def start(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], **streams: int | IO[bytes]
) -> Child:
    """`python ARGUMENTS` (-m MODULE ... or -c CODE ...) in a session of its own.

    `streams`: stdin, stdout, stderr as for subprocess; each left out is /dev/null.
    """
    if os.environ.get("PILOTFISH_TEST_COLD"):
        cold = {name: streams.get(name, subprocess.DEVNULL) for name in _FDS}
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=cwd, env=dict(env), start_new_session=True, **cold
        )
    return _parent().fork(arguments, cwd, env, streams)


_FDS = {"stdin": "in", "stdout": "out", "stderr": "err"}
_held: list[_Parent] = []


def _parent() -> _Parent:
    if not _held or _held[0].pid != os.getpid():
        _held[:] = [_Parent()]
    return _held[0]


class _Parent:
    """The client's side of the warm parent; it ends when this process does."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.folder = tempfile.mkdtemp(prefix="pilotfish-warm-")
        self.path = str(Path(self.folder) / "socket")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PILOTFISH_", "OPENAI_"))}
        env = kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1"}
        env |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        self.ours, theirs = socket.socketpair()
        with theirs:
            subprocess.Popen(  # never waited for: it goes when our end of the pair is closed
                [sys.executable, "-m", "tests.warm", self.path, str(theirs.fileno())], cwd=ROOT,
                env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                start_new_session=True,
            ).returncode = 0  # fmt: skip
        assert self.ours.recv(1) == b"!", "the warm parent could not start"

    def fork(
        self, arguments: Sequence[str], cwd: Path, env: Mapping[str, str],
        streams: Mapping[str, int | IO[bytes]],
    ) -> WarmChild:  # fmt: skip
        theirs, pipes = [], {}
        try:
            for name, short in _FDS.items():
                fd, pipe = _ends(name, streams.get(name, subprocess.DEVNULL))
                theirs.append(fd)
                if pipe is not None:
                    pipes[short] = pipe
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self.path)
            asked = json.dumps([list(arguments), str(cwd), dict(env)]).encode()
            socket.send_fds(connection, [STATUS.pack(len(asked))], theirs)
            connection.sendall(asked)
            pid = STATUS.unpack(connection.recv(STATUS.size, socket.MSG_WAITALL))[0]
        finally:
            for fd in theirs:
                os.close(fd)
        return WarmChild(connection, pid, pipes)


def _ends(name: str, stream: int | IO[bytes]) -> tuple[int, IO[bytes] | None]:
    """(a descriptor for the child, our end of a pipe)."""
    if stream == subprocess.PIPE:
        reading, writing = os.pipe()
        if name == "stdin":
            return reading, os.fdopen(writing, "wb", buffering=0)
        return writing, os.fdopen(reading, "rb")
    if stream == subprocess.DEVNULL:
        return os.open(os.devnull, os.O_RDWR), None
    return os.dup(stream if isinstance(stream, int) else stream.fileno()), None


def serve(path: str, life: int) -> list[str]:
    """The parent: forks until its life line ends. Returns in each child, what it is to run."""
    for name in (*LIBRARIES, *OURS):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    listening, line = socket.socket(socket.AF_UNIX), socket.socket(fileno=life)
    listening.bind(path)
    listening.listen(64)
    line.set_inheritable(False)
    line.send(b"!")
    waiting = selectors.DefaultSelector()
    waiting.register(listening, selectors.EVENT_READ)
    waiting.register(line, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is line:
                Path(path).unlink()
                Path(path).parent.rmdir()
                sys.exit(0)
            elif key.fileobj is listening:
                child = _fork(listening.accept()[0])
                if isinstance(child, list):
                    return child
                waiting.register(os.pidfd_open(child[1]), selectors.EVENT_READ, child)
            else:
                waiting.unregister(key.fileobj)
                os.close(key.fd)
                _tell(*key.data)


def _fork(connection: socket.socket) -> tuple[socket.socket, int] | list[str]:
    """One child: (who waits for it, its pid); in the child itself, its arguments."""
    size, fds, *_ = socket.recv_fds(connection, STATUS.size, 3)
    asked = _read(connection, STATUS.unpack(size)[0])
    pid = os.fork()
    if pid == 0:
        connection.close()
        return _become(fds, asked)
    for fd in fds:
        os.close(fd)
    connection.sendall(STATUS.pack(pid))
    return connection, pid


def _tell(connection: socket.socket, pid: int) -> None:
    """How the child ended, to whom has asked for it, if still there."""
    _, status = os.waitpid(pid, 0)
    with connection, contextlib.suppress(OSError):
        connection.sendall(STATUS.pack(status))


def _read(connection: socket.socket, size: int) -> Any:
    found = b""
    while len(found) < size:
        found += connection.recv(size - len(found))
    return json.loads(found)


def _become(fds: list[int], asked: Any) -> list[str]:
    """In the child: its session, folder, environment and streams."""
    arguments, cwd, env = asked
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
        os.close(fd)
    named = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:1] = ["" if arguments[0] == "-c" else cwd, *named]
    return list(arguments)


def run(arguments: list[str]) -> None:
    """As the interpreter would."""
    kind, what, *rest = arguments
    if kind == "-m":
        sys.argv = [what, *rest]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        assert kind == "-c", arguments
        sys.argv = ["-c", *rest]
        exec(what, {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102


if __name__ == "__main__":
    run(serve(sys.argv[1], int(sys.argv[2])))
