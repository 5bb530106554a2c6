"""Every route that the application has, asked by those who may not: nothing crosses.

The routes are read from the application itself, the page's among them, so that a new one is swept
without being named here; one with a new kind of id fails until FILL knows it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pilotfish.settings import Settings
from tests.conftest import ASKED
from tests.workers.conftest import Reply, Service
from workers.api import create_app
from workers.inline import InlineBell
from workers.process import Process

pytestmark = pytest.mark.slow
MARK = "xylomancer"  # stands in all that the victim has: texts, questions, names
VAULT = f"# Vault\n\nThe {MARK} keeps the code of the northern depot in a blue tin.\n"
OPEN = {"/livez", "/readyz", "/version", "/openapi.json", "/static/{name}"}
# They make or show a collection of the asker's own, whatever another tenant calls its own.
OWN = {("POST", "/v1/collections/{name}/documents"), ("POST", "/documents/{name}/upload"),
       ("GET", "/documents/{name}")}  # fmt: skip
NOBODYS = {"/v1/models/{name}", "/static/{name}"}
Routes = list[tuple[str, str]]


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routes]:
    """(method, path) of everything the application answers to."""
    process = Process(Settings(workspace=tmp_path_factory.mktemp("routes") / "w"))
    bell = InlineBell(lambda *_: None, 1)
    app = create_app(process, bell)
    found = {(method, route.path) for route in walked(app.routes) for method in route.methods}
    found |= {("GET", "/login"), ("POST", "/login"), ("POST", "/logout")}  # the page's door
    yield sorted(found)
    app.state.jobs.waiting.close()
    bell.close()
    process.close()


def walked(routes: Iterable[Any]) -> Iterator[Any]:
    """Each route, also those of routers that were included."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from walked(inner.routes)


@dataclass(frozen=True)
class Victim:
    """A tenant with one of everything. `ids`: what stands in paths and bodies of its own."""

    service: Service
    ids: dict[str, str]

    def state(self) -> list[Any]:
        """Everything it can see of itself."""
        job = f"/v1/jobs/{self.ids['job_id']}"
        paths = ("/v1/collections", "/v1/collections/attic/documents", "/v1/files", "/v1/batches",
                 f"/v1/collections/attic/documents/{self.ids['key']}", "/v1/jobs?singles=true", job,
                 f"{job}/items", "/v1/usage")  # fmt: skip
        return [self.service.get(path).json for path in paths] + [
            self.service.get(f"{job}/results").body
        ]


@pytest.fixture(scope="module")
def victim(service: Service) -> Victim:
    owner = service.made_key(f"holder-{MARK}")
    key = f"{MARK}/secret.md"
    made = owner.upload("/v1/collections/attic/documents", {key: VAULT.encode()}).json
    owner.ended(made["id"])
    body = {"questions": [f"What does the {MARK} keep?"], "collection": "attic", "name": MARK,
            "webhook_url": f"https://webhook.invalid/{MARK}"}  # fmt: skip
    job = owner.post("/v1/jobs", body).json
    line = {"custom_id": MARK, "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": "pilotfish", "messages": [{"role": "user", "content": f"{MARK}?"}],
        "pilotfish": {"collection": "attic"}}}  # fmt: skip
    raw = {f"{MARK}.jsonl": json.dumps(line).encode()}
    file = owner.upload("/v1/files", raw, {"purpose": "batch"}).json["id"]
    wanted = {"input_file_id": file, "endpoint": "/v1/chat/completions"}
    batch = owner.post("/v1/batches", {**wanted, "completion_window": "24h"}).json["id"]
    assert owner.ended(job["id"])["counts"] and owner.ended(batch)["state"].startswith("completed")
    ids = {"job_id": job["id"], "batch_id": batch, "key": key, "file": file, "ordinal": "0",
           "cite": "1", "verb": "cancel", "secret": job["webhook_secret"]}  # fmt: skip
    return Victim(owner, ids)


GUESSED = {"job_id": "job_" + "0" * 24, "batch_id": "job_" + "1" * 24, "key": "guessed.md",
           "file": "file-" + "0" * 24, "ordinal": "0", "cite": "1", "verb": "cancel"}  # fmt: skip


def filled(path: str, ids: dict[str, str]) -> str:
    """The path with ids in it; fails on a kind of id that the sweep does not know."""
    places = {**ids, "name": "attic" if "file" in ids and "secret" in ids else "guessed"}
    for prefix, name in (("/v1/files", ids["file"]), ("/v1/models", "pilotfish"),
                         ("/static", "page.css")):  # fmt: skip
        if path.startswith(prefix):
            places["name"] = name
    for place in re.findall(r"{(\w+)(?::\w+)?}", path):
        assert place in places, f"{path} has a new kind of id: teach FILL about {place!r}"
        path = re.sub(rf"{{{place}(:\w+)?}}", places[place], path)
    return path


def asked(asker: Service, method: str, path: str, spec: Any, ids: dict[str, str]) -> Reply:
    """A request that would succeed for the owner of these ids."""
    there = filled(path, ids)
    if method in {"GET", "HEAD", "DELETE"}:
        return asker(method, there)
    if not there.startswith("/v1/"):
        return form(asker, there)
    content = spec["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return asker.upload(there, {"x.md": b"# X\n\nSomething else entirely is said here.\n"})
    return asker(method, there, body_of(content["application/json"]["schema"], spec, ids))


def body_of(schema: Any, spec: Any, ids: dict[str, str]) -> dict[str, Any]:
    """The schema's example, over the victim's collection and file."""
    choices = [schema, *schema.get("anyOf", ())]
    name = next((one["$ref"].rpartition("/")[2] for one in choices if "$ref" in one), None)
    found = spec["components"]["schemas"][name] if name else schema
    body = dict(next(iter(found.get("examples", ())), {}))
    chat = {"collection": "attic"}
    own = {"collection": "attic", "input_file_id": ids["file"], "pilotfish": chat,
           "endpoint": "/v1/chat/completions"}  # fmt: skip
    return body | {key: own[key] for key in found.get("properties", {}) if key in own}


def form(asker: Service, path: str) -> Reply:
    """A form of the page as a browser sends it, with the asker's own token."""
    cookie = f"pilotfish_key={asker.key}" if asker.key else ""
    page = asker.having(None).get("/usage" if cookie else "/login", cookie=cookie)
    token = re.search(rb"\?token=([0-9a-f]+)", page.body)
    fields = f"question={ASKED}&questions={ASKED}&collection=attic".replace(" ", "+").encode()
    kind = "application/x-www-form-urlencoded"
    return asker.having(None)(
        "POST", f"{path}?token={token[1].decode() if token else ''}", raw=fields, content_type=kind,
        origin=f"http://{asker.host}:{asker.port}", cookie=cookie,
    )  # fmt: skip


def check_nothing_crossed(reply: Reply, victim: Victim, what: object) -> None:
    told = reply.body + json.dumps(dict(reply.headers)).encode()
    for each in (MARK, "blue tin", "northern depot", victim.ids["secret"]):
        assert each.encode() not in told, (what, each)
    assert reply.status < 500, (what, reply.body)


def test_without_a_key_no_route_but_the_open_ones_tells_anything(
    service: Service, routes: Routes, victim: Victim
) -> None:
    assert len(routes) > 50
    spec, nobody = service.get("/openapi.json").json, service.having(None)
    for method, path in routes:
        reply = asked(nobody, method, path, spec, victim.ids)
        check_nothing_crossed(without_request(reply, path), victim, (method, path))
        if path in OPEN:
            assert reply.status == 200, path
        elif path.startswith("/v1/"):
            assert reply.status == 401 and reply.error["type"] == "authentication_error", path
        elif path not in {"/metrics", "/login", "/logout"}:  # pages lead to the login
            assert reply.status in {303, 401, 403, 405}, (method, path)
            assert reply.status != 303 or reply.headers["location"].startswith("/login"), path


def without_request(reply: Reply, path: str) -> Reply:
    """The page leads back to what was asked for, so its address stands in `location`."""
    kept = {k: v for k, v in reply.headers.items() if k != "location" or "{" not in path}
    return Reply(reply.status, kept, reply.body)


def test_the_same_requests_show_the_owner_what_is_his(
    service: Service, routes: Routes, victim: Victim
) -> None:
    spec, told = service.get("/openapi.json").json, 0
    for method, path in routes:
        if method == "GET" and "{" in path:
            reply = asked(victim.service, method, path, spec, victim.ids)
            assert reply.status == 200, (path, reply.body[:300])
            told += MARK.encode() in reply.body
    assert told > 10


WRONG = ("Basic {key}", "Bearer", "Bearer ", "{key}", "Token {key}", "Bearer {key}x",
         "Bearer x{key}",
         "Bearer {upper}", "Bearer {sha}", "Bearer ' OR 1=1 --", "Bearer pf-", "Bearer {long}",
         "Bearer {key},{key}", "Bearer null", "Bearer \xff")  # fmt: skip


def test_no_route_takes_a_credential_that_is_not_a_key(
    service: Service, routes: Routes, victim: Victim
) -> None:
    key = str(victim.service.key)
    sha = hashlib.sha256(key.encode()).hexdigest()
    spec = service.get("/openapi.json").json
    for header in WRONG:
        sent = header.format(key=key, upper=key.upper(), sha=sha, long="x" * 5000)
        for method, path in routes:
            if path.startswith("/v1/") and method in {"GET", "DELETE"}:
                reply = service.having(None)(method, filled(path, victim.ids), authorization=sent)
                assert reply.status == 401, (header, method, path)
                assert key.encode() not in reply.body
    assert spec["paths"]


def test_nothing_of_a_tenant_crosses_by_any_route(
    service: Service, routes: Routes, victim: Victim
) -> None:
    before, spec = victim.state(), service.get("/openapi.json").json
    thieves = [service.made_key("thief"), service, service.made_key("holder"),
               service.made_key("boss", admin=True)]  # fmt: skip
    for asker in thieves:
        for method, path in routes:
            if path in OPEN or (method, path) in OWN:
                continue
            what = (method, path)
            reply = asked(asker, method, path, spec, victim.ids)
            check_nothing_crossed(blanked(reply, victim.ids), victim, what)
            if "{" in path and path not in NOBODYS:
                assert reply.status == 404, (what, reply.status, reply.body[:300])
                guessed = asked(asker, method, path, spec, GUESSED)
                assert guessed.status == 404, what
                if path.startswith("/v1/"):
                    assert guessed.error["code"] == reply.error["code"], what
    assert victim.state() == before


ODD = ("99999999999999999999", "-1", "1e9", "%00", "%ff", "%ed%a0%80", "..%2f..", "x" * 2000, "%0a")


def test_odd_ids_are_no_bug_of_ours_on_any_route(
    service: Service, routes: Routes, victim: Victim
) -> None:
    for method, path in routes:
        places = re.findall(r"{(\w+)(?::\w+)?}", path) if method in {"GET", "DELETE"} else []
        for place in places:
            for odd in ODD:
                there = filled(re.sub(rf"{{{place}(:\w+)?}}", odd, path, count=1), victim.ids)
                reply = victim.service(method, there)
                assert reply.status < 500, (method, there[:100], reply.body[:200])
    for query in ("start=9&end=9", "at=9", "start=0&end=9", "cite=9", "after=9", "limit=9"):
        for path in (f"/documents/attic/view/{victim.ids['key']}", "/jobs",
                     f"/answers/{victim.ids['job_id']}/0", "/documents/attic"):  # fmt: skip
            asked_for = f"{path}?{query}".replace("9", "9" * 20)
            assert victim.service.get(asked_for).status < 500, asked_for


def blanked(reply: Reply, ids: dict[str, str]) -> Reply:
    """Without the ids that the asker sent: an error repeats what was asked for."""
    body = reply.body
    for value in (ids["key"], ids["key"].replace("/", "%2F"), ids["job_id"]):
        body = body.replace(value.encode(), b"?")
    return Reply(reply.status, reply.headers, body)


def test_a_collection_of_the_same_name_is_the_askers_own(service: Service, victim: Victim) -> None:
    before, thief = victim.state(), service.made_key("copycat")
    assert "no collection 'attic'" in thief.get("/v1/collections/attic/documents").error["message"]
    listed = thief.having(None).get("/documents/attic", cookie=f"pilotfish_key={thief.key}")
    check_nothing_crossed(listed, victim, "an empty page")
    made = thief.upload("/v1/collections/attic/documents", {"x.md": b"# X\n\nOnly herons here.\n"})
    assert made.status == 201 and thief.ended(made.json["id"])["state"] == "completed"
    found = thief.post("/v1/search", {"query": "What is kept in the tin?", "collection": "attic"})
    assert {one["document"] for one in found.json["data"]} == {"x.md"}
    assert thief("DELETE", "/v1/collections/attic").status == 204
    assert victim.state() == before
