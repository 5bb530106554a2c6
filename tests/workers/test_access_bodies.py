"""Bodies that nobody should send: odd, broken, too large, too slow. Never a 5xx, never a hang."""

from __future__ import annotations

import json
import random
import socket
import time

import pytest

from tests.conftest import ASKED
from tests.workers.conftest import Service, multipart

pytestmark = pytest.mark.slow
POSTS = ("/v1/answers", "/v1/search", "/v1/jobs", "/v1/estimates",
         "/v1/collections/default/documents", "/v1/jobs/job_x/retry")  # fmt: skip
VALUES = [None, True, 0, -1, 1e308, 10**40, "", "\0", "\ud800", "x" * 5000, [], [[]], {}, [None],
          {"a": {"b": []}}, "../../etc", "' OR 1=1 --", "\u202e\u0007", [1] * 500]  # fmt: skip
FIELDS = ("question", "questions", "query", "collection", "recipe", "model", "where", "passages",
          "max_calls", "budget_usd", "budget_tokens", "deadline", "on_unknown", "on_budget",
          "webhook_url", "name", "skip_invalid", "custom_id", "k", "retriever", "states",
          "trace")  # fmt: skip
RAW = [b"", b"{", b"[", b"nul", b"\xff\xfe", b"\x00" * 100, b'{"a":' * 50_000, b"[" * 100_000,
       b'{"question": NaN}', b'{"questions": [1e999]}', b'{"question": "\\ud800"}', b'"text"',
       b'{"questions": ["\\u0000"]}', b"--limit\r\n\r\n--limit--", b"--limit", b"1" * 5000,
       b'{"question":"a","question":1}', b'\xef\xbb\xbf{"question":"a?"}', b"{}" * 10]  # fmt: skip
KINDS = ("application/json", "multipart/form-data; boundary=limit", "multipart/form-data",
         "text/plain", "application/json; charset=utf-16", "")  # fmt: skip


def fine(status: int) -> bool:
    return 200 <= status < 500


def test_raw_bytes_of_any_kind_are_answered_with_a_client_error(service: Service) -> None:
    for path in POSTS:
        for raw in RAW:
            for kind in KINDS:
                reply = service("POST", path, raw=raw, content_type=kind)
                assert fine(reply.status), (path, raw[:40], kind, reply.body)
                if reply.status >= 400:
                    assert reply.error["message"]


def test_odd_values_in_any_field_are_answered_with_a_client_error(service: Service) -> None:
    good = {"question": ASKED, "questions": [ASKED], "query": ASKED}
    first = {"/v1/answers": "question", "/v1/search": "query"}
    for path in POSTS:
        need = first.get(path, "questions")
        for name in FIELDS:
            for value in VALUES:
                body = {need: good[need], name: value} if "retry" not in path else {name: value}
                reply = service("POST", f"{path}?wait=0" if "answers" in path else path, body)
                assert fine(reply.status), (path, name, value, reply.body)


def test_odd_lines_and_files_are_answered_with_a_client_error(service: Service) -> None:
    chance = random.Random(7)
    names = ["q.jsonl", "q.csv", "q.xlsx", "q.tsv", "q.txt", "q", "q.json"]
    samples = [json.dumps({"question": ASKED, "turns": turns, "where": where}).encode()
               for turns in VALUES[:-1] for where in (None, 3, "year >=", "\0")]  # fmt: skip
    samples += [chance.randbytes(200) for _ in range(40)]
    samples += [b"PK\x03\x04" + chance.randbytes(100), b"question\n" + b"\xff" * 10, b",,,\n,,\n"]
    for sample in samples:
        reply = service.upload("/v1/estimates", {chance.choice(names): sample})
        assert fine(reply.status), (sample, reply.body)


def test_odd_paths_and_queries_are_answered_with_a_client_error(service: Service) -> None:
    odd = ["%00", "%ff", "%ed%a0%80", "..%2f..", "a" * 3000, "'", "-1", "nan", "1e999", "%0a"]
    for value in odd:
        for path in (f"/v1/jobs/{value}", f"/v1/jobs/{value}/results?format={value}",
                     f"/v1/jobs?after={value}&limit=5", f"/v1/jobs?limit={value}",
                     f"/v1/collections/default/documents/{value}", f"/v1/collections/{value}/x",
                     f"/v1/usage?since={value}", f"/v1/usage?by={value}", f"/{value}",
                     f"/v1/collections/default/documents?after={value}",
                     f"/v1/jobs/{value}/events"):  # fmt: skip
            for method in ("GET", "DELETE", "PUT", "PATCH", "OPTIONS"):
                reply = service(method, path)
                assert fine(reply.status), (method, path, reply.body)


def test_a_large_body_is_refused_by_what_it_announces(service: Service) -> None:
    reply = service("POST", "/v1/jobs", raw=b"x" * 2_000_001, content_type="application/json")
    assert reply.status == 413 and reply.error["code"] == "too_large"


def test_a_client_that_sends_its_large_body_slowly_can_still_read_why(service: Service) -> None:
    head = f"POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {service.key}\r\n"
    head += "content-type: application/json\r\ncontent-length: 2000100\r\n\r\n"
    with socket.create_connection((service.host, service.port), 20) as connection:
        connection.sendall(head.encode())
        for _ in range(10):
            time.sleep(0.05)
            connection.sendall(b"x" * 200_010)
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_client_that_waits_to_be_told_to_continue_is_refused_at_once(service: Service) -> None:
    head = f"POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {service.key}\r\n"
    head += "expect: 100-continue\r\ncontent-length: 2000100\r\n\r\n"
    with socket.create_connection((service.host, service.port), 20) as connection:
        began = time.monotonic()
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=limit"])
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/answers"])
def test_a_large_body_that_announces_nothing_is_cut_off(
    service: Service, path: str, kind: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {service.key}\r\n"
    head += f"content-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
    block = b"--limit\r\ncontent-disposition: form-data; name=file; filename=a\r\n\r\n"
    with socket.create_connection((service.host, service.port), 20) as connection:
        connection.sendall(head.encode())
        try:
            for _ in range(60):
                connection.sendall(b"%x\r\n%s\r\n" % (len(block), block))
                block = b"x" * 100_000
        except OSError:
            pass  # it hung up, which is what it should do
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413") or (path == "/v1/answers" and b" 4" in answer[:13])


def test_a_slow_body_is_given_up_and_does_not_hold_others(service: Service) -> None:
    head = f"POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {service.key}\r\n"
    head += "content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
    slow = [socket.create_connection((service.host, service.port), 60) for _ in range(80)]
    for connection in slow:
        connection.sendall(head.encode())
    began = time.monotonic()
    assert service.get("/v1/jobs").status == 200
    assert time.monotonic() - began < 5
    while time.monotonic() - began < 31:
        slow[0].sendall(b" ")
        time.sleep(2)
    for connection in slow:
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")
        connection.close()


def test_a_body_at_the_limit_is_taken(service: Service) -> None:
    line = json.dumps({"question": ASKED}) + "\n"
    raw, kind = multipart({"q.jsonl": line.encode() + b"\n" * 1_990_000}, {})
    assert service("POST", "/v1/estimates", raw=raw, content_type=kind).status == 200
