"""What a call will cost at most, what it did cost, and whether the question allows it.

Not here: the price tables (pipeline/prices.py) and the ledger.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pilotfish.errors import BudgetExceeded
from pilotfish.types import Case, Event
from pipeline.llm_reply import Reply, Usage, parse, reported, usage
from pipeline.prices import Price
from store.ledger import Bill


@dataclass(frozen=True, slots=True)
class Quote:
    """The offer for one attempt: tokens of the prompt, estimated and at most, and `max_tokens`."""

    prompt_tokens: int
    most_tokens: int
    max_tokens: int
    price: Price | None
    count: Callable[[str], int]

    @property
    def usd(self) -> float | None:
        """At most so much; None when nobody knows the price."""
        return None if self.price is None else self.price.cost(self.most_tokens, self.max_tokens)

    def most(self) -> Bill:
        """The bill of a reply that nobody can read: paid perhaps, so all that it may have cost."""
        return self._bill(Usage(self.most_tokens, self.max_tokens), "estimated")

    def bill(self, raw: str) -> Bill:
        """The bill of a raw reply by its usage; by our own count where that is missing or wrong."""
        used, reply = usage(raw), parse(raw)
        if used is not None:
            return self._bill(used, None, raw)
        text = reply.text if isinstance(reply, Reply) else ""
        return self._bill(Usage(self.prompt_tokens, self.count(text)), "estimated", raw)

    def _bill(self, used: Usage, source: str | None, raw: str = "") -> Bill:
        tokens = used.prompt, used.completion
        if self.price is None:
            return Bill(*tokens, None, "unknown", reported(raw))
        cost = self.price.cost(used.prompt, used.completion, used.cached)
        return Bill(*tokens, cost, source or self.price.source, reported(raw))


@dataclass(slots=True)
class Tab:
    """What one call came to over its attempts. The one thing here that changes."""

    attempts: int = 0
    bills: list[Bill] = field(default_factory=list)
    row_id: int | None = None
    replayed: Bill | None = None
    opened: float = field(default_factory=time.perf_counter)
    unknown: int = 0  # attempts before ours whose outcome nobody knows
    lost: list[float | None] = field(default_factory=list)  # reserved USD, outcome unknown

    @property
    def calls(self) -> int:
        """Attempts that were or may have been paid, as `ledger.spent` counts them."""
        return len(self.bills) + len(self.lost)

    @property
    def cost(self) -> float | None:
        """The sum of the bills; None when a price or the outcome of the whole call is unknown."""
        costs = [bill.cost_usd for bill in self.bills]
        if None in costs or (self.lost and not costs):
            return None
        return sum(cost for cost in costs if cost is not None)

    def event(self, name: str, risk: tuple[int, float | None]) -> Event:
        """The money's line of the trace; `risk` counts what may have been paid for nothing."""
        detail: dict[str, object] = {
            "ledger_row": self.row_id,
            "cost_source": self.bills[-1].cost_source if self.bills else None,
            "attempts": self.attempts,
            "replayed": self.replayed is not None,
            "possibly_paid_twice": risk[0],
            "possibly_paid_usd": risk[1],
        }
        if self.replayed is not None:
            detail["paid_before_usd"] = self.replayed.cost_usd
        prompt = sum(bill.prompt_tokens for bill in self.bills)
        completion = sum(bill.completion_tokens for bill in self.bills)
        started = time.time() - (seconds := time.perf_counter() - self.opened)
        return Event(
            name, started, seconds, self.calls, prompt, completion, self.cost, detail=detail
        )


def rough_count(text: str) -> int:
    """Tokens, as bytes / 4: a little high for English, near enough for other scripts."""
    return len(text.encode(errors="replace")) // 4 + 1


_ALONE = re.compile(rb"[^A-Za-z\s]")  # a tokeniser may spell all of these byte by byte


def most_count(text: str) -> int:
    """Tokens at most, whoever's tokeniser it is: of Latin letters and blanks one for two bytes,
    of all else one a byte. That is about twice the truth.
    """
    raw = text.encode(errors="replace")
    return (len(raw) + len(_ALONE.findall(raw))) // 2 + 1


def check_calls(case: Case) -> None:
    """BudgetExceeded when the item has asked as often as it may, paid or replayed; or effort is 0.

    One question with its attempts at a useful reply is one call here; see CallOptions.attempts.
    """
    if case.question.limits.effort == 0:
        raise BudgetExceeded("effort 0 allows no LLM call: raise limits.effort")
    made = calls_made(case)
    limit = case.question.limits.max_calls
    if made >= limit:
        raise BudgetExceeded(
            f"{made} LLM call(s) made, max_calls is {limit}: raise limits.max_calls for another"
        )


def calls_made(case: Case) -> int:
    """LLM calls of the item so far, paid or replayed."""
    return sum(bool(each.llm_calls or each.detail.get("replayed")) for each in case.trace)


def over_budget(case: Case, quote: Quote, tab: Tab, model: str) -> BudgetExceeded | None:
    """The refusal, when the call at its dearest does not fit what is left of budget_usd."""
    budget = case.question.limits.budget_usd
    if budget is None:
        return None
    if quote.usd is None:
        return BudgetExceeded(
            f"the price of {model} is unknown, so budget_usd={budget:g} cannot be kept:"
            " add the model to pipeline/prices.json, or ask without a budget"
        )
    costs = [*_costs(case.trace), *(bill.cost_usd for bill in tab.bills), *tab.lost]
    spent = sum(cost for cost in costs if cost is not None)
    if None in costs:
        return BudgetExceeded(
            f"an earlier call has no known price, so budget_usd={budget:g} cannot be kept:"
            " use models with known prices, or ask without a budget"
        )
    if spent + quote.usd > budget:
        return BudgetExceeded(
            f"{model} may cost ${quote.usd:.6f} and ${spent:.6f} are spent, over"
            f" budget_usd={budget:g}: raise limits.budget_usd or lower llm.max_tokens"
        )
    return None


def _costs(trace: Sequence[Event]) -> list[float | None]:
    """Per event what it cost at most, counting what may have been paid for nothing."""
    found: list[float | None] = []
    for event in trace:
        risk = event.detail.get("possibly_paid_usd", 0.0)
        risk = risk if isinstance(risk, float | int) else None
        only_risk = event.cost_usd is None and risk
        found.extend([0.0 if only_risk else event.cost_usd, risk])
    return found
