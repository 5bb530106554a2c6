"""An LLM's tier that writes SQL for an attached database, where the question is about one.

It is where the caller names it, or where its names and values hold three fifths of the question's
words and no passage that was found holds as many. Not here: the SQL tier (sql_tier.py), what is
attached (retrievers/attached.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pilotfish.step import Step
from pilotfish.types import Answer, Case
from pipeline.llm import LLM
from pipeline.parts import Parts
from pipeline.plan_or_text import share
from pipeline.sql_tier import MODEL, SqlTier, described
from prompters.sql import SqlPrompt
from retrievers.attached import Asked, Attached
from retrievers.sql import RunSql
from retrievers.tables.retrieve import asked_words

ABOUT = 0.6  # of the question's words are the database's, for SQL over it to be written


@dataclass(frozen=True, slots=True)
class OrAttached:
    """`sql`: the tier that asks an attached database; `rest`: the tier for all other questions."""

    attached: Attached
    sql: Step
    rest: Step
    name: str

    def __call__(self, case: Case, /) -> Case:
        asked = self.attached.about(case)
        why = reason(case, asked)
        if asked is None or not why:
            return self.rest(case)
        name = asked.opened.attachment.name
        if asked.opened.why:
            answer = Answer("", model=MODEL, abstained=True)
            return replace(case, answer=answer, notes={"database": name, "why": asked.opened.why})
        done = self.sql(case)
        return replace(done, notes={**done.notes, "database": name, "asked for SQL": why})


def or_attached(parts: Parts, llm: LLM, rest: Step) -> OrAttached:
    """An LLM's tier that asks an attached database where one is meant; `rest` answers else."""
    attached = parts.attached
    write = SqlPrompt(described(attached), attached.dialect)
    return OrAttached(
        attached, SqlTier(write, llm, RunSql(attached), attached), rest, llm.name
    )  # fmt: skip


def reason(case: Case, asked: Asked | None) -> str:
    """Why the database is to be asked, or "" where it is not."""
    if asked is None:
        return ""
    if case.question.scope.table is not None:
        return "the caller names the database"
    if asked.chance < ABOUT:
        return ""
    words = frozenset(asked_words(case.question.text))
    held = max((share(words, passage.text) for passage in case.passages), default=0.0)
    if held >= asked.chance:
        return ""
    return f"it speaks of {asked.chance:.0%} of the question's words, passages of {held:.0%}"
