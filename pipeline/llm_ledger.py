"""One call's dealings with the ledger: replay, claim, store the reply, note the failure.

The claim is one write transaction, so of all threads and processes that want the same call
at the same moment one sends it and the others wait for its reply. Not here: the sending
(pipeline/llm.py) and the statements (store/ledger.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from pilotfish.types import Passage
from pipeline.llm_errors import Failure
from pipeline.purse import Purse
from store import documents, ledger, passages
from store.ledger import Bill, Call


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
    """`quoted` are the passages that the prompt quotes."""

    purse: Purse
    call: Call
    quoted: Sequence[Passage]
    hold: bool = False

    def replay(self) -> Claim | None:
        """The reply of this call, when it was paid before."""
        with self.purse.database.read() as connection:
            found = ledger.find_reply(connection, self.call.key)
        return Claim(*found) if found else None

    def claim(self, usd: float | None, patience: float) -> Claim | Failure:
        """Reserve and commit `sent`, waiting up to `patience` seconds for an equal call."""
        until, pause = time.monotonic() + patience, 0.01
        while True:
            claim = self._try(usd)
            if claim is not None:
                return claim
            if time.monotonic() + pause > until:
                return Failure("timeout", "the same call is in flight elsewhere and does not end")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    def _try(self, usd: float | None) -> Claim | Failure | None:
        key = self.call.key
        with self.purse.database.write() as connection:
            found = ledger.find_reply(connection, key)
            if found:
                return Claim(*found)
            unknown, flying = ledger.settle_unknown(connection, key)
            if unknown and self.hold:
                text = f"the outcome of {unknown} earlier attempt(s) at this call is not known"
                return Failure("unknown_outcome", text)
            if flying:
                return None
            row_id = ledger.reserve(connection, self.call, self.purse.item_id, usd)
            ledger.mark_sent(connection, row_id)
            return Claim(row_id, unknown=unknown)

    def store(self, claim: Claim, raw: str, bill: Bill) -> None:
        """Commit the raw reply, and which documents it may quote.

        When one of its passages is gone since it was retrieved (removed, or its document
        replaced: ids are never used again), the bill is kept and the text is not.
        """
        row_id, purse = claim.row_id, self.purse
        keys = {passage.document for passage in self.quoted}
        with purse.database.write() as connection:
            ledger.mark_done(connection, row_id, raw, bill)
            if passages.missing(connection, [passage.id for passage in self.quoted]):
                ledger.forget(connection, row_id)
            else:
                documents.mention(connection, purse.collection_id, keys, "call", row_id)

    def fail(self, row_id: int, failure: Failure, bill: Bill | None = None) -> None:
        """Commit why the attempt gave nothing; a reply and bill stored before stay."""
        with self.purse.database.write() as connection:
            ledger.mark_failed(connection, row_id, failure.label, failure.state, bill)

    def at_risk(self) -> tuple[int, float | None]:
        """(attempts that may have been paid for nothing, at most how much in USD)."""
        with self.purse.database.read() as connection:
            return ledger.at_risk(connection, self.call.key)
