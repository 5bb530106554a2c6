"""The child: opens one database, locks itself, answers queries in frames until it hangs up.

Whatever it does not expect ends it, and the other side says so. Not here: starting and killing it
(`reader`), checking SQL (`guard`).
"""

from __future__ import annotations

import dataclasses
import importlib
import resource
import signal
import socket
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

from corpus.limits import MB
from retrievers.locked import frames, jail
from retrievers.locked.engine import Engine, EngineError
from retrievers.locked.nouns import Cell, Limits, Schema

ENGINES = {
    "sqlite": "retrievers.locked.sqlite.SQLite",
    "duckdb": "retrievers.locked.duck.Duck",
    "duckdb_file": "retrievers.locked.duck_file.DuckFile",
    "postgres": "retrievers.locked.postgres.Postgres",
}
GRACE_S = 60  # an idle child outlives by this the time after which it is not asked any more


def main(fd: int) -> None:
    """Serve one database over an inherited socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command line to handle
    sock = socket.socket(fileno=fd)
    given = frames.receive(sock)
    if given is None:
        return
    limits = Limits(**given["limits"])
    module, _, name = ENGINES[given["engine"]].rpartition(".")
    engine: Engine = getattr(importlib.import_module(module), name)()
    try:
        jail.before_loading(limits, _paths(given), network=bool(given["url"]))
        schema = engine.open(given, limits)
        ready = _schema(schema)
        jail.lock(limits, network=bool(given["url"]))
    except (EngineError, OSError, MemoryError) as error:
        frames.send(sock, _failure(error, limits))
        return
    frames.send(sock, ready)
    _serve(sock, engine, limits)


def _serve(sock: socket.socket, engine: Engine, limits: Limits) -> None:
    """Query by query; the last one is told apart, so that nobody asks a child that is leaving."""
    begun = _peak_bytes()
    for count in range(1, limits.queries + 1):
        jail.clock(limits.idle_s + GRACE_S, limits.cpu_s)
        asked = frames.receive(sock, MB)
        if asked is None:
            break
        jail.clock(limits.wall_s + 1, limits.cpu_s)
        reply = _answer(engine, asked["sql"], limits)
        # what the allocator keeps would count against the next query
        last = count == limits.queries or _peak_bytes() - begun > limits.memory_mb * MB // 2
        frames.send(sock, reply | {"last": last})
        if last:
            break


def _answer(engine: Engine, sql: str, limits: Limits) -> dict[str, Any]:
    found: Iterable[tuple[Cell, ...]] = ()
    try:
        columns, types, found = engine.run(sql)
        rows: list[tuple[Cell, ...]] = []
        size = 0
        for row in found:
            size += _size(row, limits)
            if len(rows) == limits.rows or size > limits.result_mb * MB:
                return _rows(columns, types, rows, truncated=True)
            rows.append(row)
        return _rows(columns, types, rows, truncated=False)
    except (EngineError, MemoryError) as error:
        return _failure(error, limits)
    finally:
        if isinstance(found, Generator):
            found.close()  # a transaction may hang on it


def _rows(
    columns: list[str], types: list[str], rows: list[tuple[Cell, ...]], truncated: bool
) -> dict[str, Any]:
    return {"columns": columns, "types": types, "rows": rows, "truncated": truncated}


def _size(row: tuple[Cell, ...], limits: Limits) -> int:
    """Characters of a row; a cell beyond its limit is an error: half a cell cannot be cited."""
    size = 0
    for cell in row:
        length = len(cell) if isinstance(cell, str) else 8
        if length > limits.cell_characters:
            most = limits.cell_characters
            raise EngineError("sql_too_large", f"a cell of {length} characters, the cap is {most}")
        size += length
    return size


def _failure(error: Exception, limits: Limits) -> dict[str, Any]:
    if isinstance(error, EngineError):
        code, message = error.code, str(error)
    elif isinstance(error, MemoryError):
        code, message = "sql_too_much_memory", f"more than {limits.memory_mb} MB of memory"
    else:
        code, message = "sql_error", str(error)
    return {"failed": code, "message": " ".join(message.split())[:300]}


def _paths(given: dict[str, Any]) -> list[Path]:
    named = [given["path"], *(table.get("path") for table in given["tables"])]
    return [Path(path) for path in named if path]


def _schema(schema: Schema) -> dict[str, Any]:
    return {"schema": dataclasses.asdict(schema)}


def _peak_bytes() -> int:
    """The most memory this process ever had; read without a file, none can be opened."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
