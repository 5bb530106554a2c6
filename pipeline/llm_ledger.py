"""One call's dealings with the ledger: replay, claim, store the reply, note the failure.

The claim is one write transaction, so of all threads and processes that want the same call
at the same moment one sends it and the others wait for its reply. Not here: the sending
(pipeline/llm.py) and the statements (store/ledger.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilotfish.errors import Unavailable
from pilotfish.types import Passage
from pipeline.llm_errors import Failure
from pipeline.purse import Purse
from store import budgets, documents, ledger, passages, rates
from store.ledger import Bill, Call
from store.rates import Rate

if TYPE_CHECKING:
    from sqlalchemy import Connection


STORE_SECONDS = 30.0  # a paid reply waits so long for a database that is away


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send (`reply` None), or the reply of the same call that was paid before.

    `unknown` counts earlier attempts whose outcome nobody knows.
    """

    row_id: int
    reply: str | None = None
    bill: Bill = field(default_factory=Bill)
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Desk:
    """`quoted` are the passages that the prompt quotes, `hinted` the ids of those its hints do."""

    purse: Purse
    call: Call
    quoted: Sequence[Passage]
    hold: bool = False
    rate: Rate = field(default_factory=Rate)
    hinted: Sequence[int] = ()

    def replay(self) -> Claim | None:
        """The reply of this call, when it was paid before."""
        with self.purse.database.read() as connection:
            found = ledger.find_reply(connection, self.call.key)
        return Claim(*found) if found else None

    def claim(self, usd: float | None, tokens: int, patience: float) -> Claim | Failure:
        """Reserve at most `usd` and `tokens` and commit `sent`.

        Waits up to `patience` seconds for an equal call, or for the model's rate.
        """
        until, pause = time.monotonic() + patience, 0.01
        while True:
            claim = self._try(usd, tokens)
            if isinstance(claim, Claim | Failure):
                return claim
            least = claim if claim is not None else pause
            if time.monotonic() + least > until:
                return _impatient(claim)
            time.sleep(min(least, 1.0))
            pause = min(pause * 1.5, 0.25)

    def _try(self, usd: float | None, tokens: int) -> Claim | Failure | float | None:
        """A claim, a refusal, seconds to wait for the rate, or None: an equal call is in flight."""
        key, spender = self.call.key, self.purse.spender
        with self.purse.database.write() as connection:
            unknown = 0
            if ledger.attempts(connection, key):
                found = ledger.find_reply(connection, key)
                if found:
                    return Claim(*found)
                unknown, flying = ledger.settle_unknown(connection, key, spender.item_id)
                if self.hold and (count := ledger.withheld(connection, key)):
                    text = f"the outcome of {count} earlier attempt(s) at this call is not known"
                    return Failure("unknown_outcome", text)
                if flying:
                    return None
            wait = rates.admit(connection, self.call.model, self.rate, tokens)
            if wait:
                return wait
            refusal = budgets.hold(connection, spender.scopes, usd, tokens)
            if refusal is not None:
                return Failure("over_budget", refusal)
            row_id = ledger.reserve(connection, self.call, spender, usd, tokens)
            return Claim(row_id, unknown=unknown)

    def store(self, claim: Claim, raw: str, bill: Bill) -> None:
        """Commit the raw reply, and which documents it may quote.

        When one of its passages is gone since it was retrieved (removed, or its document
        replaced: ids are never used again), the bill is kept and the text is not.
        """
        until = time.monotonic() + STORE_SECONDS
        while True:
            try:
                self._store(claim.row_id, raw, bill)
                return
            except Unavailable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.25)

    def _store(self, row_id: int, raw: str, bill: Bill) -> None:
        purse = self.purse
        keys = {passage.document for passage in self.quoted}
        with purse.database.write() as connection:
            if not self._settle(connection, row_id, bill):
                return
            ledger.mark_done(connection, row_id, raw, bill)
            rates.succeeded(connection, self.call.model)
            read = [*(passage.id for passage in self.quoted), *self.hinted]
            if passages.missing(connection, read):
                ledger.forget(connection, row_id)
            else:
                documents.mention(connection, purse.collection_id, keys, "call", row_id)
                documents.mention_passages(connection, self.hinted, "call", row_id)

    def fail(self, row_id: int, failure: Failure, bill: Bill | None = None) -> int:
        """Commit why the attempt gave nothing; a reply and bill stored before stay.

        Gives how many calls of the model have failed in a row. What may have been paid stays
        held in the budgets.
        """
        model = self.call.model
        with self.purse.database.write() as connection:
            known = failure.state != "unknown"
            if not self._settle(connection, row_id, bill or Bill() if known else None):
                return 0
            ledger.mark_failed(connection, row_id, failure.label, failure.state, bill)
            if failure.code == "rate_limited":
                rates.slowed(connection, model, failure.wait)
            return rates.failed(connection, model, failure.label) if failure.passing else 0

    def _settle(self, connection: Connection, row_id: int, bill: Bill | None) -> bool:
        """Move what the budgets hold for the row to what is spent, once; without a bill it stays.

        False when its outcome was called unknown since: then the item goes on without it.
        """
        state, usd, tokens = ledger.reserved(connection, row_id)
        if state == "sent" and bill is not None and (scopes := self.purse.spender.scopes):
            spent = (bill.cost_usd, bill.prompt_tokens + bill.completion_tokens)
            budgets.settle(connection, scopes, (usd, tokens), spent)
        return state in {"sent", "done"}

    def at_risk(self) -> tuple[int, float | None]:
        """(attempts that may have been paid for nothing, at most how much in USD)."""
        with self.purse.database.read() as connection:
            return ledger.at_risk(connection, self.call.key)


def _impatient(wait: float | None) -> Failure:
    if wait is None:
        return Failure("timeout", "the same call is in flight elsewhere and does not end")
    text = f"the model's calls are full for {wait:.0f} s (llm.requests_per_minute, or its 429)"
    return Failure("rate_limited", text, wait=wait)
