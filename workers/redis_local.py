"""A redis-server of our own, for `pilotfish up` where none is configured.

It listens on a unix socket that only this user can open, writes its append-only file into the
workspace, and ends with us. Not here: supervision (up.py).
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from pilotfish.errors import SettingsError


def command(folder: Path) -> tuple[list[str], str]:
    """(command line, URL) of a redis-server that keeps its data in `folder`.

    SettingsError where the program is missing. The socket lies in a short temporary folder,
    because its path may have 107 characters at most.
    """
    program = shutil.which("redis-server")
    if program is None:
        mend = "apt-get install redis-server, or set PILOTFISH_SERVICE__REDIS=redis://HOST:6379/0"
        raise SettingsError(f"redis-server is not installed: {mend}")
    folder.mkdir(parents=True, exist_ok=True)
    socket = Path(tempfile.mkdtemp(prefix="pilotfish-")) / "redis.sock"
    line = [program, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    line += ["--dir", str(folder.resolve()), "--appendonly", "yes", "--save", ""]
    line += ["--maxmemory-policy", "noeviction", "--loglevel", "warning"]
    line += ["--logfile", str(folder.resolve() / "redis.log")]
    return line, f"unix://{socket}"
