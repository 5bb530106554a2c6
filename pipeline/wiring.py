"""What recipes are put together from: sources, tiers, checks, made from what all items share.

Not here: recipes, which put these in order (recipes.py); the steps themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from models.pilot.reading import having
from pilotfish.errors import SettingsError
from pilotfish.step import Step
from pilotfish.types import Case
from pipeline.attached_tier import or_attached
from pipeline.cards import Carded, cards
from pipeline.checks import Checked, corrector, further, repairs
from pipeline.classifier_held import Held, loaded, matching
from pipeline.demonstrations import pool_of
from pipeline.extract import Extract
from pipeline.flow import Accept, Cascade, Chain, Loop
from pipeline.graph_answer import GraphAnswer
from pipeline.llm import LLM, CallOptions
from pipeline.narrow import Narrow
from pipeline.parts import Parts
from pipeline.plan_or_text import or_plan
from pipeline.purse import Purse
from pipeline.retry import Correct, Retry, closed
from pipeline.sql_tier import OrSql, SqlTier, described
from pipeline.table_answer import TableAnswer
from prompters.decompose import Decompose, Decomposer
from prompters.demos import Demos
from prompters.rationale import Rationale
from prompters.render import Render
from prompters.sql import SqlPrompt
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.further import Further
from retrievers.fuse import Fuse
from retrievers.graph.retrieve import Graph
from retrievers.graph.tree import EntityTree
from retrievers.manual import ScopeThenSection
from retrievers.odds import READ, RULES
from retrievers.prune import Prune
from retrievers.rerank import Rerank
from retrievers.router import Router
from retrievers.sources import Sources
from retrievers.sql import RunSql
from retrievers.tables.rank import DEPTH as TABLE_DEPTH
from retrievers.tables.rank import TableSearch
from retrievers.tables.retrieve import TableRows
from verifiers.cite import Cite
from verifiers.disagree import Disagree
from verifiers.recheck import Recheck
from verifiers.relevance import TOTALS
from verifiers.support import Support
from verifiers.trust import Trust

ABOUT = 0.6  # of the question's words must be a table's, for SQL over it to be written
DEEPER = 3  # times as many passages are ranked for a second try


def sources(parts: Parts, text: Step, k: int) -> Sources:
    """Text, and the structures of the collection."""
    reads = bool(parts.settings.llm.models)  # only an LLM reads what stands around an entity
    return Sources(text, {
        "table": TableRows(parts.tables, table_search(parts, k), k),
        "triple": Graph(parts.graphs, k, EntityTree(parts.graphs, k) if reads else None),
        "manual": ScopeThenSection(parts.shelf, parts.manuals, k),
    }, router(parts))  # fmt: skip


def router(parts: Parts) -> Router:
    """Which kinds of evidence hold the answer."""
    return Router(parts.embed, parts.rarity)


def table_search(parts: Parts, k: int) -> TableSearch:
    """Which tables a question is about."""
    lexical, dense = BM25(parts.shelf, TABLE_DEPTH), Dense(parts.shelf, TABLE_DEPTH)
    return TableSearch(parts.tables, lexical, dense, parts.rarity, k)


def structured(parts: Parts) -> tuple[Step, ...]:
    """The tiers that answer from structures, each silent where the collection has none."""
    return GraphAnswer(parts.graphs), TableAnswer(parts.tables)


def or_sql(parts: Parts, llm: LLM, purse: Purse, *, always: bool = False) -> OrSql:
    """An LLM's tier, which writes SQL where tables hold the answer, a plan where the graph does.

    always: SQL wherever there is a table that the question may be about.
    """
    sheets = parts.sheets

    def guess(case: Case) -> tuple[tuple[str, ...], float] | None:
        answer = TableAnswer(parts.tables)(replace(case, answer=None)).answer
        return None if answer is None else (answer.values, answer.support or 0.0)

    def wants(case: Case) -> bool:
        scope = case.question.scope
        about = sheets.find(case)
        if not about or scope.topic is not None:
            return False
        asked = always or scope.table is not None or scope.kind == "table"
        return asked or (about[0].chance >= ABOUT and bool(TOTALS.search(case.question.text)))

    sql = SqlTier(SqlPrompt(described(sheets)), llm, RunSql(sheets), sheets, guess)
    text = or_plan(parts, llm, carded(parts, purse, llm))
    return OrSql(wants, sql, or_attached(parts, llm, text), llm.name)


def extracts(parts: Parts) -> tuple[Extract, ...]:
    """The span that was read; where it is not sure enough, the whole sentence that fits best.

    A promise counts short answers, so it gets no sentence.
    """
    first = Extract(parts.embed, model=parts.judge)
    if having(parts.judge, "spans") is None or parts.reliance.max_error is not None:
        return (first,)
    return first, Extract(parts.embed, texts_only=True, name="sentence")


def second_try(parts: Parts, purse: Purse, llms: tuple[LLM, ...]) -> tuple[Step, ...]:
    """What may follow an answer that is not settled: one retry on new evidence, a corrector.

    The retry looks for what the first attempt left unsupported, too (DaSLaM's feedback).
    """
    k, found = parts.settings.passages, list[Step]()
    if parts.settings.checks.retry and llms:
        deep = Fuse((BM25(parts.shelf), Dense(parts.shelf)), k=DEEPER * k)
        aimed = Chain((Decompose(Decomposer.shipped()), reranked(deep, parts, DEEPER * k)))
        more = Further(aimed, k)
        retry = Retry(more, render(parts), Chain((llms[-1], check(parts, purse))))
        found.append(Loop(retry, until=closed, at_most=1))
    model = corrector(parts, purse)
    if model is None:
        return tuple(found)
    return (*found, Correct(model, check(parts), hosted=isinstance(model, LLM)))


def carded(parts: Parts, purse: Purse, llm: LLM) -> LLM | Carded:
    """The LLM, with the cards that the settings name before its prompt."""
    found = cards(parts, purse)
    return llm if found is None else Carded(found, render(parts), llm)


def render(parts: Parts) -> Step:
    """The prompt: over whole passages, or over the share of their tokens that `llm.prune` keeps."""
    settings = parts.settings
    whole = Render(parts.secret, parts.count, settings.prompt_tokens, settings.spotlight)
    if not settings.llm.models:  # nobody else reads what steers
        return narrowed(parts, whole)
    steers: list[Step] = [demonstrations(parts)] if settings.demos else []
    steers += [Rationale()] if settings.rationale else []
    last = narrowed(parts, whole)
    return Chain((*steers, last), name="prompt") if steers else last


def demonstrations(parts: Parts) -> Demos:
    """The examples that the settings name."""
    settings = parts.settings
    pool = pool_of(parts, settings.demos or "", parts.shelf.opened().encoder.fingerprint)
    return Demos(pool, parts.embed, settings.demos_shown)


def narrowed(parts: Parts, whole: Render) -> Step:
    """The renderer, over the share of the passages' tokens that is kept."""
    settings = parts.settings
    if settings.llm.prune >= 1:
        return whole
    reader = having(parts.judge, "spans")
    weights = READ if reader else RULES
    return Narrow(Prune(settings.llm.prune, parts.count, reader, weights), whole)


def reranked(retrieve: Step, parts: Parts, k: int) -> Step:
    """The retriever with the cross-encoder over its first passages; itself where there is none."""
    judge = having(parts.judge, "relevance")
    return Rerank(retrieve, judge, k) if judge else retrieve


def check(parts: Parts, purse: Purse | None = None) -> Step:
    """Support, repairs, citations, what support is worth, contradictions: every answer's way.

    Cells and edges are no text to be judged by sentences: they are read again.

    Whether there is support enough is decided once, by Trust. Further checks come after them,
    with a purse those that buy calls.
    """
    cite = Cite(parts.embed, parts.read, 0.0, parts.judge)
    trust = Trust(parts.reliance, parts.settings.abstain_below)
    support = Support(parts.embed, parts.judge)
    last = (cite, trust, Disagree(parts.read), gate)
    texts = Chain((support, *repairs(parts), *last, *further(parts, purse)), name="check")
    facts = Chain((Recheck(parts.stands), trust, gate), name="check")
    return Checked(texts, facts)


def acceptance(parts: Parts, *, climbs: bool) -> float:
    """Support that stops the cascade. A promise has withheld what is not enough for it."""
    if parts.reliance.max_error is not None:
        return 0.0
    return parts.settings.extract_above if climbs else parts.settings.abstain_below


def cascade(
    parts: Parts, purse: Purse | None = None
) -> Callable[[tuple[Step, ...], bool], Cascade]:
    """Builds the cascade over some tiers; an LLM among them raises the bar for those before it."""
    settings = parts.settings

    def build(tiers: tuple[Step, ...], asks: bool) -> Cascade:
        return Cascade(
            tiers=tiers,
            check=check(parts, purse),
            accept=accept_above(acceptance(parts, climbs=asks)),
            abstain_over_budget=settings.llm.on_budget == "extract",
        )

    return build


def gate(case: Case) -> Case:
    """Withhold an answer that a check did not finish with; cannot break itself.

    `run` skips a verifier that breaks. What Cite let pass has support and a citation, what Trust
    let pass has a basis: an answer without them was not looked at. Its text goes too: the raw
    keys are still in it.
    """
    answer = case.answer
    if answer is None or answer.abstained:
        return case
    if answer.citations and answer.support is not None and answer.basis is not None:
        return case
    withheld = replace(answer, text="", values=(), citations=(), support=None, abstained=True)
    return replace(case, answer=withheld, notes={"why": "a check broke: nobody looked at it"})


def llm_tiers(parts: Parts, purse: Purse) -> tuple[LLM, ...]:
    """One step a configured model, cheap to strong."""
    llm = parts.settings.llm
    return tuple(LLM(model, purse, CallOptions.of(llm)) for model in llm.models)


def accept_above(threshold: float) -> Accept:
    """Accept an answer that was given, with citations and at least this support."""

    def accept(case: Case) -> bool:
        answer = case.answer
        if answer is None or answer.abstained or not answer.citations:
            return False
        return answer.support is not None and answer.support >= threshold

    return accept


def classifier(parts: Parts) -> Held:
    """The classifier that the settings name; SettingsError where they name none."""
    name = parts.settings.classifier
    if not name:
        raise SettingsError(
            "recipe classify needs a classifier: pilotfish tune classifier NAME TRAIN.jsonl, then "
            "set PILOTFISH_CLASSIFIER=NAME"
        )
    encoder = parts.shelf.opened().encoder
    found = loaded(parts.shelf.database, parts.collection_id, name)
    return matching(found, parts.embed, encoder.fingerprint)
