"""An LLM's tier that writes SQL for an attached database, where the question is about one.

It is where the caller names it, or where its names and values hold three fifths of the question's
words and no passage that was found holds as many. Not here: the SQL tier (sql_tier.py), what is
attached (retrievers/attached.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from corpus.tokens import tokens
from pilotfish.step import Step
from pilotfish.types import Answer, Case
from pipeline.llm import LLM
from pipeline.parts import Parts
from pipeline.sql_tier import MODEL, SqlTier
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

    def describe(case: Case) -> str | None:
        linked = attached.linked(case)
        return None if linked is None else linked.text

    write = SqlPrompt(describe, attached.dialect)
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
    held = holds(case.question.text, (passage.text for passage in case.passages))
    if held >= asked.chance:
        return ""
    return f"it speaks of {asked.chance:.0%} of the question's words, passages of {held:.0%}"


def holds(question: str, texts: Iterable[str]) -> float:
    """The largest share of the question's words that one of the texts has."""
    asked = set(asked_words(question))
    if not asked:
        return 1.0
    return max((len(asked & set(tokens(text))) / len(asked) for text in texts), default=0.0)
