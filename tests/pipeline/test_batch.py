"""Batches over a real database and made-up answers: what stops, what fails alone, what is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from pilotfish.errors import BudgetExceeded, InputError, ModelError, SettingsError
from pilotfish.settings import Settings
from pilotfish.types import Answer, Case, Limits, Question, Scope
from pipeline.batch import MOST_ATTEMPTS, Batch, check
from pipeline.library import Library
from pipeline.purse import Purse
from pipeline.questions import Line
from store import collections, jobs, passages, schema
from store.collections import Collection
from store.database import Database
from tests.store.made import document, drop, fresh_database, put, with_collection
from verifiers.trust import Reliance

LINES = [Line(n, f"q{n}", f"Question {n}?") for n in range(3)]
Answers = Callable[[Question], Case]


@dataclass
class Stub:
    """A library whose answers are made up; `asked` holds the ids, in order."""

    database: Database
    here: Collection
    answers: Answers
    settings: Settings = field(default_factory=Settings)
    asked: list[str] = field(default_factory=list)
    parts: Any = None

    def __post_init__(self) -> None:
        self.workspace = SimpleNamespace(root=self.database.path.parent)
        self.shelf = SimpleNamespace(opened=lambda: None)
        self.parts = SimpleNamespace(
            settings=self.settings, shelf=SimpleNamespace(database=self.database,
            name=self.here.name), embed=None, secret=b"", count=None, read=None,
            judge=None, policy=None, reliance=Reliance(), graphs=None, tables=None, sheets=None,
            stands=None, manuals=None, vocabulary=None, rarity=None,
        )  # fmt: skip

    def collection(self) -> Collection:
        with self.database.read() as connection:
            return collections.find(connection, self.here.name)

    def purse(self, item: int) -> Purse:
        return Purse(self.database, self.here.name, self.here.id, item)

    def ask(self, question: Question, recipe: str, purse: Purse) -> Case:
        self.asked.append(question.id)
        return self.answers(question)

    def batch(self, **how: Any) -> Batch:
        return Batch(cast(Library, self), **how)


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    database = fresh_database(tmp_path)
    here = with_collection(database)
    put(database, here, document("a", "The seal leaks."))
    yield Stub(database, here, said(database))
    database.close()


def said(database: Database, then: Callable[[], object] = lambda: None) -> Answers:
    """Answers out of every passage there is, and what happens before they can be stored."""

    def answer(question: Question) -> Case:
        with database.read() as connection:
            found = passages.fetch(connection, passages.all_ids(connection, 1))
        then()
        return Case(question, tuple(found.values()), answer=Answer("It leaks."))

    return answer


def failing(error: Exception, at: str = "q1") -> Callable[[Answers], Answers]:
    def wrap(answers: Answers) -> Answers:
        def answer(question: Question) -> Case:
            if question.id == at:
                raise error
            return answers(question)

        return answer

    return wrap


@pytest.mark.parametrize("error", [BudgetExceeded("over budget_usd"), ModelError("no reply")])
def test_an_item_over_its_own_limit_fails_alone(stub: Stub, error: Exception) -> None:
    stub.answers = failing(error)(stub.answers)
    lines = stub.batch()(LINES)
    assert [line["status"] for line in lines] == ["answered", "failed", "answered"]
    assert cast(dict[str, str], lines[1]["error"])["code"] == cast(Any, error).code


def test_what_stops_a_job_stops_it_and_a_second_call_goes_on(stub: Stub) -> None:
    good = stub.answers
    batch = stub.batch()
    stub.answers = failing(SettingsError("no API key"))(good)
    with pytest.raises(SettingsError, match="no API key"):
        batch(LINES)
    assert stub.asked == ["q0", "q1"] and not batch.stop.is_set()
    stub.answers = good
    assert len(batch(LINES)) == 3
    assert stub.asked == ["q0", "q1", "q1", "q2"]


def test_the_callers_stop_is_heard(stub: Stub) -> None:
    stop = threading.Event()
    batch = stub.batch(stop=stop, done=lambda _: stop.set())
    assert len(batch(LINES)) == 1


def remove(stub: Stub) -> None:
    drop(stub.database, stub.here, "a")


def rewrite(stub: Stub) -> None:
    put(stub.database, stub.here, document("a", "The valve leaks."))


@pytest.mark.parametrize("change", [remove, rewrite])
def test_an_answer_to_documents_that_changed_meanwhile_is_given_anew(
    stub: Stub, change: Callable[[Stub], None]
) -> None:
    first = [change]
    stub.answers = said(stub.database, lambda: first.pop()(stub) if first else None)
    heard: list[object] = []
    (line,) = stub.batch(done=heard.append)(LINES[:1])
    assert stub.asked == ["q0", "q0"] and len(heard) == 1
    assert line["status"] == "answered"
    with stub.database.read() as connection:
        mentioned = list(connection.scalars(select(schema.mentions.c.document_id)))
        assert mentioned == list(connection.scalars(select(schema.documents.c.id)))


def test_an_item_whose_documents_never_rest_fails_in_the_end(stub: Stub) -> None:
    stub.answers = said(stub.database, lambda: rewrite(stub))
    (line,) = stub.batch()(LINES[:1])
    assert len(stub.asked) == MOST_ATTEMPTS
    assert line["status"] == "failed" and line["answer"] is None
    assert cast(dict[str, str], line["error"])["code"] == "documents_changed"


def test_a_removed_document_takes_a_stored_answer_with_it(stub: Stub) -> None:
    stub.batch()(LINES)
    remove(stub)
    with stub.database.read() as connection:
        assert list(connection.scalars(select(schema.items.c.result))) == [None] * 3


def test_a_worker_that_lost_its_item_leaves_no_mention(stub: Stub) -> None:
    def lose() -> None:
        with stub.database.write() as connection:
            connection.execute(update(schema.items).values(fence=schema.items.c.fence + 1))

    stub.answers = said(stub.database, lose)
    stub.batch()(LINES[:1])
    with stub.database.read() as connection:
        assert connection.execute(select(schema.mentions)).all() == []


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"recipe": "defualt"}, "no recipe 'defualt'"),
        ({"recipe": "plain"}, "needs an LLM"),
        ({"scope": Scope(where="year >=")}, "ends too early"),
    ],
)
def test_what_no_question_can_be_asked_with_is_refused_before_any_is(
    stub: Stub, how: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        stub.batch(**how)(LINES)
    with stub.database.read() as connection:
        assert stub.asked == [] and connection.execute(select(schema.jobs)).all() == []


def test_a_good_recipe_and_filter_may_be_asked_with(stub: Stub) -> None:
    check(cast(Library, stub), "default", Scope(where="year >= 2020"))


def test_another_encoder_or_deadline_is_another_batch(stub: Stub) -> None:
    stub.batch()(LINES)
    stub.batch()(LINES)
    assert len(stub.asked) == 3
    stub.batch(limits=Limits(deadline=9.0))(LINES)
    assert len(stub.asked) == 6
    with stub.database.write() as connection:
        collections.set_encoder(connection, stub.here.id, "another", 64)
    stub.batch()(LINES)
    assert len(stub.asked) == 9


def test_another_spotlight_or_judge_is_another_batch(stub: Stub) -> None:
    stub.batch()(LINES)
    stub.settings = stub.settings.model_copy(update={"spotlight": "mark"})
    stub.batch()(LINES)
    assert len(stub.asked) == 6
    stub.parts.judge = lambda pairs: []
    stub.batch()(LINES)
    assert len(stub.asked) == 9


def test_a_resumed_batch_says_how_many_are_left(stub: Stub) -> None:
    heard: list[int] = []
    stop = threading.Event()
    stub.batch(begun=heard.append, stop=stop, done=lambda _: stop.set())(LINES)
    stub.batch(begun=heard.append)(LINES)
    stub.batch(begun=heard.append)(LINES)
    assert heard == [3, 2, 0]


def test_an_item_that_is_put_back_waits_again_unless_another_holds_it(stub: Stub) -> None:
    with stub.database.write() as connection:
        jobs.submit(connection, "job", stub.here.id, {}, [("q", {})])
        (item,) = jobs.claim(connection, "job", "me", 1, 60.0)
        assert not jobs.put_back(connection, replace(item, fence=item.fence + 1))
        assert jobs.put_back(connection, item) and not jobs.put_back(connection, item)
        (again,) = jobs.claim(connection, "job", "me", 1, 60.0)
    assert (again.id, again.fence, again.attempts) == (item.id, 2, 2)


def test_missing_counts_passages_that_are_gone_for_ever(stub: Stub) -> None:
    with stub.database.read() as connection:
        held = passages.all_ids(connection, stub.here.id)
        assert passages.missing(connection, held * 2) == 0
    rewrite(stub)
    with stub.database.read() as connection:
        assert passages.missing(connection, [*held, *held, 10_000]) == 2
        assert passages.missing(connection, []) == 0
