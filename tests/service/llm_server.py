"""OpenAI's chat completions as a process of its own, which counts what it is asked.

    python -m tests.service.llm_server --latency 0.1        prints: listening on http://.../v1

It answers with the first sentence of the prompt's first passage and that passage's citation key,
so the same prompt has the same answer. GET /counts tells requests per Idempotency-Key, the most
in flight at once and its own CPU seconds; POST /plan says how to behave (`Plan`), POST /reset
forgets. Standard library only: its CPU time is measured beside ours. Not here: streaming;
behaviours (misbehaviour.py); the server inside a test's own process (tests/llm_server.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.service.misbehaviour import PAID, Exchange, behave, checked

HEAD_LIMIT = 1 << 16


@dataclass(slots=True)
class Plan:
    """How to behave. `words`: what a prompt contains -> modes of the first, second, ... request
    of its key, the last one for all later; `keys` the same by key. `script`: modes of the next
    requests, whoever's. Else `default`. `latency`: seconds before each answer.
    """

    latency: float = 0.0
    default: str = "ok"
    script: list[str] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)

    def mode(self, key: str, prompt: str, nth: int) -> str:
        """The behaviour that the key's `nth` request (from 0) meets."""
        modes = self.keys.get(key)
        if modes is None:
            modes = next((m for word, m in self.words.items() if word in prompt), None)
        if modes:
            return modes[min(nth, len(modes) - 1)]
        return self.script.pop(0) if self.script else self.default

    def check(self) -> None:
        """ValueError for a behaviour that does not exist."""
        for modes in (self.script, [self.default], *self.words.values(), *self.keys.values()):
            checked(modes)


@dataclass(slots=True)
class Counts:
    """What was asked. `paid`: requests whose behaviour means that a provider would bill them."""

    requests: int = 0
    per_key: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    in_flight: int = 0
    most_in_flight: int = 0

    def note(self, key: str, mode: str) -> None:
        self.requests += 1
        self.per_key[key] += 1
        self.modes[mode] += 1
        self.times[key].append(time.time())
        if mode.partition(":")[0] in PAID:
            self.paid[key] += 1


class Server:
    """One event loop, any number of kept connections."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.counts = plan, Counts()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection, until either side ends it."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length") or 0))
        exchange = Exchange(writer, headers, json.loads(body) if body else {})
        if path.endswith("/chat/completions") and method == "POST":
            await self._complete(exchange)
        elif path == "/counts":
            exchange.json(self.told())
        elif path == "/plan" and method == "POST":
            self._planned(exchange)
        elif path == "/reset" and method == "POST":
            self.counts = Counts(in_flight=self.counts.in_flight)
            exchange.json({})
        else:
            exchange.json({"error": {"message": f"no route {method} {path}"}}, 404)
        with suppress(ConnectionError):
            await writer.drain()
        return not exchange.over

    async def _complete(self, exchange: Exchange) -> None:
        counts, key = self.counts, exchange.headers.get("idempotency-key", "")
        mode = self.plan.mode(key, exchange.prompt, counts.per_key[key])
        counts.note(key, mode)
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        try:
            if self.plan.latency:
                await asyncio.sleep(self.plan.latency)
            await behave(mode, exchange)
        finally:
            counts.in_flight -= 1

    def _planned(self, exchange: Exchange) -> None:
        try:
            plan = Plan(**{**asdict(self.plan), **exchange.body})
            plan.check()
        except (TypeError, ValueError) as error:
            exchange.json({"error": {"message": str(error)}}, 422)
            return
        self.plan = plan
        exchange.json({})

    def told(self) -> dict[str, Any]:
        """`Counts` as JSON, and the CPU seconds of this process."""
        told = {name: getattr(self.counts, name) for name in Counts.__slots__}
        return {**told, "cpu_seconds": time.process_time(), "now": time.time()}


async def run(plan: Plan, port: int) -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    server, stop = Server(plan), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listening = await asyncio.start_server(
        server.serve, "127.0.0.1", port, backlog=1024, limit=HEAD_LIMIT
    )
    port = listening.sockets[0].getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}/v1", flush=True)
    await stop.wait()
    listening.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--default", default="ok", help="the behaviour; see misbehaviour.py")
    options = parser.parse_args()
    plan = Plan(options.latency, options.default)
    plan.check()
    asyncio.run(run(plan, options.port))


if __name__ == "__main__":
    main()
