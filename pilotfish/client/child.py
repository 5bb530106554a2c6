"""The embedded engine's own process: the command line, ended when whoever started it is gone.

    python -P -m pilotfish.client.child FOLDER serve --inline --socket FOLDER/http

stdin is a pipe that only the client holds: its end is the client's end, however it came. A fork
of the client may hold it too, so the parent's id is looked at as well.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import threading
import time

LOOK_SECONDS = 1.0
GRACE_SECONDS = 75.0  # for answers that are on their way


def watch(parent: int, folder: str) -> None:
    """Wait for the client's end, then end this process: in order, or hard after a while."""
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], LOOK_SECONDS)
        if readable and not os.read(0, 4096):
            break
    # Nobody will come to the socket any more. If the client only closes, it removes it itself.
    shutil.rmtree(folder, ignore_errors=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def main() -> None:
    folder, *arguments = sys.argv[1:]
    threading.Thread(target=watch, args=(os.getppid(), folder), daemon=True).start()
    sys.argv = ["pilotfish", *arguments]
    from pilotfish.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
