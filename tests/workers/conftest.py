"""The HTTP interface as a real child process, with its workers inline, on a copy of the shared
collection; a local server plays the LLM. Not here: Redis (tests/service).
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from store import keys
from store.database import Database
from store.workspace import DATABASE
from tests import warm
from tests.conftest import ROOT, Pilotfish, quoted_by
from tests.llm_server import LLMServer
from tests.warm import Child

CODE = """
import logging, sys
from pilotfish.redact import RedactingFilter
from pilotfish.settings import load
from workers.serve import run
handler = logging.StreamHandler(); handler.addFilter(RedactingFilter())
logging.basicConfig(level=logging.INFO, handlers=[handler])
run(load(), inline=True, as_json=True, socket=(sys.argv[1:] or [None])[0])
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the service."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def error(self) -> Any:
        """The error, which must be in its one envelope."""
        error = self.json["error"]
        assert {"message", "type", "param", "code"} <= set(error)
        return error


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. `key` goes with each request."""

    host: str
    port: int
    workspace: Path
    log: Path
    pid: int
    key: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self, method: str, path: str, body: object = None, *, raw: bytes | None = None,
        timeout: float = 60, **headers: str,
    ) -> Reply:  # fmt: skip
        """One request; `body` is sent as JSON, `raw` as it is."""
        sent = {name.replace("_", "-"): value for name, value in {**self.more, **headers}.items()}
        if self.key is not None:
            sent.setdefault("authorization", f"Bearer {self.key}")
        if body is not None:
            raw = json.dumps(body).encode()
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> Reply:
        return self("POST", path, body, **headers)

    def upload(
        self, path: str, files: Mapping[str, bytes], fields: Mapping[str, str] | None = None,
        **headers: str,
    ) -> Reply:  # fmt: skip
        """multipart/form-data with parts named `file`."""
        raw, kind = multipart(files, fields or {})
        return self("POST", path, raw=raw, content_type=kind, **headers)

    def having(self, key: str | None) -> Service:
        return Service(self.host, self.port, self.workspace, self.log, self.pid, key, self.more)

    def made_key(self, tenant: str = "", **limits: Any) -> Service:
        """The same service, asked with a new key."""
        with self.database() as database, database.write() as connection:
            _, secret = keys.create(connection, tenant, "test", **limits)
        return self.having(secret)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The service's own database, beside it."""
        opened = Database(self.workspace / DATABASE, create=False)
        try:
            yield opened
        finally:
            opened.close()

    def ended(self, job: str, seconds: float = 60) -> Any:
        """The job, when it has come to its end."""
        return until(lambda: self._ended(job), seconds)

    def _ended(self, job: str) -> Any:
        view = self.get(f"/v1/jobs/{job}").json
        return view if view["state"] not in {"running", "paused"} else None


def until(look: Callable[[], Any], seconds: float = 30) -> Any:
    """What `look` gives as soon as it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def multipart(files: Mapping[str, bytes], fields: Mapping[str, str]) -> tuple[bytes, str]:
    """(body, content type)."""
    parts = [f'content-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]  # fmt: skip
    parts += [
        f'content-disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + data + b"\r\n" for name, data in files.items()
    ]  # fmt: skip
    body = b"".join(b"--limit\r\n" + part for part in parts) + b"--limit--\r\n"
    return body, "multipart/form-data; boundary=limit"


@contextmanager
def started(
    pilotfish: Pilotfish, folder: Path, *arguments: str, cwd: Path = ROOT
) -> Iterator[tuple[Any, Child, Path]]:
    """(what the child says where it listens, the child, its log). cwd: where pilotfish.toml is."""
    log = folder / "service.log"
    with log.open("wb") as handle:
        command = ["-c", CODE, *arguments]
        child = warm.start(command, cwd, pilotfish.environment(), stderr=handle)
    try:
        yield until(lambda: _address(log, child), 60), child, log
    finally:
        child.terminate()
        try:
            child.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    text = log.read_text(errors="replace")
    assert "Traceback" not in text, text
    assert child.returncode == 0, text


def _address(log: Path, child: Child) -> Any:
    assert child.poll() is None, log.read_text()
    for line in log.read_text().splitlines():
        if line.startswith('{"listening"'):
            return json.loads(line)["listening"]
    return None


@contextmanager
def serving(
    pilotfish: Pilotfish, folder: Path, cwd: Path = ROOT, **env: object
) -> Iterator[Service]:
    """The service on a free port."""
    asked = pilotfish.having(PILOTFISH_SERVICE__PORT=0, **env)
    with started(asked, folder, cwd=cwd) as (where, child, log):
        yield Service("127.0.0.1", where["port"], asked.workspace, log, child.pid)


@pytest.fixture(scope="session")
def player() -> Iterator[LLMServer]:
    """The LLM of the shared service."""
    with LLMServer(respond=quoted_by) as server:
        yield server


@pytest.fixture(scope="session")
def service(
    pristine: Path, player: LLMServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """One service for the tests that leave it as it was, or only add to it. It has keys."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(pristine, folder / "workspace")
    pilotfish = Pilotfish(folder, folder / "workspace").asking(player)
    with serving(pilotfish, folder, PILOTFISH_SERVICE__BODY_MB=2) as made:
        yield made.made_key()


@pytest.fixture
def own(mine: Pilotfish, llm: LLMServer, tmp_path: Path) -> Iterator[Service]:
    """A service of this test's own, without any key."""
    with serving(mine.asking(llm), tmp_path) as made:
        yield made


@pytest.fixture
def acme(service: Service) -> Service:
    """The shared service, asked by a tenant that has nothing."""
    return service.made_key("acme")


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """`work(0)`, `work(1)`, ... at once."""
    found: list[Any] = [None] * count

    def one(number: int) -> None:
        found[number] = work(number)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
