"""Tells whoever asked of a job's end: Standard Webhooks, signed, thin, tried again for a day.

A message is stored with the job's end (submissions.close_finished) and sent from here, at
least once; its id stays the same. Not here: which addresses may be called (addresses.py).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from pilotfish.errors import PilotfishError
from store import hooks, leases
from store.database import Database
from store.hooks import Delivery
from workers.addresses import Allowed, is_public, post

LEASE, LEASE_SECONDS = "webhooks", 60.0
AT_ONCE = 8  # one slow receiver must not hold up the others
# Seconds before the second attempt, the third, ...: a day in all.
PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 21_600, 36_000)
GONE = 410
log = logging.getLogger("pilotfish.webhooks")


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,...` as Standard Webhooks defines it; the secret is whsec_ and base64."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = secret.encode()
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class Deliverer:
    """`owner` names this process; one of them delivers at a time. `allowed`: which addresses."""

    database: Database
    owner: str
    allowed: Allowed = is_public

    def turn(self) -> int:
        """Send what is due; gives how many messages were tried."""
        with self.database.read() as connection:
            if not hooks.due(connection, time.time(), 1):
                return 0
        with self.database.write() as connection:
            if not leases.hold(connection, LEASE, self.owner, LEASE_SECONDS):
                return 0
            due = hooks.due(connection, time.time(), 2 * AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            list(pool.map(self._deliver, due))
        with self.database.write() as connection:
            leases.release(connection, LEASE, self.owner)
        return len(due)

    def _deliver(self, one: Delivery) -> None:
        problem, again = self._send(one)
        if problem is None:
            with self.database.write() as connection:
                hooks.delivered(connection, one.id)
            return
        log.warning("webhook %s of job %s: %s", one.id, one.job_id, problem)
        last = not again or one.attempts >= len(PAUSES)
        pause = 0.0 if last else PAUSES[one.attempts] * random.uniform(0.8, 1.2)
        with self.database.write() as connection:
            hooks.failed(connection, one.id, problem, None if last else time.time() + pause)

    def _send(self, one: Delivery) -> tuple[str | None, bool]:
        """(what went wrong, whether trying again may help)."""
        body, now = payload(one), int(time.time())
        headers = {
            "content-type": "application/json", "user-agent": "pilotfish-webhooks",
            "webhook-id": one.id, "webhook-timestamp": str(now),
            "webhook-signature": signature(one.webhook["secret"], one.id, now, body),
        }  # fmt: skip
        try:
            status, _ = post(one.webhook["url"], body, headers, self.allowed)
        except PilotfishError as error:  # an address that may not be called; DNS may change
            return str(error), True
        except OSError as error:
            return f"{type(error).__name__}: the receiver cannot be reached", True
        if 200 <= status < 300:
            return None, False
        return f"the receiver answered {status}", status != GONE


def payload(one: Delivery) -> bytes:
    """The message: what happened to which job, nothing of what is in it."""
    when = datetime.fromtimestamp(one.created, UTC).isoformat()
    data = {"id": one.job_id, "state": one.event.removeprefix("job.")}
    return json.dumps({"type": one.event, "timestamp": when, "data": data}).encode()
