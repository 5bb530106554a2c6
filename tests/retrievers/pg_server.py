"""A Postgres with pgvector as a child process: the one that PyPI's `pgserver` carries.

Its binaries alone are used: on a socket, in a folder that goes with it, as user `postgres` when
the tests are run by root, for Postgres refuses that. Not here: the service's own Postgres.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SECONDS = 30.0


# The package carries no Postgres for newer interpreters; with all others its absence is an error.
OFFERED = sys.version_info < (3, 13)


class Server:
    """Listens until `stop`; `start` runs it again on the same data."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("pgserver")
        assert spec and spec.origin
        self.folder = Path(tempfile.mkdtemp(prefix="pilotfish-pgvector-"))
        package = Path(spec.origin).parent  # user `postgres` may not read where it is installed
        for name in ("pgserver/pginstall", "pgserver.libs"):  # found by their places to each other
            shutil.copytree(package.parent / name, self.folder / name)
        self.bin = self.folder / "pgserver" / "pginstall" / "bin"
        self.account: dict[str, Any] = {}
        if os.geteuid() == 0:
            self.account = {"user": "postgres", "extra_groups": []}
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.data = self.folder / "data"
        self._do("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def _do(self, program: str, *arguments: object, check: bool = True) -> int:
        command = [str(self.bin / program), *map(str, arguments)]
        null = subprocess.DEVNULL
        done = subprocess.run(
            command, cwd=self.folder, stdout=null, stderr=null, check=check, **self.account
        )
        return done.returncode

    def start(self) -> None:
        """Run it, until it answers."""
        command = [str(self.bin / "postgres"), "-D", str(self.data)]
        command += ["-k", str(self.folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, **self.account
            )
        end = time.monotonic() + SECONDS
        while self._do("pg_isready", "-h", self.folder, "-U", "postgres", check=False):
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """End it at once; what was committed stays."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)  # without a checkpoint, its children with it
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def options(self, table: str, **more: Any) -> dict[str, Any]:
        """For `dense.store_options` of LlamaIndex's PGVectorStore."""
        address = f"postgres@/postgres?host={self.folder}"
        return {
            "connection_string": f"postgresql+psycopg2://{address}",
            "async_connection_string": f"postgresql+asyncpg://{address}",
            "table_name": table, "schema_name": "public", "embed_dim": 32, "use_jsonb": True,
            "create_engine_kwargs": {"pool_pre_ping": True}, **more,
        }  # fmt: skip

    def count(self, table: str) -> tuple[int, int]:
        """Rows, and distinct nodes, of a table."""
        import psycopg

        with psycopg.connect(f"postgresql://postgres@/postgres?host={self.folder}") as connection:
            query = f"SELECT count(*), count(DISTINCT node_id) FROM data_{table}"
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])
