"""Every Step keeps the one contract: its own field, empty cases, equal results, no mutation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, replace

import pytest

from models.classifier.fit import Labelled
from models.classifier.fit import fit as fit_classifier
from models.pilot.reading import Pair, Reading
from pilotfish.errors import PilotfishError
from pilotfish.settings import Settings
from pilotfish.step import Step, run
from pilotfish.types import Answer, Case, Event, Hint, Limits, Message, Prompt, Question, Scope
from pipeline.checks import repairs
from pipeline.classifier_held import Held
from pipeline.classify_tier import ClassifyAnswer, LabelTier
from pipeline.extract import Extract
from pipeline.flow import Cascade, Chain, Loop, Route
from pipeline.graph_answer import GraphAnswer
from pipeline.library import Library
from pipeline.llm import LLM, CallOptions
from pipeline.multihop import hop_answer, hopping
from pipeline.narrow import Narrow
from pipeline.plan_tier import PlanTier
from pipeline.purse import Purse
from pipeline.recipes import RECIPES
from pipeline.retry import Correct, Retry, Rewriter
from pipeline.rewriting import rewritten
from pipeline.table_answer import TableAnswer
from pipeline.tiers import Tiers
from pipeline.wiring import (
    cascade,
    check,
    gate,
    or_sql,
    render,
    sources,
    table_search,
)
from prompters.adapt import Cards, Offer
from prompters.decompose import Decompose, Decomposer
from prompters.demonstrations.pool import Demo, Pool
from prompters.demos import Demos
from prompters.plan import PlanPrompt
from prompters.predict import LabelPrompt, Predict
from prompters.rationale import Rationale
from prompters.rewrite import Rewrite
from prompters.sql import SqlPrompt
from retrievers.bm25 import BM25
from retrievers.dense import Dense
from retrievers.feedback import Feedback
from retrievers.further import Further
from retrievers.fuse import Fuse
from retrievers.graph.retrieve import Graph
from retrievers.graph.tree import EntityTree
from retrievers.kb.run_plan import Plans, RunPlan
from retrievers.manual import ScopeThenSection
from retrievers.prune import Prune
from retrievers.sql import RunSql
from retrievers.tables.retrieve import TableRows
from retrievers.titled import Titled
from tests.conftest import ASKED, UNANSWERABLE, Pilotfish, quoted_by
from tests.llm_server import LLMServer
from verifiers.cite import Cite
from verifiers.contrast import Contrast
from verifiers.disagree import Disagree
from verifiers.entropy import Entropy
from verifiers.nli import by_rules
from verifiers.recheck import Recheck
from verifiers.reread import Reread
from verifiers.selfcheck import SelfCheck
from verifiers.support import Support
from verifiers.trust import Reliance, Trust

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
]
OWNS = {
    "retrievers": {"passages"},
    "prompters": {"hints", "prompt"},
    "verifiers": {"answer"},
    "pipeline": {"answer"},
}
EVERYBODYS = {"notes", "trace"}


@dataclass(frozen=True, slots=True)
class Made:
    """How to make a step, which folder it is from, and the cases it is tried on."""

    make: Callable[[Library, Purse, str], Step]
    folder: str
    owns: frozenset[str] = frozenset()  # more than its folder: combinators own what their steps do

    def may_change(self) -> set[str]:
        return OWNS[self.folder] | EVERYBODYS | self.owns


def llm(purse: Purse, url: str) -> LLM:
    return LLM("openai/test-model", purse, CallOptions(api_base=url, attempts=1))


def plan_tier(library: Library, purse: Purse, url: str) -> PlanTier:
    """Asks the LLM whatever the case is; its reply is no plan."""
    plans = Plans((library.parts.graphs,))
    return PlanTier(PlanPrompt(lambda case: "Relations:"), llm(purse, url), RunPlan(plans), plans)


def answered(case: Case) -> bool:
    return case.answer is not None


def hardness(case: Case) -> float:
    return len(case.question.text) / 100


def samples(purse: Purse, url: str) -> Callable[[str], tuple[LLM, ...]]:
    options = CallOptions(api_base=url, attempts=1, temperature=1.0)
    return lambda model: tuple(
        LLM("openai/test-model", purse, replace(options, sample=n)) for n in (1, 2)
    )


def shortened(question: str, draft: str, passages: list[str]) -> str:
    """A local corrector: the draft's first words."""
    return " ".join(draft.split()[:5])


def by_length(pairs: Sequence[Pair]) -> list[Reading]:
    """A judge of claims: what is longer than the claim carries it, the rest denies it."""
    return [Reading(0.0, float(len(b) > len(a)), float(len(b) <= len(a)), 0.0) for a, b in pairs]


def labels(library: Library) -> Held:
    """A classifier of a few texts."""
    texts = ["return the goods", "send the goods back", "who founded it", "who owns the shop"]
    given = Labelled(texts, ["thing", "thing", "person", "person"], library.parts.embed(texts))
    return Held("desk", fit_classifier(given, ("encoder", "f")), "here", library.parts.embed)


def solved(library: Library) -> Pool:
    """Two demonstrations."""
    demos = (Demo("who founded it", "Ann"), Demo("when was it founded", "1987"))
    vectors = library.parts.embed([one.input for one in demos])
    return Pool(demos, vectors, ("encoder", "f"))


ALL = frozenset({"passages", "prompt", "answer"})
HOPPED = frozenset({"passages", "hints", "prompt", "answer"})
STEPS: dict[str, Made] = {
    "bm25": Made(lambda b, p, u: BM25(b.shelf), "retrievers"),
    "dense": Made(lambda b, p, u: Dense(b.shelf), "retrievers"),
    "fuse": Made(lambda b, p, u: Fuse((BM25(b.shelf), Dense(b.shelf))), "retrievers"),
    "manual": Made(
        lambda b, p, u: ScopeThenSection(b.shelf, b.parts.manuals), "retrievers"
    ),
    "prune": Made(lambda b, p, u: Prune(0.3, b.parts.count), "retrievers"),
    "sources": Made(lambda b, p, u: sources(b.parts, BM25(b.shelf), 5), "retrievers"),
    "graph": Made(lambda b, p, u: Graph(b.parts.graphs, 5), "retrievers"),
    "entity tree": Made(lambda b, p, u: EntityTree(b.parts.graphs, 5), "retrievers"),
    "tables": Made(lambda b, p, u: table_search(b.parts, 5), "retrievers"),
    "table rows": Made(
        lambda b, p, u: TableRows(b.parts.tables, table_search(b.parts, 5)), "retrievers"
    ),
    "run sql": Made(lambda b, p, u: RunSql(b.parts.sheets), "retrievers"),
    "sql prompt": Made(lambda b, p, u: SqlPrompt(lambda case: "prices(item, price)"), "prompters"),
    "graph answer": Made(lambda b, p, u: GraphAnswer(b.parts.graphs), "pipeline"),
    "table answer": Made(lambda b, p, u: TableAnswer(b.parts.tables), "pipeline"),
    "sql tier": Made(lambda b, p, u: or_sql(b.parts, llm(p, u), p).sql, "pipeline", ALL),
    "run plan": Made(lambda b, p, u: RunPlan(Plans((b.parts.graphs,))), "retrievers"),
    "plan prompt": Made(lambda b, p, u: PlanPrompt(lambda case: "Relations:"), "prompters"),
    "plan tier": Made(lambda b, p, u: plan_tier(b, p, u), "pipeline", ALL),
    "recheck": Made(lambda b, p, u: Recheck(b.parts.stands), "verifiers"),
    "render": Made(lambda b, p, u: render(b.parts), "prompters"),
    "narrow": Made(
        lambda b, p, u: Narrow(Prune(0.3, b.parts.count), render(b.parts)), "pipeline",
        frozenset({"prompt"}),
    ),
    "extract": Made(lambda b, p, u: Extract(b.parts.embed), "pipeline"),
    "llm": Made(lambda b, p, u: llm(p, u), "pipeline"),
    "support": Made(lambda b, p, u: Support(b.parts.embed), "verifiers"),
    "support by a model": Made(lambda b, p, u: Support(b.parts.embed, by_length), "verifiers"),
    "cite by a model": Made(
        lambda b, p, u: Cite(b.parts.embed, b.parts.read, 0.0, by_length), "verifiers"
    ),
    "cite": Made(
        lambda b, p, u: Cite(b.parts.embed, b.parts.read, 0.5, b.parts.judge), "verifiers"
    ),
    "rewrite": Made(lambda b, p, u: repairs(b.parts)[0], "verifiers"),
    "selfcheck": Made(
        lambda b, p, u: SelfCheck(samples(p, u), by_rules(b.parts.embed)), "verifiers"
    ),
    "entropy": Made(lambda b, p, u: Entropy(samples(p, u), by_rules(b.parts.embed)), "verifiers"),
    "contrast": Made(
        lambda b, p, u: Contrast(Extract(b.parts.embed), by_rules(b.parts.embed)), "verifiers"
    ),
    "cards": Made(
        lambda b, p, u: Cards({"glossary": lambda case: [Offer("goods: what is sold")]},
                              b.parts.embed, {}, lambda text, case: 1.0, near=0.0), "prompters",
    ),
    "rationale": Made(lambda b, p, u: Rationale(), "prompters"),
    "demos": Made(lambda b, p, u: Demos(lambda: solved(b), b.parts.embed, 2), "prompters"),
    "further": Made(lambda b, p, u: Further(BM25(b.shelf), 3), "retrievers"),
    "retry": Made(
        lambda b, p, u: Retry(
            Further(BM25(b.shelf), 3), render(b.parts), Chain((llm(p, u), check(b.parts)))
        ),
        "pipeline",
        ALL,
    ),
    "correct": Made(lambda b, p, u: Correct(llm(p, u), check(b.parts)), "pipeline"),
    "rewriter": Made(lambda b, p, u: Rewriter(shortened), "pipeline"),
    "trust": Made(lambda b, p, u: Trust(Reliance(max_error=0.1)), "verifiers"),
    "disagree": Made(lambda b, p, u: Disagree(b.parts.read), "verifiers"),
    "check": Made(lambda b, p, u: check(b.parts), "verifiers"),
    "chain": Made(lambda b, p, u: Chain((BM25(b.shelf), render(b.parts))), "pipeline", ALL),
    "route": Made(
        lambda b, p, u: Route(hardness, Extract(b.parts.embed), llm(p, u)), "pipeline"
    ),
    "cascade": Made(
        lambda b, p, u: Cascade(
            (Extract(b.parts.embed), llm(p, u)), check(b.parts), lambda case: False
        ),
        "pipeline",
    ),
    "tiers": Made(
        lambda b, p, u: Tiers((Extract(b.parts.embed),), (llm(p, u),), cascade(b.parts)), "pipeline"
    ),
    "gate": Made(lambda b, p, u: gate, "pipeline"),
    "loop": Made(lambda b, p, u: Loop(Extract(b.parts.embed), answered), "pipeline"),
    "feedback": Made(
        lambda b, p, u: Feedback(BM25(b.shelf, 3), BM25(b.shelf), b.shelf.opened().bm25.rarity),
        "retrievers",
    ),
    "rewritten question": Made(
        lambda b, p, u: Rewrite(lambda text: {"shop": "store"}, lambda short: [], turns=True),
        "prompters",
    ),
    "rewritten": Made(
        lambda b, p, u: rewritten(b.parts, BM25(b.shelf)), "pipeline",
        frozenset({"hints", "passages"}),
    ),
    "titled": Made(lambda b, p, u: Titled(BM25(b.shelf), 5), "retrievers"),
    "decompose": Made(lambda b, p, u: Decompose(Decomposer.shipped()), "prompters"),
    "hops": Made(lambda b, p, u: hopping(b.parts, p, BM25(b.shelf), 5), "pipeline", HOPPED),
    "hop answer": Made(lambda b, p, u: hop_answer(b.parts), "pipeline"),
    "reread": Made(lambda b, p, u: Reread(b.parts.read), "verifiers"),
    "multihop recipe": Made(
        lambda b, p, u: RECIPES["multihop"](b.parts, p), "pipeline", HOPPED
    ),
    "predict": Made(lambda b, p, u: Predict(labels(b).look), "prompters"),
    "label prompt": Made(lambda b, p, u: LabelPrompt(("thing", "person")), "prompters"),
    "classify answer": Made(lambda b, p, u: ClassifyAnswer(labels(b).one, "here"), "pipeline"),
    "label tier": Made(
        lambda b, p, u: LabelTier(
            Chain((Predict(labels(b).look), LabelPrompt(("thing", "person")))), llm(p, u),
            labels(b).one, "here",
        ),
        "pipeline", frozenset({"hints", "prompt", "answer"}),
    ),
    "default recipe": Made(lambda b, p, u: RECIPES["default"](b.parts, p), "pipeline", HOPPED),
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[LLMServer]:
    with LLMServer(respond=quoted_by) as server:
        yield server


@pytest.fixture(scope="module")
def library(shared: Pilotfish) -> Iterator[Library]:
    library = Library(Settings(workspace=shared.workspace))
    yield library
    library.database.close()


@pytest.fixture
def step(
    request: pytest.FixtureRequest, library: Library, server: LLMServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Step:  # fmt: skip
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-not-a-real-key")
    purse = Purse(library.database, "default", library.collection().id)
    made: Made = request.param
    return made.make(library, purse, server.url)


@pytest.fixture(scope="module")
def full(library: Library) -> Case:
    """A case with something in every field, as it stands before the answer is checked."""
    question = Question(ASKED, "q1")
    found = Fuse((BM25(library.shelf), Dense(library.shelf)), k=5)(Case(question))
    hints = (Hint("query", "refunds to the card"), Hint("card", "Goods are things."))
    case = render(library.parts)(replace(found, hints=hints))
    key = next(iter(case.prompt.keys)) if case.prompt else ""
    answer = Answer(f"Goods may be returned within 30 days of delivery [{key}].", model="m")
    event = Event("before", 1.0, 0.5, 0, 3, 4, 0.0, None, {"a": [1]})
    return replace(case, answer=answer, notes={"left": "over"}, trace=(event,))


def cases(full: Case) -> list[Case]:
    """The full case, and cases that miss something."""
    prompt = Prompt((Message("user", "Hello?"),))
    return [
        full,
        Case(Question(UNANSWERABLE)),
        Case(Question("")),
        Case(Question("总部位于哪里？")),
        Case(Question(ASKED, scope=Scope(where="year = 1066"))),
        Case(Question(ASKED, limits=Limits(effort=0.5))),
        replace(full, passages=()),
        replace(full, prompt=None),
        replace(full, answer=None),
        replace(full, answer=Answer("")),
        replace(full, answer=Answer("Nothing of this stands anywhere, not even 77.")),
        Case(Question("When was the founder of the shop born?")),
        Case(Question(ASKED), prompt=prompt),
        Case(Question(ASKED), prompt=Prompt(())),
        Case(Question(ASKED), answer=Answer("", abstained=True)),
    ]


def outcome(step: Step, case: Case) -> Case | str:
    """The case after the step, or the error of ours that it raised."""
    try:
        return run(step, case)
    except PilotfishError as error:
        return f"{type(error).__name__}: {error}"


def timeless(result: Case | str) -> object:
    """Without what differs from one run to the next: times, and money of replayed calls."""
    if isinstance(result, str):
        return result
    events = [(e.step, e.error) for e in result.trace]
    return replace(result, trace=()), events


every_step = pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys(), indirect=True)


@pytest.mark.parametrize(("step", "made"), [(m, m) for m in STEPS.values()], ids=STEPS.keys(),
                         indirect=["step"])  # fmt: skip
def test_a_step_changes_only_what_its_folder_owns(step: Step, made: Made, full: Case) -> None:
    for case in cases(full):
        done = outcome(step, case)
        if isinstance(done, Case):
            same = [f.name for f in fields(Case) if f.name not in made.may_change()]
            assert [n for n in same if getattr(done, n) != getattr(case, n)] == []


@every_step
def test_a_step_never_mutates_its_case(step: Step, full: Case) -> None:
    for case in cases(full):
        before = deepcopy(case)
        outcome(step, case)
        assert case == before


@every_step
def test_a_step_only_extends_the_trace(step: Step, full: Case) -> None:
    for case in cases(full):
        try:
            trace = run(step, case).trace
        except PilotfishError as error:
            trace = error.trace
        assert trace[: len(case.trace)] == case.trace and len(trace) > len(case.trace)


@every_step
def test_a_step_bears_cases_with_something_missing(step: Step, full: Case) -> None:
    """Ours or nothing: what `run` skipped as broken stands in the trace as `TypeError: ...`."""
    for case in cases(full):
        done = outcome(step, case)
        if isinstance(done, Case):
            assert not [e.error for e in done.trace if re.match(r"\w+: ", e.error or "")]


@every_step
def test_a_step_gives_an_equal_case_for_an_equal_case(step: Step, full: Case) -> None:
    for case in cases(full):
        assert timeless(outcome(step, case)) == timeless(outcome(step, deepcopy(case)))


def test_the_same_call_is_replayed_from_the_ledger(
    library: Library, server: LLMServer, full: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-not-a-real-key")
    step = llm(Purse(library.database, "default", library.collection().id), server.url)
    first = run(step, full)
    asked = len(server.requests)
    assert run(step, full).answer == first.answer and len(server.requests) == asked
