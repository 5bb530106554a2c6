"""Where a webhook may not go: addresses in every spelling, redirects, names that resolve anew.

Each connection that this process tries to open is seen and stopped by an audit hook of Python, so
that nothing can leave the machine and nothing is overlooked.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pilotfish.errors import InputError
from tests.conftest import ASKED
from tests.workers.conftest import Service
from workers.addresses import check_url, is_public, post

V4 = """127.0.0.1 127.1 127.0.1 127.1.2.3 127.255.255.254 0.0.0.0 0 0.1.2.3 10.0.0.1 10.255.255.255
172.16.0.1 172.31.255.254 192.168.0.1 192.168.255.1 169.254.169.254 169.254.0.1 100.64.0.1
100.100.100.200 100.127.255.254 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1
198.19.255.254 198.51.100.7 203.0.113.5 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
168.63.129.16""".split()
NUMBERS = """2130706433 0x7f000001 0x7F.0.0.1 0177.0.0.1 017700000001 0x7f.1 127.0x0.0.1 0x0 0177.1
2852039166 0xa9fea9fe 0251.0376.0251.0376 3232235521 0xC0A80001 10.1 192.168.257 00.0.0.0
127.0.0.1. 10.0.0.1. 2130706433.""".split()
V6 = """::1 :: 0:0:0:0:0:0:0:1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::127.0.0.1 ::a00:1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b::169.254.169.254
64:ff9b:1::7f00:1 64:ff9b:1::808:808 2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe:: 2001:0:7f00:1::
2001::1 2001:10::1 2001:db8::1 3fff::1 100::1 fc00::1 fd00::1 fd00:ec2::254 fe80::1 febf::1 fec0::1
ff02::1 ff0e::1 5f00::1 4000::1 fe80::1%25eth0 ::1%25lo""".split()
NAMES = """localhost LOCALHOST localhost. a.localhost a.localhost. metadata.google.internal
printer.local""".split()
ODD = [
    "user@127.0.0.1", "user:pw@public.example", "@127.0.0.1", ":@127.0.0.1",
    "public.example@127.0.0.1", "public.example:80@127.0.0.1", "public.example%40@127.0.0.1",
    "public.example\\@127.0.0.1", "127.0.0.1\\.public.example", "127.0.0.1%2f@public.example",
    "127.0.0.1%00.public.example", "127.0.0.1%23.public.example", "%31%32%37.0.0.1",
    "127.0.0.1\n.public.example", "127.0.0.1\t", " 127.0.0.1", "127.0.0.1]", "[127.0.0.1]", "[::1",
    "public..example..", ".127.0.0.1", "-", "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1",
    "ⓛocalhost", "127.0.0.\u00ad1", "١٢٧.0.0.1",
]  # fmt: skip
PORTS = ("0", "1", "22", "25", "53", "81", "445", "1023", "65536", "99999", "-1", "8o", "８０")
OTHERS = [
    "file:///etc/passwd", "ftp://public.example/", "gopher://127.0.0.1/", "dict://127.0.0.1:11211/",
    "ldap://127.0.0.1/", "data:text/plain,x", "javascript:alert(1)", "ws://public.example/",
    "http+unix://%2Frun%2Fredis.sock/", "//127.0.0.1/", "HTTP:127.0.0.1", "http:/127.0.0.1/",
    "http:///127.0.0.1/", "http://", "https://?x", "127.0.0.1", "public.example", "", "/", "http",
    "\0http://127.0.0.1/", "http://public.example/\r\nhost: 127.0.0.1",
]  # fmt: skip


class Watch:
    """What was tried to connect to while it is `on`; only ports in `allowed` get through."""

    def __init__(self) -> None:
        self.on, self.tried, self.allowed = False, list[Any](), set[int]()
        sys.addaudithook(self._heard)

    def _heard(self, event: str, given: tuple[Any, ...]) -> None:
        if self.on and event == "socket.connect":
            self.tried.append(given[1])
            if given[1][1] not in self.allowed:
                raise ConnectionRefusedError("stopped by the test")


WATCH = Watch()


@contextmanager
def watched(*allowed: int) -> Iterator[list[Any]]:
    """The addresses that this process tries to connect to."""
    WATCH.tried, WATCH.allowed, WATCH.on = [], set(allowed), True
    try:
        yield WATCH.tried
    finally:
        WATCH.on = False


class Inside(ThreadingHTTPServer):
    """What must not be reached; or, with a `location`, what redirects there."""

    daemon_threads = True

    def __init__(self, status: int = 200, location: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.location, self.reached = status, location, 0

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.reached += 1
        return True


class _Handler(BaseHTTPRequestHandler):
    server: Inside

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("location", self.server.location)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def listening(status: int = 200, location: str = "") -> Iterator[Inside]:
    with Inside(status, location) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    with listening() as server:
        yield server
        assert not server.reached


def table(port: int) -> list[str]:
    """All that must be refused; where it can name a port, that of a server of this machine."""
    hosts = [*V4, *NUMBERS, *[f"[{one}]" for one in V6], *NAMES]
    urls = [f"http://{host}:{port}/hook" for host in hosts]
    urls += [f"https://{host}/" for host in [*V4[:12], *NUMBERS[:6], "[::1]", "localhost"]]
    urls += [f"http://{host}:{port}/" for host in ODD] + [f"http://{host}/" for host in ODD[:12]]
    urls += [f"http://public.example:{number}/" for number in PORTS]
    return urls + OTHERS


def test_the_table_is_long_enough() -> None:
    assert len(set(table(8000))) > 150


def test_every_address_of_the_table_is_refused_when_it_is_given(inside: Inside) -> None:
    with watched() as tried:
        for url in table(inside.server_port):
            with pytest.raises(InputError) as refusal:
                check_url(url)
            assert "\n" not in str(refusal.value), url
            with pytest.raises(InputError):
                post(url, b"{}", {})
    assert not tried


@pytest.mark.parametrize("address", [*V4[:1], *V4[3:6], *V4[7:]])
def test_no_address_of_the_table_is_public(address: str) -> None:
    assert not is_public(address)
    assert not is_public(f"::ffff:{address}") and not is_public(f"64:ff9b::{address}")


@pytest.mark.parametrize("address", V6)
def test_no_ipv6_address_of_the_table_is_public(address: str) -> None:
    assert not is_public(address.replace("%25", "%"))


def test_public_addresses_and_ordinary_ports_are_taken() -> None:
    for url in ("https://public.example/hook?a=b", "http://8.8.8.8:8080/", "https://xn--a-b.example/",
                "http://[2606:4700:4700::1111]:8443/", "https://public.example.:443/"):  # fmt: skip
        assert check_url(url).hostname


@pytest.mark.slow
def test_the_service_takes_no_job_with_such_a_webhook(service: Service, inside: Inside) -> None:
    keyed = service.made_key("ssrf")
    for url in table(inside.server_port):
        body = {"questions": [ASKED], "webhook_url": url, "collection": "none"}
        reply = keyed.post("/v1/jobs", body)
        assert reply.status == 422, (url, reply.body)
        told = reply.error["message"] + str(reply.error["param"])
        assert "webhook_url" in told, (url, reply.body)
    assert keyed.get("/v1/jobs").json["data"] == []


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let `moving.example` resolve to these, one after the other; gives what was answered."""
    real, given = socket.getaddrinfo, list[str]()

    def resolve(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if host != "moving.example" or named.get("flags"):
            return real(host, port, *more, **named)
        given.append(answers[min(len(given), len(answers) - 1)])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (given[-1], port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return given


def test_a_name_is_called_at_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, inside: Inside
) -> None:
    port = inside.server_port
    given = resolving(monkeypatch, "93.184.216.34", "127.0.0.1")
    with watched() as tried:
        with pytest.raises(ConnectionRefusedError):
            post(f"http://moving.example:{port}/", b"{}", {})
    assert tried == [("93.184.216.34", port)] and given == ["93.184.216.34"]


def test_a_name_that_has_moved_inside_is_refused_at_the_next_attempt(
    monkeypatch: pytest.MonkeyPatch, inside: Inside
) -> None:
    url = f"http://moving.example:{inside.server_port}/"
    resolving(monkeypatch, "93.184.216.34", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")
    with watched() as tried:
        with pytest.raises(ConnectionRefusedError):
            post(url, b"{}", {})
        for _ in range(3):
            with pytest.raises(InputError, match="not public"):
                post(url, b"{}", {})
    assert len(tried) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", [
    "http://127.0.0.1:{port}/", "//127.0.0.1:{port}/", "http://169.254.169.254/latest/meta-data/",
    "/again", "file:///etc/passwd", "http://[::1]:{port}/",
])  # fmt: skip
def test_a_redirect_is_not_followed(inside: Inside, status: int, target: str) -> None:
    location = target.format(port=inside.server_port)
    with listening(status, location) as outside, watched(outside.server_port) as tried:
        url = f"http://127.0.0.1:{outside.server_port}/"
        assert post(url, b"{}", {}, lambda address: address == "127.0.0.1")[0] == status
        assert tried == [("127.0.0.1", outside.server_port)] and outside.reached == 1
