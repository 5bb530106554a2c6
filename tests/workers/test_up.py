"""`pilotfish up`: the whole service on one machine, kept running, ended in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ASKED, Pilotfish
from tests.warm import Child

pytestmark = [
    pytest.mark.slow,
]
Ask = Callable[[str], Any]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(done: Callable[[], Any], seconds: float = 60) -> Any:
    """What `done` gives once it is true; fails when that takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = done()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.2)
    pytest.fail("did not happen in time")


def call(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def family(pid: int) -> dict[int, str]:
    """The children of a process, with their command lines."""
    listed = subprocess.run(
        ["ps", "--ppid", str(pid), "-o", "pid=,args="], capture_output=True, text=True, check=False
    ).stdout
    rows = [line.split(None, 1) for line in listed.splitlines()]
    return {int(row[0]): row[1] for row in rows}


@pytest.fixture
def service(mine: Pilotfish) -> Iterator[tuple[Child, str]]:
    port = free_port()
    child = mine.start("up", "--port", port, "--threads", 4)
    try:
        until(lambda: call(f"http://127.0.0.1:{port}/readyz")["checks"]["queue"])
        yield child, f"http://127.0.0.1:{port}"
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        child.communicate(timeout=90)


def test_one_command_starts_all_of_it_and_ctrl_c_ends_all_of_it(
    service: tuple[Child, str], mine: Pilotfish
) -> None:
    child, url = service
    answer = call(f"{url}/v1/answers", {"question": ASKED})
    assert answer["status"] == "answered" and answer["citations"]
    started = family(child.pid)
    assert len(started) == 5, started  # redis, dispatcher, api, two workers
    os.kill(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=90)
    assert child.returncode == 0 and b"Traceback" not in said, said.decode()
    assert all(not Path(f"/proc/{pid}").exists() for pid in started)


def test_a_worker_that_is_killed_is_started_again_and_goes_on(
    service: tuple[Child, str],
) -> None:
    child, url = service
    (worker,) = [pid for pid, line in family(child.pid).items() if "--queue answers" in line]
    os.kill(worker, signal.SIGKILL)
    answer = call(f"{url}/v1/answers", {"question": ASKED})
    assert answer["status"] == "answered"
    assert worker not in family(child.pid)
