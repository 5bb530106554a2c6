"""Many tenants with look-alike documents, and random queries of each: does anything cross?

`sweep(service, tenants, queries)` is called small by a test and at full size by the benchmark. A
tenant's documents hold a marker that stands nowhere else; queries never hold one, so whoever sees
another's marker or id sees what is not his. Not here: routes and ids one by one
(test_access_sweep.py).
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from store.keys import SEPARATOR
from tests.workers.conftest import Reply, Service

PLACES = ("depot", "harbour", "canteen", "workshop", "archive")
THINGS = ("password", "keeper", "opening hour", "spare part", "colour")
IDS = re.compile(rb"(?:job|key|req)_[0-9a-f]{12,24}|file-(?:output-|error-)?[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Tenant:
    """`marker` stands in all of its documents and in nothing else of anybody's."""

    name: str
    marker: str
    service: Service
    ids: set[bytes] = field(default_factory=set)  # of jobs and files that it was given


@dataclass(slots=True)
class Swept:
    """What a sweep did and found; `crossings` should be empty."""

    tenants: int
    queries: int = 0
    failed: int = 0
    own_markers: int = 0  # answers in which the asker's own marker stands: the check can bite
    rows: int = 0  # of the database that were looked through
    crossings: list[str] = field(default_factory=list)


def sweep(service: Service, tenants: int = 20, queries: int = 500, *, threads: int = 8,
          seed: int = 7) -> Swept:  # fmt: skip
    """Fill, ask from several threads, then look through answers, the database and the log."""
    held = settled(service, tenants, seed)
    found = Swept(tenants)
    mutex = threading.Lock()

    def work(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        for _ in range(number, queries, threads):
            asker = chance.choice(held)
            reply = KINDS[chance.choice(list(KINDS))](asker, chance)
            with mutex:
                judged(found, held, asker, reply)

    ones = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for one in ones:
        one.start()
    for one in ones:
        one.join()
    look_through(service, held, found)
    return found


def settled(service: Service, count: int, seed: int) -> list[Tenant]:
    """Tenants with a collection each, all of them called alike and saying nearly the same."""
    chance = random.Random(seed)
    held = []
    for number in range(count):
        marker = "zq" + "".join(chance.choices("bcdfghjklmnprstvwx", k=14))
        name = f"sweep-{seed}-{number}"
        held.append(Tenant(name, marker, service.made_key(name)))
    waiting = [(one, _upload(one)) for one in held]
    for one, job in waiting:
        view = one.service.ended(job, 300)
        assert view["state"] == "completed", view["reasons"]
    return held


def _upload(tenant: Tenant) -> str:
    rows = [
        {"id": f"{place}-{thing}", "title": place.title(), "place": place, "text":
         f"The {thing} of the {place} is {tenant.marker}. Ask the warden of the {place}."}
        for place in PLACES for thing in THINGS[:3]
    ]  # fmt: skip
    rows.append({"id": "shared", "title": "Rules", "text": "Everybody wears a helmet on the quay."})
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    reply = tenant.service.upload("/v1/collections/stock/documents", {"stock.jsonl": data})
    assert reply.status == 201, reply.body
    tenant.ids.update(IDS.findall(reply.body))
    return str(reply.json["id"])


def _question(chance: random.Random) -> str:
    place, thing = chance.choice(PLACES), chance.choice(THINGS)
    return chance.choice([
        f"What is the {thing} of the {place}?", f"Tell me the {thing} that the {place} has.",
        f"Who is the warden of the {place}?", "What does everybody wear on the quay?",
        f"{place} {thing}", f"Which {thing} do the others have?",
    ])  # fmt: skip


def _answer(asker: Tenant, chance: random.Random) -> Reply:
    body = {"question": _question(chance), "collection": "stock", "trace": True}
    return asker.service.post("/v1/answers", body)


def _chat(asker: Tenant, chance: random.Random) -> Reply:
    messages = [{"role": "user", "content": _question(chance)}]
    options = {"collection": "stock", "trace": True}
    body = {"model": "pilotfish", "messages": messages, "pilotfish": options}
    return asker.service.post("/v1/chat/completions", body)


def _search(asker: Tenant, chance: random.Random) -> Reply:
    kind, k = chance.choice(["bm25", "dense", "fused"]), chance.choice([3, 10, 100])
    body: dict[str, Any] = {"query": _question(chance), "collection": "stock", "k": k}
    if chance.random() < 0.3:
        body["where"] = f"place = '{chance.choice(PLACES)}'"
    return asker.service.post("/v1/search", {**body, "retriever": kind})


def _look(asker: Tenant, chance: random.Random) -> Reply:
    jobs = [one.decode() for one in list(asker.ids) if one.startswith(b"job_")]
    job = chance.choice(jobs)
    return asker.service.get(chance.choice([
        "/v1/jobs?singles=true&limit=1000", "/v1/collections/stock/documents", "/v1/collections",
        "/v1/usage?by=job", "/v1/files", "/v1/batches", f"/v1/jobs/{job}", f"/v1/jobs/{job}/items",
        f"/v1/jobs/{job}/results?trace=true", "/v1/collections/stock/documents/shared",
    ]))  # fmt: skip


KINDS: Mapping[str, Callable[[Tenant, random.Random], Reply]] = {
    "answer": _answer, "chat": _chat, "search": _search, "look": _look,
}  # fmt: skip


def judged(found: Swept, held: Iterable[Tenant], asker: Tenant, reply: Reply) -> None:
    """Note whether anything of another tenant stands in the reply."""
    found.queries += 1
    found.failed += reply.status != 200
    found.own_markers += asker.marker.encode() in reply.body
    asker.ids.update(one for one in IDS.findall(reply.body))
    for other in held:
        if other is asker:
            continue
        crossed = [one for one in (other.marker.encode(), other.name.encode() + b"\"")
                   if one in reply.body]  # fmt: skip
        crossed += [one for one in other.ids & set(IDS.findall(reply.body))
                    if not one.startswith(b"req_")]  # fmt: skip
        found.crossings += [f"{asker.name} saw {one!r} of {other.name}" for one in crossed]


# What each row belongs to, and what must not hold another's marker.
ROWS = {
    "items": "SELECT jobs.tenant, items.question, items.result, items.error FROM items "
             "JOIN jobs ON jobs.id = items.job_id",
    "ledger": "SELECT tenant, reply, error, usage FROM ledger",
    "jobs": "SELECT tenant, parameters, reason, notes FROM jobs",
    "passages": "SELECT collections.name, passages.text FROM passages "
                "JOIN collections ON collections.id = passages.collection_id",
    "files": "SELECT tenant, name, sha256 FROM files",
}  # fmt: skip


def look_through(service: Service, held: Iterable[Tenant], found: Swept) -> None:
    """Stored answers, traces and cached replies belong to whom they speak of; the log says
    nothing of any.
    """
    owner_of = {tenant.marker: tenant.name for tenant in held}
    marker = re.compile("|".join(owner_of))
    with service.database() as database, database.read() as connection:
        for name, query in ROWS.items():
            for tenant, *columns in connection.execute(text(query)):
                found.rows += 1
                owner = str(tenant).partition(SEPARATOR)[0]
                others = {owner_of[one] for one in marker.findall(json.dumps(columns, default=str))}
                found.crossings += [f"{name} of {owner!r} holds {o!r}'s" for o in others - {owner}]
    if said := marker.search(service.log.read_text(errors="replace")):
        found.crossings.append(f"the log holds {said[0]!r}")
