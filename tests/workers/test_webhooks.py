"""Webhooks: signed, tried again, never sent to an address that is not public."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pilotfish.errors import InputError
from store import collections, hooks, submissions
from store.database import Database
from store.submissions import Submission
from workers.addresses import check_url, is_public, post
from workers.upkeep import forget
from workers.webhooks import Deliverer

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
PRIVATE = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1",
    "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::", "240.0.0.1",
    "::127.0.0.1", "fe80::1%eth0", "2001:db8::1", "203.0.113.5", "198.51.100.7",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_public(address: str) -> None:
    assert not is_public(address)
    host = f"[{address.partition('%')[0]}]" if ":" in address else address
    for scheme in ("http", "https"):
        with pytest.raises(InputError, match="not public"):
            check_url(f"{scheme}://{host}/hook")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", [
    "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
    "http://0/", "http://localhost/", "http://LOCALHOST:80/", "http://user:pw@example.com/",
    "http://user@127.0.0.1/", "file:///etc/passwd", "gopher://example.com/", "ftp://example.com",
    "//example.com/", "http://", "http:///x", "http://[::1", "http://example.com:99999/",
    "http://exa mple.com/", "http://example.com/\r\nX: y", "javascript:alert(1)", "example.com",
    "http://\u2488.example.com/", "http://example.com/" + "x" * 2000, "",
])  # fmt: skip
def test_odd_urls_are_refused_when_they_are_given(url: str) -> None:
    with pytest.raises(InputError):
        check_url(url)


@pytest.mark.parametrize("host", ["localhost.", "ip6-localhost", "localtest.invalid"])
def test_a_name_is_checked_again_by_what_it_resolves_to(host: str) -> None:
    with pytest.raises((InputError, OSError)):
        post(f"http://{host}:9/", b"{}", {})


def test_a_name_that_also_resolves_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.getaddrinfo
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")

    def both(host: object, *more: Any, **named: Any) -> Any:
        if host == "rebinding.example" and not named.get("flags"):
            return [(*kind, ("8.8.8.8", 80)), (*kind, ("127.0.0.1", 80))]
        return real(host, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(InputError, match="not public"):
        post("http://rebinding.example/", b"{}", {})


class Receiver(ThreadingHTTPServer):
    """Takes webhooks; answers with the statuses it is given, in order, then 200."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Taken)
        self.statuses, self.got = list(statuses), list[tuple[dict[str, str], bytes]]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"


class _Taken(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status in {301, 302, 307, 308}:
            self.send_header("location", self.server.url)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    with Receiver(*statuses) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "w" / "pilotfish.db", create=True)
    yield made
    made.close()


def ended_job(database: Database, url: str) -> str:
    """A job with a webhook that has come to its end."""
    with database.write() as connection:
        collection = collections.ensure(connection, "default", "e", 100)
        job_id, _ = submissions.submit(connection, Submission(
            collection.id, "default", {}, [], webhook={"url": url, "secret": SECRET},
        ))  # fmt: skip
        assert submissions.close_finished(connection) == [job_id]
    return job_id


def here(address: str) -> bool:
    """What the tests' receivers need: loopback counts as public."""
    return address == "127.0.0.1"


def states(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return hooks.by_state(connection)


def due_now(database: Database) -> None:
    """Let every waiting message be due."""
    from sqlalchemy import text

    with database.write() as connection:
        connection.execute(text("UPDATE deliveries SET not_before = 0"))


def test_the_end_of_a_job_is_told_signed_and_thin(database: Database) -> None:
    with receiving() as receiver:
        job = ended_job(database, receiver.url)
        assert Deliverer(database, "me", here).turn() == 1
        ((headers, body),) = receiver.got
    stamp = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode()
    mac = hmac.new(b"k" * 24, stamp + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
    told = json.loads(body)
    assert told["type"] == "job.completed" and told["data"] == {"id": job, "state": "completed"}
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert states(database) == {"delivered": 1}


@pytest.mark.parametrize("status", [500, 404, 301, 302, 307])
def test_what_is_not_taken_is_tried_again_under_the_same_id(
    database: Database, status: int
) -> None:
    with receiving(status, status) as receiver:
        ended_job(database, receiver.url)
        deliverer = Deliverer(database, "me", here)
        assert deliverer.turn() == 1 and deliverer.turn() == 0  # not before its pause is over
        due_now(database)
        deliverer.turn()
        assert states(database) == {"pending": 1}
        due_now(database)
        deliverer.turn()
        assert states(database) == {"delivered": 1}
        assert len(receiver.got) == 3  # a redirect was not followed
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1


def test_it_is_given_up_after_a_day_or_when_the_receiver_says_gone(database: Database) -> None:
    with receiving(410) as receiver:
        ended_job(database, receiver.url)
        Deliverer(database, "me", here).turn()
        assert states(database) == {"failed": 1}
    ended_job(database, "http://127.0.0.1:9/")
    for _ in range(11):
        due_now(database)
        Deliverer(database, "me", here).turn()
    assert states(database) == {"failed": 2}


def test_a_private_address_is_never_called(database: Database) -> None:
    with receiving() as receiver:
        ended_job(database, receiver.url)
        Deliverer(database, "me").turn()
        assert not receiver.got and states(database) == {"pending": 1}


def test_one_process_delivers_at_a_time(database: Database) -> None:
    with receiving() as receiver:
        ended_job(database, receiver.url)
        from store import leases

        with database.write() as connection:
            assert leases.hold(connection, "webhooks", "another", 60)
        assert Deliverer(database, "me", here).turn() == 0 and not receiver.got


def test_a_receiver_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    import workers.addresses as addresses

    monkeypatch.setattr(addresses, "WHOLE_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not stop.wait(0.2):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(OSError):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {}, here)
        assert time.monotonic() - began < 5
        stop.set()
        thread.join()


def test_text_older_than_its_days_is_forgotten_and_money_stays(database: Database) -> None:
    with database.write() as connection:
        collection = collections.ensure(connection, "default", "e", 100)
        questions = [("1", {"question": "a secret?"})]
        job_id, _ = submissions.submit(connection, Submission(
            collection.id, "default", {}, questions,
        ))  # fmt: skip
        submissions.cancel(connection, job_id)
    assert forget(database, keep_days=1) == 0
    assert forget(database, keep_days=0) == 1
    with database.read() as connection:
        (row,) = submissions.results(connection, job_id, -1, 10)
        assert row["question"] == {} and row["state"] == "forgotten"
