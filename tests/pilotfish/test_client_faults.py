"""The SDK when things break: killed engines, dropped connections, parents that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pilotfish import Client, errors
from pilotfish.client import EngineFailed, Failed, TimedOut
from pilotfish.client.engine import Engine
from tests.conftest import ASKED, ROOT, Pilotfish, quoted_by
from tests.llm_server import LLMServer
from tests.pilotfish.clients import embedded
from tests.pilotfish.tearing import Tearing
from tests.workers.conftest import serving, until

pytestmark = pytest.mark.slow
MANY = [f"{ASKED} Number {n}." for n in range(12)]


@contextmanager
def slowly(latency: float) -> Iterator[LLMServer]:
    with LLMServer(respond=quoted_by, latency=latency) as server:
        yield server


def engine_of(client: Client) -> Engine:
    engine = client._transport.engine
    assert engine is not None
    return engine


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_results_go_on_after_the_engine_was_killed(mine: Pilotfish) -> None:
    with slowly(0.3) as llm, embedded(mine.workspace, llm, **{"service.threads": 3}) as client:
        job = client.submit(MANY)
        found: list[str] = []
        first = engine_of(client).pid
        for one in job.results(follow=True):
            found.append(one.custom_id)
            if len(found) == 4:
                os.kill(first or 0, signal.SIGKILL)
        assert sorted(found, key=int) == [str(n) for n in range(1, 13)]
        assert job.state == "completed" and engine_of(client).pid != first


def test_results_go_on_over_another_service_on_the_same_port(
    mine: Pilotfish, tmp_path: Path
) -> None:
    with slowly(0.3) as llm, Tearing() as proxy:
        asked = mine.asking(llm, PILOTFISH_SERVICE__LEASE=2, PILOTFISH_SERVICE__THREADS=3)
        found: list[str] = []
        with Client(proxy.url) as client:
            with serving(asked, tmp_path) as service:
                proxy.target = service.port
                job = client.submit(MANY)
                lines = job.results(follow=True)
                found += [next(lines).custom_id for _ in range(3)]
            with serving(asked, tmp_path) as service:
                proxy.target = service.port
                found += [one.custom_id for one in lines]
        assert sorted(found, key=int) == [str(n) for n in range(1, 13)]


def test_dropped_connections_leave_one_job(mine: Pilotfish, llm: LLMServer, tmp_path: Path) -> None:
    with serving(mine.asking(llm), tmp_path) as service, Tearing(service.port) as proxy:
        with Client(proxy.url, retries=4) as client:
            proxy.script("before", "after", "after", "pass")
            job = client.submit([ASKED], name="one")
            assert proxy.met == ["before", "after", "after", "pass"]
            assert [one.id for one in client.jobs()] == [job.wait(60).id]
            proxy.script("after", "pass")
            added = client.add(("new.txt", b"The new gate opens at six in the morning.\n"))
            assert added.added == ("new.txt",)
            proxy.script("after", "pass")
            assert client.remove("new.txt") == 1
            asked = len(llm.requests)
            proxy.script("after", "after", "pass")
            assert client.ask(f"{ASKED} Once.").status == "answered"
            assert len(llm.requests) == asked + 1


def test_retries_end_and_say_where(free_port: int) -> None:
    with Client(f"http://127.0.0.1:{free_port}", retries=1) as client:
        with pytest.raises(errors.Unavailable) as caught:
            client.collections()
    assert f"127.0.0.1:{free_port}" in str(caught.value) and "pilotfish up" in str(caught.value)


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_a_question_may_time_out_and_be_fetched_later(mine: Pilotfish) -> None:
    with slowly(3) as llm, embedded(mine.workspace, llm) as client:
        with pytest.raises(TimedOut) as caught:
            client.ask(ASKED, timeout=0.5)
        (line,) = client.job(caught.value.details["job"]).wait(60).results()
        assert line.status == "answered" and len(llm.requests) == 1


def test_a_question_that_fails_raises_with_its_line(mine: Pilotfish, llm: LLMServer) -> None:
    llm.default = "context"
    with embedded(mine.workspace, llm) as client, pytest.raises(Failed) as caught:
        client.ask(ASKED, recipe="plain")
    assert caught.value.result is not None and caught.value.result.status == "failed"
    assert caught.value.code == caught.value.result.error.code  # type: ignore[union-attr]


def test_the_engine_ends_with_its_client_and_leaves_nothing(
    mine: Pilotfish, llm: LLMServer
) -> None:
    with embedded(mine.workspace, llm) as client:
        engine = engine_of(client)
        pid, folder = engine.pid or 0, engine.folder
        assert alive(pid) and oct(folder.stat().st_mode)[-3:] == "700"
    assert not alive(pid) and not folder.exists()
    with pytest.raises((EngineFailed, RuntimeError)):
        client.collections()


HELD = """
import sys, time
from pilotfish import Client
client = Client(workspace=sys.argv[1])
print(client._transport.engine.pid, client._transport.engine.folder, flush=True)
time.sleep(600)
"""


def test_the_engine_ends_when_its_parent_is_killed(mine: Pilotfish) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", HELD, str(mine.workspace)], stdout=subprocess.PIPE, cwd=ROOT,
        env=mine.environment(),
    )  # fmt: skip
    assert parent.stdout is not None
    with parent.stdout as out:
        pid, folder = out.readline().decode().split()
    assert alive(int(pid))
    parent.kill()
    parent.wait()
    until(lambda: not alive(int(pid)), 60)
    assert not Path(folder).exists()


def test_an_engine_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(errors.SettingsError) as caught:
        Client(workspace=tmp_path / "file")
    assert "file" in str(caught.value) and "Traceback" not in str(caught.value)


def test_a_client_is_used_from_many_threads(mine: Pilotfish, llm: LLMServer) -> None:
    found: list[str] = []
    with embedded(mine.workspace, llm) as client:

        def ask(number: int) -> None:
            found.append(client.ask(f"{ASKED} Thread {number}.").status)

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["answered"] * 12
