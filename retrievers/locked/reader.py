"""Runs one SELECT over one database in a jailed child: `Reader(database).run(sql) -> Rows`.

The child is warm between queries of its database and is replaced after anything but rows or an
ordinary SQL error; at the wall clock its whole group is killed. Not here: what may be asked
(`guard`), what the child takes from itself (`jail`), which rows become passages.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from corpus.limits import MB
from pilotfish.errors import InputError, NotFound, SettingsError
from retrievers.locked import frames, guard
from retrievers.locked.nouns import Csv, Database, Limits, QueryFailed, Rows, Schema

_CODE = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from retrievers.locked.child import main; main(int(sys.argv[2]))"
)
_KEPT_ENV = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH")
# What libpq finds its password and certificates by; only a child that has a server gets it.
_LIBPQ = ("HOME", "PGPASSWORD", "PGPASSFILE", "PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY")
_MEND_OPEN = {False: "check the file", True: "check the URL, and that its role may only SELECT"}
_SLACK_S = 0.5  # the child may stop by itself, and say why, before it is killed
_STAYS = ("sql_error", "sql_refused")  # after these a child is asked again
_MENDS = {
    "sql_refused": "read only the tables and functions there are",
    "sql_too_slow": "join on keys, or filter first",
    "sql_too_much_memory": "select fewer rows, or aggregate",
    "sql_too_large": "select less of it",
    "sql_crashed": "ask in a simpler way",
    "sql_error": "mend the SQL",
}


class Reader:
    """One database, opened when first asked; threads may share it, queries take turns.

    Raises NotFound or InputError when the database cannot be read, SettingsError when no child
    starts, QueryFailed (one line, `code`) for a query that gives no rows.
    """

    def __init__(self, database: Database, limits: Limits = Limits()) -> None:
        self.database, self.limits = database, limits
        self._turn = Lock()
        self._child: Child | None = None
        self._schema: Schema | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def schema(self) -> Schema:
        """The tables that may be read, as the child found them."""
        with self._turn:
            if self._schema is None:
                self._schema = self._warm().schema
            return self._schema

    @property
    def pid(self) -> int | None:
        """The child's process, which leads its group; None while there is none."""
        return self._child.process.pid if self._child is not None else None

    def run(self, sql: str) -> Rows:
        """The rows of one SELECT: at most `limits.rows`, in `limits.wall_s` seconds."""
        checked = guard.allowed(sql, self.database.dialect, self.schema, self.limits.rows)
        if isinstance(checked, QueryFailed):
            raise checked
        with self._turn:
            begun = time.monotonic()
            reply = self._asked(checked.sql)
            if reply.get("failed") == "sql_crashed" and self.database.url:
                reply = self._asked(checked.sql)  # the server was started anew, or let go
            seconds = time.monotonic() - begun
        if "failed" in reply:
            code = reply["failed"]
            raise QueryFailed(code, f"{reply['message']}: {_MENDS[code]}")
        return Rows(
            tuple(reply["columns"]),
            tuple(reply["types"]),
            tuple(tuple(row) for row in reply["rows"]),
            reply["truncated"],
            seconds,
            checked.sql,
        )

    def close(self) -> None:
        """End the child and its group; the next query starts another."""
        with self._turn:
            self._end()

    def _asked(self, sql: str) -> dict[str, Any]:
        child = self._warm()
        try:
            reply = child.ask({"sql": sql}, self.limits.wall_s + _SLACK_S)
        except BaseException:
            self._end()
            raise
        if reply.pop("last", True) or reply.get("failed", _STAYS[0]) not in _STAYS:
            self._end()
        return reply

    def _warm(self) -> Child:
        """The child, or a new one where there is none, it has ended, or it was idle for long."""
        child = self._child
        if child is None or child.idle_for() > self.limits.idle_s:
            self._end()
            known = self._schema is not None  # values were looked at by an earlier child
            child = self._child = Child(self.database, self.limits, samples=not known)
        return child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class Child:
    """One process with one database open in it, and our end of its socket."""

    def __init__(self, database: Database, limits: Limits, samples: bool = True) -> None:
        self._limits = limits
        self._asked_last = time.monotonic()
        request = _described(database, limits, samples)
        self._ours, theirs = socket.socketpair()
        with theirs:
            self.process = _spawned(theirs, database)
        ready: Mapping[str, Any] = {}
        try:
            ready = self.ask(request, limits.load_s)
        finally:
            if "schema" not in ready:
                self.end()
        if "failed" in ready:
            mend = _MEND_OPEN[bool(database.url)]
            raise InputError(f"the database cannot be opened: {ready['message']}: {mend}")
        if "schema" not in ready:
            raise SettingsError("the SQL reader's process did not start: see the lines above")
        self.schema = Schema.of(ready["schema"])

    def idle_for(self) -> float:
        """Seconds since it was last asked; endless when it has ended."""
        ended = self.process.poll() is not None
        return float("inf") if ended else time.monotonic() - self._asked_last

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Its reply, or the failure that its silence means."""
        self._asked_last = time.monotonic()
        self._ours.settimeout(seconds)
        try:
            frames.send(self._ours, request)
            reply = frames.receive(self._ours, 64 * MB)
        except TimeoutError:
            return _failed("sql_too_slow", f"stopped after {seconds:g} s")
        except OSError:
            reply = None
        return reply if reply is not None else self._why_silent()

    def end(self) -> None:
        """Kill its whole group; its id cannot be another's before it is waited for."""
        self._ours.close()
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _why_silent(self) -> dict[str, Any]:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        code = self.process.returncode
        if code in (-signal.SIGXCPU, -signal.SIGALRM):
            return _failed("sql_too_slow", f"stopped after {self._limits.cpu_s} s of CPU")
        name = signal.Signals(-code).name if code and code < 0 else f"exit {code}"
        return _failed("sql_crashed", f"the engine ended ({name})")


def _failed(code: str, message: str) -> dict[str, Any]:
    return {"failed": code, "message": message}


def _spawned(theirs: socket.socket, database: Database) -> subprocess.Popen[bytes]:
    """A Python of its own session with our modules' places, no input and hardly any environment."""
    root = str(Path(__file__).resolve().parent.parent.parent)
    kept = _KEPT_ENV + (_LIBPQ if database.url else ())
    places = json.dumps([root, *(str(Path(place).absolute()) for place in sys.path)])
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _CODE, places, str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        env={key: os.environ[key] for key in kept if key in os.environ},
        cwd="/",
        start_new_session=True,
    )


def _described(database: Database, limits: Limits, samples: bool) -> dict[str, Any]:
    """What the child has to know; NotFound for a file that is not there."""
    granted = database.granted
    tables = [_table(one) for one in database.tables if granted is None or one.name in granted]
    path = database.path
    if database.engine in ("sqlite", "duckdb_file") and (path is None or not path.is_file()):
        raise NotFound(f"{path} is no file: check the path")
    return {
        "engine": database.engine,
        "url": database.url,
        "schema": database.schema,
        "samples": samples,
        "path": str(path.resolve()) if path is not None else None,
        "tables": tables,
        "granted": sorted(granted) if granted is not None else None,
        "limits": dataclasses.asdict(limits),
    }


def _table(one: Any) -> dict[str, Any]:
    if not isinstance(one, Csv):
        return {"name": one.name, "columns": list(one.columns), "rows": [list(r) for r in one.rows]}
    if not one.path.is_file():
        raise NotFound(f"{one.path} is no file: check the path")
    return {"name": one.name, "path": str(one.path.resolve())}
