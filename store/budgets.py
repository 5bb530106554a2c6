"""Budgets: what may be spent in the name of a job or a key, in USD and tokens.

Counted up in the same transaction as the ledger's rows, so that both always agree: `hold`
before a call, `settle` after it, and a call whose outcome nobody knows keeps its hold.
Not here: the ledger's rows (ledger.py), and what a caller allows for one question (Limits).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from store.among import among, filled
from store.prepared import Prepared
from store.schema import budgets, ledger


@dataclass(frozen=True, slots=True)
class Budget:
    """`scope` is job:ID or key:ID; a limit of None means none."""

    scope: str
    limit_usd: float | None
    limit_tokens: int | None
    spent_usd: float
    spent_tokens: int
    held_usd: float
    held_tokens: int

    def refusal(self, usd: float | None, tokens: int) -> str | None:
        """Why a call of at most so much does not fit; None when it does."""
        if self.limit_tokens is not None:
            free = self.limit_tokens - self.spent_tokens - self.held_tokens
            if tokens > free:
                left = f"{max(free, 0)} left of {self.limit_tokens}"
                return f"{self.scope}: up to {tokens} tokens needed, {left}"
        if self.limit_usd is None:
            return None
        if usd is None:
            return f"{self.scope}: the price of this model is unknown, and a budget in USD is set"
        money = max(self.limit_usd - self.spent_usd - self.held_usd, 0.0)
        if usd > money + 1e-12:
            left = f"${money:.6f} left of ${self.limit_usd:g}"
            return f"{self.scope}: up to ${usd:.6f} needed, {left}"
        return None


SCOPES = 2  # a call has no more: its job and its key
_COLUMNS = [budgets.c[name] for name in Budget.__slots__]
# Made once: building a statement takes longer than running it.
_OF = Prepared(select(*_COLUMNS).where(among(budgets.c.scope, SCOPES)).order_by(budgets.c.scope))
_MOVE = Prepared(update(budgets).where(among(budgets.c.scope, SCOPES)).values({
    name: budgets.c[name] + bindparam(f"more_{name}", type_=budgets.c[name].type)
    for name in ("held_usd", "held_tokens", "spent_usd", "spent_tokens")
}))  # fmt: skip


def limit(connection: Connection, scope: str, usd: float | None, tokens: int | None = None) -> None:
    """Set what the scope may spend; what it spent stays."""
    values = {"limit_usd": usd, "limit_tokens": tokens}
    changed = connection.execute(update(budgets).where(budgets.c.scope == scope).values(**values))
    if not changed.rowcount:
        connection.execute(insert(budgets).values(scope=scope, **values))


def of(connection: Connection, scopes: Iterable[str]) -> list[Budget]:
    """The budgets among these scopes that exist."""
    wanted = filled(list(scopes), SCOPES)
    return [Budget(*row) for some in wanted for row in _OF.all(connection, some)]


def hold(
    connection: Connection, scopes: Iterable[str], usd: float | None, tokens: int
) -> str | None:
    """Reserve so much in every scope, or in none: then give the reason."""
    found = of(connection, scopes)
    for budget in found:
        if (reason := budget.refusal(usd, tokens)) is not None:
            return reason
    if found:
        _move(connection, [b.scope for b in found], held=(usd or 0.0, tokens))
    return None


def settle(
    connection: Connection, scopes: Iterable[str], held: tuple[float | None, int],
    spent: tuple[float | None, int],
) -> None:  # fmt: skip
    """Give back what was held and count what was spent, each (USD, tokens)."""
    back = (-(held[0] or 0.0), -held[1])
    _move(connection, list(scopes), held=back, spent=(spent[0] or 0.0, spent[1]))


def _move(
    connection: Connection, scopes: list[str], *, held: tuple[float, int],
    spent: tuple[float, int] = (0.0, 0),
) -> None:  # fmt: skip
    more = {
        "more_held_usd": held[0], "more_held_tokens": held[1],
        "more_spent_usd": spent[0], "more_spent_tokens": spent[1],
    }  # fmt: skip
    for some in filled(scopes, SCOPES):
        _MOVE.run(connection, more | some)


def by_the_ledger(connection: Connection, job_id: str) -> tuple[float, int]:
    """(USD, tokens) that the ledger's rows of a job add up to: what its budget must say."""
    tokens = func.sum(ledger.c.prompt_tokens + ledger.c.completion_tokens)
    query = select(func.sum(ledger.c.cost_usd), tokens).where(ledger.c.job_id == job_id)
    usd, count = connection.execute(query).one()
    return float(usd or 0.0), int(count or 0)
