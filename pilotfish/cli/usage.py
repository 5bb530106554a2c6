"""`usage`: what was spent, out of the ledger."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pilotfish.cli.context import Context, emit, guarded

if TYPE_CHECKING:
    from store.usage import Usage


def register(app: typer.Typer) -> None:
    app.command("usage")(usage)


def usage(
    context: typer.Context,
    by: Annotated[
        Literal["day", "model", "key", "job"], typer.Option(help="What is summed up.")
    ] = "day",
    since: Annotated[str | None, typer.Option(help="From 2026-11-01, or seconds.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to, not including.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Of this tenant only.")] = None,
) -> None:
    """What LLM calls cost, by day, model, key or job."""
    options: Context = context.obj
    with guarded(options):
        database = options.database()
        from store import usage as ledger
        from workers.moments import moment

        with database.read() as connection:
            rows = ledger.sums(
                connection, by, tenant=tenant, since=moment(since), until=moment(until)
            )
        if options.json:
            for row in rows:
                emit({"by": by, **asdict(row)})
            return
        _table(options, by, rows)


def _table(options: Context, by: str, rows: list[Usage]) -> None:
    from rich.table import Table

    names = ("calls", "prompt tokens", "answer tokens", "USD", "of unknown price", "unknown")
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(by, overflow="fold")
    for name in names:
        table.add_column(name, justify="right")
    for row in rows:
        numbers = (row.llm_calls, row.prompt_tokens, row.completion_tokens)
        table.add_row(
            row.group or "(none)", *(f"{n:,}" for n in numbers), f"{row.cost_usd:.6f}",
            str(row.unpriced_calls), str(row.unknown_calls),
        )  # fmt: skip
    options.out().print(table)
    total = sum(row.cost_usd for row in rows)
    options.err().print(f"${total:.6f} in all", markup=False)
