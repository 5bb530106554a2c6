"""What the service stands on, as throw-away child processes: redis-server, Postgres, the LLM.

Each listens on a free port of 127.0.0.1 or on a socket, and keeps its data in a folder that
goes with it. Postgres refuses to run as root, so root starts it as `postgres`. Not here: the
service's own processes (fleet.py).
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.service.processes import POSTGRES, Child, Watch, python, until

READY_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class Redis:
    """A redis-server that forgets everything when it is killed."""

    def __init__(self, watch: Watch, folder: Path) -> None:
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        self._watch, self._port = watch, port
        command = [shutil.which("redis-server") or "redis-server", "--port", str(port)]
        command += ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command += ["--dir", str(folder), "--maxmemory-policy", "noeviction"]
        self.child = watch.add(Child("redis", command, folder / "redis.log"))
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        until(self.answers, READY_SECONDS, "redis-server answers")

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), 0.5) as raw:
                raw.sendall(b"PING\r\n")
                return raw.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def wipe(self) -> bool:
        """SIGKILL: all that it held is gone. The watch starts it again."""
        return self._watch.kill(self.child)


class Postgres:
    """A cluster of its own, on a unix socket; `url` names its one database."""

    def __init__(self, watch: Watch, logs: Path) -> None:
        self.bin = sorted(Path(POSTGRES).glob("*/bin"))[-1]
        self.user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="pilotfish-pg-"))
        if self.user:
            found = pwd.getpwnam(self.user)
            os.chown(self.folder, found.pw_uid, found.pw_gid)
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        data = self.folder / "data"
        self._do("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        command = [str(self.bin / "postgres"), "-D", str(data), "-k", str(self.folder)]
        command += ["-c", "listen_addresses=", "-c", "max_connections=400"]
        self.child = watch.add(Child("postgres", command, logs / "postgres.log", user=self.user))
        self.wait()

    def _do(self, program: str, *arguments: object) -> int:
        account: dict[str, Any] = {"user": self.user, "extra_groups": []} if self.user else {}
        command = [str(self.bin / program), *map(str, arguments)]
        return subprocess.run(
            command, check=program != "pg_isready", cwd="/", stdout=subprocess.DEVNULL, **account
        ).returncode  # fmt: skip

    def wait(self) -> None:
        ready = ("-h", self.folder, "-U", "postgres", "-q")
        until(lambda: self._do("pg_isready", *ready) == 0, READY_SECONDS, "Postgres answers", 0.2)

    def crash(self) -> None:
        """End at once, without a checkpoint; the watch starts it, and it recovers."""
        self.child.send(signal.SIGQUIT)

    def stop(self) -> None:
        """End it in order and remove its folder."""
        self.child.stop(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)


class LLM:
    """The counting LLM server; see llm_server.py."""

    def __init__(
        self, watch: Watch, folder: Path, latency: float = 0.0, *, warm: bool = False
    ) -> None:
        command = python("-m", "tests.service.llm_server", "--latency", latency)
        log = folder / "llm.log"
        self.child = watch.add(Child("llm", command, log, keep=False, warm=warm))
        found = until(lambda: re.search(r"listening on (\S+)", self.child.said()), 20, "the LLM")
        self.url = str(found.group(1))

    def counts(self) -> dict[str, Any]:
        return self._call("/counts")

    def plan(self, **values: Any) -> None:
        """Behave so from now on: the fields of llm_server.Plan."""
        self._call("/plan", values)

    def reset(self) -> None:
        self._call("/reset", {})

    def _call(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url.removesuffix("/v1") + path, data)
        with urllib.request.urlopen(request, timeout=10) as reply:
            told: dict[str, Any] = json.load(reply)
        return told
