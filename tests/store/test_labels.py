"""Labels of answers: one an item, words gone with the item's text; calibrations by key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pilotfish.errors import InputError, NotFound
from store import calibrations, collections, documents, labels, removal, schema, submissions
from store.database import Database
from store.labels import Labelled
from tests.store.made import document, drop, fresh_database, put, queued, with_collection

BASIS = {"judged": 0.7, "features": {"kind": "date"}, "judge": "j1"}
LINE = {"status": "answered", "answer": "1921", "model": "extract", "basis": BASIS}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    one = fresh_database(tmp_path)
    with_collection(one)
    yield one
    one.close()


def answered(database: Database, count: int = 1) -> str:
    """A job whose items are answered; its id."""
    job = queued(database, count)
    with database.write() as connection:
        values = {"state": "answered", "result": LINE, "finished": 5.0}
        connection.execute(update(schema.items).values(**values))
        connection.execute(update(schema.jobs).values(state="completed", finished=5.0))
    return job


def label(database: Database, name: str, right: bool = True, answer: str | None = None) -> int:
    with database.write() as connection:
        item, _ = labels.item_of(connection, name, None)
        labels.put(connection, item, right, answer)
    return item


def corrections(database: Database) -> list[str | None]:
    with database.read() as connection:
        return list(connection.scalars(select(schema.labels.c.answer)))


def known(database: Database, judge: str = "j1", recipe: str = "plain") -> list[Labelled]:
    with database.read() as connection:
        return labels.of(connection, 1, recipe, judge)


def test_a_label_keeps_what_calibrating_needs_and_the_latest_counts(database: Database) -> None:
    job = answered(database, 2)
    label(database, f"{job}/0", True)
    label(database, f"{job[:12]}/1", True)
    label(database, f"{job}/1", False, "1922")
    rows = [Labelled(0.7, True, {"kind": "date"}), Labelled(0.7, False, {"kind": "date"})]
    assert known(database) == rows
    assert known(database, judge="j2") == [] and known(database, recipe="default") == []


def test_what_is_no_answer_cannot_be_labelled(database: Database) -> None:
    job = queued(database, 1)
    with pytest.raises(InputError, match="no answer to label"):
        label(database, job)
    with database.write() as connection:
        line = {**LINE, "status": "abstained"}
        connection.execute(update(schema.items).values(state="abstained", result=line))
    with pytest.raises(InputError, match="no answer to label"):
        label(database, job)


@pytest.mark.parametrize("name", ["", "job_", "7", "job_123456789/x", "/0", "job_123456789/-1"])
def test_what_is_no_name_of_an_item_is_refused(database: Database, name: str) -> None:
    with pytest.raises(InputError, match="JOB/NUMBER"):
        label(database, name)


def test_an_unknown_item_and_another_tenants_are_not_found(database: Database) -> None:
    job = answered(database)
    for name, tenant in ((f"{job}/9", None), ("job_000000000000", None), (f"{job}/0", "other")):
        with database.read() as connection, pytest.raises(NotFound):
            labels.item_of(connection, name, tenant)


def test_a_beginning_that_fits_several_jobs_is_refused(database: Database) -> None:
    with database.write() as connection:
        for name in ("job_aaaaaaaa1", "job_aaaaaaaa2"):
            row = {"id": name, "collection_id": 1, "recipe": "plain", "parameters": {}}
            connection.execute(schema.jobs.insert().values(
                **row, state="running", total=1, created=1.0
            ))  # fmt: skip
            connection.execute(schema.items.insert().values(
                job_id=name, ordinal=0, custom_id="1", question={}
            ))  # fmt: skip
    with pytest.raises(InputError, match="several items"):
        label(database, "job_aaaaaaaa")
    with database.read() as connection:
        assert labels.item_of(connection, "job_aaaaaaaa2", None)[1] == "job_aaaaaaaa2/0"


@pytest.mark.parametrize("how", ["job", "age", "document"])
def test_the_words_of_a_label_go_when_the_answers_text_goes(database: Database, how: str) -> None:
    here = with_collection(database)
    put(database, here, document("d", "Built in 1921."))
    item = label(database, f"{answered(database)}/0", False, "in 1922")
    with database.write() as connection:
        documents.mention(connection, here.id, ["d"], "item", item)
        job = connection.scalar(select(schema.items.c.job_id))
        if how == "job":
            removal.job_text(connection, str(job))
        if how == "age":
            submissions.forget_before(connection, 9.0)
    if how == "document":
        drop(database, here, "d")
    assert corrections(database) == [None]
    assert known(database) == [Labelled(0.7, False, {"kind": "date"})]


def test_a_collection_takes_its_labels_and_calibrations_with_it(database: Database) -> None:
    label(database, f"{answered(database)}/0", answer="x")
    with database.write() as connection:
        calibrations.put(connection, (1, "default", "j1"), 20, "{}")
        removal.collection(connection, 1)
    with database.read() as connection:
        assert connection.execute(select(schema.labels)).all() == []
        assert connection.execute(select(schema.calibrations)).all() == []


def test_a_calibration_is_found_by_collection_recipe_and_judge(database: Database) -> None:
    with database.write() as connection:
        other = collections.ensure(connection, "other", "fake-1", 64)
        calibrations.put(connection, (1, "default", "j1"), 20, '{"old": 1}')
        kept = calibrations.put(connection, (1, "default", "j1"), 41, '{"new": 1}')
    with database.read() as connection:
        assert calibrations.of(connection, 1, "default", "j1") == kept
        assert kept.where.startswith("calibrated here on 41 labels, 20")
        for key in ((other.id, "default", "j1"), (1, "plain", "j1"), (1, "default", "j2")):
            assert calibrations.of(connection, *key) is None
