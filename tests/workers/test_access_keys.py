"""Who may do what: every route without a key, with another tenant's, with guessed ids."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import keys
from tests.conftest import ASKED, Pilotfish
from tests.llm_server import LLMServer
from tests.workers.conftest import Reply, Service, in_threads, serving, started

pytestmark = pytest.mark.slow
SECRET = "The vault code of the northern depot is kept by Ms Albrecht."
OPEN = {"/livez", "/readyz", "/version"}
UPLOAD = ("POST", "/v1/collections/{name}/documents")  # makes a collection of the asker's own


def routes(service: Service) -> list[tuple[str, str]]:
    """(method, path) of every documented route."""
    paths = service.get("/openapi.json").json["paths"]
    return [(method.upper(), path) for path, ways in paths.items() for method in ways]


def filled(path: str, job: str, name: str, key: str) -> str:
    parts = {"{job_id}": job, "{name}": name, "{key}": key, "{ordinal}": "0"}
    for part, value in parts.items():
        path = path.replace(part, value)
    return path


def asked(service: Service, method: str, path: str) -> Reply:
    """A request that would succeed for the owner."""
    if method == "POST" and path.endswith("/documents"):
        return service.upload(path, {"x.md": b"# X\n\nSomething else entirely is said here.\n"})
    bodies = {"/v1/answers": {"question": ASKED, "collection": "vault"},
              "/v1/search": {"query": ASKED, "collection": "vault"},
              "/v1/jobs": {"questions": [ASKED], "collection": "vault"},
              "/v1/estimates": {"questions": [ASKED], "collection": "vault"}}  # fmt: skip
    if path.endswith("/feedback"):
        return service(method, path, {"right": True})
    return service(method, path, bodies.get(path) if method == "POST" else None)


@pytest.fixture(scope="module")
def held(service: Service) -> tuple[Service, str]:
    """(a tenant who holds a collection `vault` with one document, the id of a job over it)."""
    owner = service.made_key("holder")
    files = {"secret.md": f"# Vault\n\n{SECRET}\n".encode()}
    made = owner.upload("/v1/collections/vault/documents", files).json
    owner.ended(made["id"])
    line = owner.post("/v1/answers", {"question": ASKED, "collection": "vault"}).json
    return owner, line["job"]


def test_every_route_but_the_open_ones_wants_a_key(service: Service) -> None:
    found = routes(service)
    assert len(found) > 20
    for method, path in found:
        reply = asked(service.having(None), method, filled(path, "job_1", "default", "a"))
        if path in OPEN:
            assert reply.status == 200
        elif path == "/metrics":
            assert reply.status == 200  # from this machine
        else:
            assert reply.status == 401, (method, path)
            assert reply.error["type"] == "authentication_error"
            assert reply.headers["www-authenticate"] == "Bearer"


def test_unknown_and_expired_keys_are_refused_everywhere(service: Service) -> None:
    expired = service.made_key("late")
    with service.database() as database, database.write() as connection:
        (key,) = [key for key in keys.listing(connection) if key.tenant == "late"]
        keys.expire(connection, key.id)
    for method, path in routes(service):
        if path not in OPEN:
            for asker in (expired, service.having("pf-guessed")):
                assert asked(asker, method, filled(path, "job_1", "default", "a")).status == 401
    for header in ("Basic abc", "Bearer", "pf-guessed", "Bearer \xff"):
        assert service.having(None).get("/v1/jobs", authorization=header).status == 401


def test_nothing_of_a_tenant_crosses_to_another(
    service: Service, held: tuple[Service, str]
) -> None:
    _, job = held
    for asker in (service.made_key("thief"), service, service.made_key("hold")):
        for method, path in routes(service):
            if path in OPEN or path == "/metrics" or (method, path) == UPLOAD:
                continue
            where = filled(path, job, "vault", "secret.md")
            reply = asked(asker, method, where)
            assert b"Albrecht" not in reply.body and b"holder" not in reply.body, (method, where)
            if "{" in path:
                assert reply.status == 404, (method, where)
                other = filled(path, "job_" + "0" * 24, "guessed", "guessed.md")
                assert shape(asked(asker, method, other)) == shape(reply)
    owner, job = held
    assert owner.get(f"/v1/jobs/{job}").status == 200
    assert owner.get("/v1/collections/vault/documents/secret.md").status == 200


def shape(reply: Reply) -> tuple[int, str]:
    """What tells a guessed id from another's, if anything."""
    return reply.status, reply.error["code"]


def test_a_tenant_cannot_name_the_stored_collection_of_another(
    service: Service, held: tuple[Service, str]
) -> None:
    for name in ("holder~vault", "../holder~vault", "holder~"):
        reply = service.post("/v1/search", {"query": ASKED, "collection": name})
        assert reply.status in {404, 422} and b"Albrecht" not in reply.body


def test_errors_name_no_collection_of_others(service: Service, held: tuple[Service, str]) -> None:
    reply = service.post("/v1/search", {"query": ASKED, "collection": "missing"})
    assert reply.status == 404 and "vault" not in reply.error["message"]


def test_metrics_and_everybodys_usage_need_an_admin(service: Service) -> None:
    plain, admin = service.made_key("acme"), service.made_key("", admin=True)
    assert plain.get("/metrics").status == 403
    assert plain.get("/v1/usage?everybody=true").status == 403
    assert admin.get("/metrics").status == 200
    assert admin.get("/v1/usage?everybody=true").status == 200
    proxied = service.having(None).get("/metrics", x_forwarded_for="203.0.113.9")
    assert proxied.status == 401


def test_a_key_has_its_requests_per_minute(service: Service) -> None:
    limited = service.made_key("acme", requests_per_minute=3)
    replies = [limited.get("/v1/jobs") for _ in range(5)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429, 429]
    assert replies[-1].error["code"] == "rate_limit" and int(replies[-1].headers["retry-after"]) > 5
    assert service.get("/v1/jobs").status == 200


def test_a_key_has_its_requests_at_once(own: Service, llm: LLMServer) -> None:
    llm.latency = 2
    limited = own.made_key("", concurrency=2)

    def work(number: int) -> int:
        time.sleep(number * 0.1)
        return limited.post("/v1/answers", {"question": f"{ASKED} {number}"}).status

    assert sorted(in_threads(4, work)) == [200, 200, 429, 429]
    assert limited.get("/v1/jobs").status == 200


def test_without_any_key_this_machine_is_let_in_and_nobody_in_its_name(own: Service) -> None:
    assert own.get("/v1/collections").status == 200
    port = own.port
    refused = [
        {"host": "evil.example"},  # DNS rebinding
        {"host": f"evil.example:{port}"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"x_forwarded_for": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
    ]
    for headers in refused:
        assert own.get("/v1/collections", **headers).status == 401, headers
    same = f"http://127.0.0.1:{port}"
    assert own.get("/v1/collections", origin=same, host=f"127.0.0.1:{port}").status == 200


def test_the_first_key_ends_access_without_one(own: Service) -> None:
    assert own.get("/v1/collections").status == 200
    keyed = own.made_key("")
    assert own.get("/v1/collections").status == 401
    assert keyed.get("/v1/collections").status == 200


def test_other_machines_need_a_key(mine: Pilotfish, llm: LLMServer, tmp_path: Path) -> None:
    address = this_machine()
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with serving(mine.asking(llm), tmp_path, PILOTFISH_SERVICE__HOST="0.0.0.0") as made:
        outside = Service(address, made.port, made.workspace, made.log, made.pid)
        assert outside.get("/v1/collections").status == 401
        assert outside.get("/metrics").status == 401
        assert outside.get("/livez").status == 200
        assert made.get("/v1/collections").status == 200


def this_machine() -> str:
    """The address that others see; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.fixture
def by_socket(mine: Pilotfish, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "s.sock"
    with started(mine, tmp_path, str(path)) as (where, _, _):
        assert where == {"socket": str(path)}
        yield path
    assert not path.exists()


def test_a_unix_socket_is_for_its_owner_alone(by_socket: Path) -> None:
    assert by_socket.stat().st_mode & 0o777 == 0o600
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(by_socket))
    connection.request("GET", "/v1/collections")
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    assert answer.status == 200 and found["data"][0]["name"] == "default"


def test_secrets_stand_in_no_log(service: Service) -> None:
    service.having("pf-canary-canary-canary").get("/v1/jobs")
    service.post("/v1/jobs", {"questions": ["canary question?"], "recipe": "canary"})
    text = service.log.read_text()
    assert "canary" not in text and str(service.key) not in text
