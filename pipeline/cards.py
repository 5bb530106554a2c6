"""The cards that the setting `cards` names: a glossary, another collection, small domain models.

`glossary`: what the collection's own passages define of the question's terms. `collection:NAME`:
sentences of another collection of the workspace. `model:NAME`: a name of LiteLLM's, asked in one
call that counts like any other; `local:FOLDER`: a seq2seq model that runs here.
Not here: choosing among cards (prompters/adapt.py), reading definitions (prompters/glossary.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pilotfish.errors import SettingsError
from pilotfish.step import Step, run
from pilotfish.text import sentences
from pilotfish.types import Answer, Case, Message, Prompt, Scope
from pipeline.llm import LLM, CallOptions
from pipeline.llm_bill import calls_made
from pipeline.parts import Parts
from pipeline.purse import Purse
from prompters.adapt import Cards, Offer, Offers
from prompters.glossary import entries, named
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.fuse import Fuse
from verifiers.evidence import content
from verifiers.nli import judged_by

GLOSSARY, MODEL, LOCAL, OTHER = "glossary", "model:", "local:", "collection:"
FOUND = 5  # passages of another collection whose sentences are offered
DEFINING = 30  # passages in which definitions are looked for
THIN = 0.6  # of the question's words in the best passage: below it the evidence is thin
ASKS = "Write one or two sentences of general knowledge that help to answer. Invent no figures."


@dataclass(frozen=True, slots=True)
class Writer:
    """A small domain model that writes what it knows; the item's last call is the answer's."""

    model: Step
    name: str = "writer"

    def __call__(self, case: Case, /) -> Case:
        limits = case.question.limits
        if limits.effort == 0 or limits.max_calls - calls_made(case) < 2:
            return replace(case, notes={"why": "no call is to spare"})
        messages = (Message("system", ASKS), Message("user", case.question.text))
        done = run(self.model, replace(case, prompt=Prompt(messages), answer=None))
        return replace(case, answer=done.answer, trace=done.trace)


@dataclass(frozen=True, slots=True)
class Local:
    """A seq2seq model that runs here: `write` is given (question, "", no passages)."""

    write: Callable[[str, str, list[str]], str]
    name: str = "local card"

    def __call__(self, case: Case, /) -> Case:
        return replace(case, answer=Answer(self.write(case.question.text, "", []), model=self.name))


@dataclass(frozen=True, slots=True)
class Carded:
    """An LLM with cards before its prompt: nobody pays for a card that no LLM reads."""

    cards: Step
    render: Step
    llm: LLM

    @property
    def name(self) -> str:
        return self.llm.name

    def __call__(self, case: Case, /) -> Case:
        return run(self.llm, run(self.render, run(self.cards, case)))


def cards(parts: Parts, purse: Purse) -> Cards | None:
    """The step; None where no cards are named. SettingsError for a name that means nothing."""
    wanted = parts.settings.cards
    if not wanted:
        return None
    kinds = (MODEL, LOCAL, OTHER)
    unknown = [one for one in wanted if one != GLOSSARY and not one.startswith(kinds)]
    if unknown:
        known = "glossary, collection:NAME, model:NAME or local:FOLDER"
        raise SettingsError(f"no card {unknown[0]!r}: name {known}")
    sources = {GLOSSARY: defined(parts)} if GLOSSARY in wanted else {}
    sources |= {
        one: neighbour(parts, one.removeprefix(OTHER)) for one in wanted if one.startswith(OTHER)
    }
    written = [one for one in wanted if one.startswith((MODEL, LOCAL))]
    writers = {one: writer(one, parts, purse) for one in written}
    nli = judged_by(parts.judge, parts.embed)

    def carried(text: str, case: Case) -> float:
        return max((nli(passage.text, text)[0] for passage in case.passages[:5]), default=0.0)

    only = thin if parts.settings.cards_when == "thin" else None
    return Cards(sources, parts.embed, writers, carried, only)


def writer(name: str, parts: Parts, purse: Purse) -> Step:
    """The model of a card."""
    if name.startswith(MODEL):
        options = CallOptions.of(parts.settings.llm)
        return Writer(LLM(name.removeprefix(MODEL), purse, options))
    from models.seq2seq import loaded

    return Local(loaded(name.removeprefix(LOCAL)))


def neighbour(parts: Parts, name: str) -> Offers:
    """Sentences of another collection, of the passages that are nearest to the question.

    SettingsError where there is no such collection, or it is the one that is asked.
    """
    shelf = parts.shelf.beside(name)
    find = Fuse((BM25(shelf, 10 * FOUND), Dense(shelf, 10 * FOUND)), FOUND)

    def offers(case: Case) -> list[Offer]:
        asked = replace(case.question, scope=Scope(name, kind="text"))
        found = run(find, Case(asked)).passages
        return [
            Offer(f"{p.title}: {p.text[start:end]}" if p.title else p.text[start:end], (p.id,))
            for p in found
            for start, end in sentences(p.text)
        ]

    return offers


def defined(parts: Parts) -> Offers:
    """What passages define of the terms that a question names."""

    def offers(case: Case) -> list[Offer]:
        asked = replace(case.question, scope=replace(case.question.scope, kind="text"))
        hits = run(BM25(parts.shelf, DEFINING), Case(asked)).passages
        found = named(case.question.text, entries(hits))
        return [Offer(f"{one.term}: {one.meaning}", (one.passage,)) for one in found]

    return offers


def thin(case: Case) -> bool:
    """Whether no passage has most of the question's words."""
    asked = set(content(case.question.text))
    found = (len(asked & set(content(p.text))) for p in case.passages[:5])
    return max(found, default=0) < THIN * len(asked)
