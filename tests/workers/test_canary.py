"""A recognisable provider key and bearer key through every error path: they appear nowhere.

Not in answers, errors, traces, exports, the page, events, metrics, logs, the database or any other
file of the workspace (of a bearer key its hash is there), and not on the command line.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import llm_server
from tests.conftest import ASKED, Pilotfish, quoted_by
from tests.llm_server import LLMServer, Received, completion
from tests.workers.conftest import Reply, Service, in_threads, serving, until

pytestmark = pytest.mark.slow
CANARY = "CnryVq81ZkPw0931xyTTbb7"  # of no known shape: only its place in the environment tells
CORE = b"Vq81ZkPw0931"
# Behaviours of tests/llm_server.py by the name of the model that is asked; most repeat the key.
BEHAVED = {
    "bad-key": "status:401", "forbidden": "status:403", "no-credit": "status:402",
    "no-model": "status:404", "limited": "429:1", "bad": "status:400", "broken": "status:500",
    "overloaded": "status:529", "gateway": "status:504", "late": "hang:9", "drips": "drip:9",
    "reset": "reset", "dropped": "drop", "cut": "truncated", "page": "html", "nothing": "empty",
    "choiceless": "no-choices", "null": "null", "blank": "blank", "list": "list", "long": "length",
    "filtered": "filtered", "in-200": "error-in-200", "context": "context", "policy": "policy",
    "usage": "usage:null",
}  # fmt: skip


def key_of(handler: Any) -> str:
    return str(handler.headers.get("Authorization")).partition(" ")[2]


def _elsewhere(handler: Any, _: str) -> None:
    """A redirect to an address with the key in it."""
    handler.send(307, b"", Location=f"http://127.0.0.1:9/v1?api_key={key_of(handler)}")


ECHOES: dict[str, Callable[[Any, str], None]] = {
    "echo-page": lambda one, _: one.send(
        500, f"<html>Bad key {key_of(one)} in {one.headers}</html>".encode(), "text/html"),
    "echo-plain": lambda one, _: one.send(400, f"no: {key_of(one)}".encode(), "text/plain"),
    "echo-deep": lambda one, _: one.send(400, json.dumps(
        {"error": {"message": {"sent": dict(one.headers)}, "code": key_of(one)}}).encode()),
    "echo-list": lambda one, _: one.send(422, json.dumps([key_of(one)]).encode()),
    "echo-text": lambda one, _: one.send(200, json.dumps({"error": f"bad {key_of(one)}"}).encode()),
    "echo-fields": lambda one, _: one.send(200, json.dumps(
        {"choices": [], "id": key_of(one), "detail": dict(one.headers)}).encode()),
    "echo-model": lambda one, _: one.send(200, json.dumps(
        {**completion(one.text()), "model": key_of(one), "id": key_of(one),
         "system_fingerprint": key_of(one)}).encode()),
    "echo-finish": lambda one, _: one.send(
        200, json.dumps(completion("", key_of(one))).encode()),
    "echo-wait": lambda one, _: one.send(429, b"{}", Retry_After=key_of(one)),
    "echo-elsewhere": _elsewhere,
}  # fmt: skip


class Echoing(LLMServer):
    """Behaves as the model's name says."""

    def met(self) -> set[str]:
        """The models that were asked."""
        return {str(each.body["model"]) for each in list(self.requests)}

    def note(self, received: Received) -> str:
        super().note(received)
        name = str(received.body["model"])
        return BEHAVED.get(name) or (name if name in llm_server.MODES else "ok")


# (the command line beside it, a service, an admin's bearer key, the LLM)
Kept = tuple[Pilotfish, Service, str, Echoing]


@dataclass
class Seen:
    """All that came out, by where it came from."""

    came: list[tuple[str, bytes]] = field(default_factory=list)

    def note(self, what: str, reply: Reply) -> Reply:
        self.came.append((what, reply.body + json.dumps(dict(reply.headers)).encode()))
        assert reply.status < 500 or reply.status in {502, 503, 504}, (what, reply.body)
        return reply

    def places_of(self, *secrets: bytes) -> list[str]:
        return [what for what, data in self.came if any(one in data for one in secrets)]


@pytest.fixture(scope="module")
def kept(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A service whose LLM knows the canary."""
    folder = tmp_path_factory.mktemp("canary")
    shutil.copytree(pristine, folder / "workspace")
    llm_server.MODES.update(ECHOES)
    with Echoing(respond=quoted_by) as llm:
        pilotfish = Pilotfish(folder, folder / "workspace").asking(
            llm, OPENAI_API_KEY=CANARY, PILOTFISH_LLM__TIMEOUT=1, PILOTFISH_LLM__ATTEMPTS=1
        )
        with serving(pilotfish, folder, PILOTFISH_SERVICE__BODY_MB=1) as made:
            admin = made.made_key("", admin=True)
            yield pilotfish, admin, str(admin.key), llm
    for name in ECHOES:
        del llm_server.MODES[name]


def ask_all(service: Service, seen: Seen) -> list[str]:
    """A question to every kind of bad LLM, by one of three routes; gives the jobs."""
    models = [f"openai/{name}" for name in (*BEHAVED, *ECHOES)]

    def ask(number: int) -> None:
        model, question = models[number], f"{ASKED} ({models[number]})"
        one = {"question": question, "model": model, "trace": True}
        many = {"questions": [question], "model": model}
        chat = {
            "model": "pilotfish",
            "messages": [{"role": "user", "content": question}],
            "stream": True,
            "pilotfish": {"model": model, "trace": True},
        }
        asked = [("/v1/answers?wait=30", one), ("/v1/jobs", many), ("/v1/chat/completions", chat)]
        path, body = asked[number % len(asked)]
        seen.note(f"{path} {model}", service.post(path, body))

    in_threads(len(models), ask)
    listed = service.get("/v1/jobs?singles=true&limit=1000")
    return [one["id"] for one in seen.note("jobs", listed).json["data"]]


def look_at_all(service: Service, jobs: list[str], seen: Seen) -> None:
    """Whatever shows how they ended, or for which errors they wait."""
    nobody, cookie = service.having(None), f"pilotfish_key={service.key}"
    for number, job in enumerate(jobs):
        service.post(f"/v1/jobs/{job}/cancel")
        for path in ("", "/items", "/results?trace=true"):
            seen.note(f"job{path}", service.get(f"/v1/jobs/{job}{path}"))
        seen.note("page", nobody.get(f"/answers/{job}/0", cookie=cookie))
        if number % 4 == 0:
            seen.note("csv", service.get(f"/v1/jobs/{job}/results?format=csv"))
            seen.note("job page", nobody.get(f"/jobs/{job}", cookie=cookie))
    for path in ("/metrics", "/v1/usage?by=model&everybody=true", "/v1/batches", "/readyz"):
        seen.note(path, service.get(path))


def test_the_providers_key_appears_nowhere(kept: Kept) -> None:
    pilotfish, service, _, llm = kept
    seen, names = Seen(), {*BEHAVED, *ECHOES}
    jobs = ask_all(service, seen)
    assert len(jobs) >= len(names)
    until(lambda: llm.met() >= names, 90)
    look_at_all(service, jobs, seen)
    for number, model in enumerate(("echo-plain", "in-200")):
        named = pilotfish.having(PILOTFISH_LLM__MODEL=f"openai/{model}")
        done = named("--json", "ask", f"{ASKED} {number}", code=None)
        seen.came.append((f"ask {model}", (done.out + done.err).encode()))
    for arguments in (["config", "show"], ["doctor"]):
        done = pilotfish("--json", *arguments, code=None)
        seen.came.append((" ".join(arguments), (done.out + done.err).encode()))
    assert seen.places_of(CORE) == []
    assert files_with(service, CORE) == []
    told = {one for _, data in seen.came for one in re.findall(rb"HTTP (\d+)", data)}
    assert len(told) > 4, told  # the errors were told, only the key in them was not


def files_with(service: Service, *secrets: bytes) -> list[str]:
    """Files of the workspace, and the log, in which one of these stands."""
    paths = [path for path in service.workspace.rglob("*") if path.is_file()] + [service.log]
    return [path.name for path in paths if any(one in path.read_bytes() for one in secrets)]


def misplaced(key: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, more) of requests that carry a key where none belongs."""
    basic = base64.b64encode(f"user:{key}".encode()).decode()
    found: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/v1/jobs", {"authorization": value})
        for value in (key, f"Basic {basic}", f"Token {key}", f"Bearer {key} x", f"Bearer {key}x")
    ]
    found += [("GET", "/v1/jobs", {"x_api_key": key}), ("GET", f"/v1/jobs?api_key={key}", {}),
              ("GET", "/jobs", {"cookie": f"pilotfish_key={key}x"}),
              ("GET", f"/login?next=/{key}", {}), ("GET", f"/{key}", {})]  # fmt: skip
    return found


def mistaken(key: str) -> list[tuple[str, str, Any]]:
    """(method, path, body) of requests of its owner with the key in a field."""
    found: list[tuple[str, str, Any]] = [
        ("POST", path, {"question": ASKED, "query": ASKED, "questions": [ASKED], name: key})
        for path in ("/v1/answers?wait=0", "/v1/search", "/v1/jobs", "/v1/estimates")
        for name in ("model", "recipe", "where", "collection", "webhook_url", "passages", key)
    ]
    found += [(method, path.format(key), None) for method in ("GET", "DELETE", "POST") for path in (
        "/v1/jobs/{0}", "/v1/jobs/{0}/results", "/v1/collections/{0}/documents/x", "/v1/files/{0}",
        "/v1/collections/default/documents/{0}", "/v1/batches/{0}", "/v1/jobs?after={0}", "/v1/{0}",
        "/v1/usage?since={0}", "/v1/usage?by={0}", "/v1/jobs?limit={0}")]  # fmt: skip
    found += [("POST", "/v1/chat/completions", {"model": key, "messages": []}),
              ("POST", "/v1/batches", {"input_file_id": key, "endpoint": key})]  # fmt: skip
    return found


def test_a_bearer_key_appears_nowhere_but_as_its_hash(
    kept: Kept,
) -> None:
    _, service, key, _ = kept
    seen, core = Seen(), key[5:25].encode()
    nobody = service.having(None)
    for method, path, headers in misplaced(key):
        seen.note(f"{method} {path} {headers}", nobody(method, path, **headers))
    for method, path, body in mistaken(key):
        seen.note(f"{method} {path} {body}", service(method, path, body))
    for raw, kind in (
        (b"{", "application/json"),
        (b"\xff", "text/plain"),
        (b"", ""),
        (b"x" * 1_000_001, "application/json"),
        (b"--", "multipart/form-data"),
    ):
        seen.note(f"a body {kind}", service("POST", "/v1/jobs", raw=raw, content_type=kind))
    seen.note("a bad file", service.upload("/v1/jobs", {"q.xlsx": b"PK\x03\x04 no"}))
    job = service.upload("/v1/collections/bad/documents", {"bad.pdf": b"%PDF-1.7 no"}).json["id"]
    seen.note("a bad document", service.get(f"/v1/jobs/{service.ended(job)['id']}/results"))
    limited = service.made_key("", requests_per_minute=1)
    for _ in range(2):
        seen.note("limited", limited.get("/v1/jobs"))
    broken(service)
    cores = [core, str(limited.key)[5:25].encode()]
    told = [what for what in seen.places_of(*cores) if "login?next" not in what]
    assert told == []
    assert files_with(service, *cores) == []
    database = b"".join(path.read_bytes() for path in service.workspace.glob("pilotfish.db*"))
    assert hashlib.sha256(key.encode()).hexdigest().encode() in database


def broken(service: Service) -> None:
    """Requests that end in the middle, with the key in their heads."""
    head = f"POST /v1/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {service.key}\r\n"
    for rest in ("", "\r\n", "content-length: 9\r\n\r\n{", "content-length: x\r\n\r\n", "\0\r\n"):
        with socket.create_connection((service.host, service.port), 5) as connection:
            connection.sendall((head + rest).encode())
