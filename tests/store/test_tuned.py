"""What was fitted to collections is listed without its bytes, with what it was measured at."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from store import tuned
from tests.store.made import fresh_database, with_collection


def test_what_was_fitted_is_listed_by_collection_and_name_with_its_figures(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    first, second = with_collection(database, "b").id, with_collection(database, "a").id
    with database.write() as connection:
        tuned.put(connection, first, "graph", 3, b"four")
        tuned.put(connection, second, "demos", 7, b"", {"accuracy": 0.5})
        tuned.put(connection, first, "classifier:x", 9, b"12", {"beside": {"words": 0.25}})
        found = tuned.every(connection)
    assert [(one.collection, one.name, one.labels, one.size) for one in found] == [
        ("a", "demos", 7, 0), ("b", "classifier:x", 9, 2), ("b", "graph", 3, 4),
    ]  # fmt: skip
    assert [one.measured for one in found] == [{"accuracy": 0.5}, {"beside": {"words": 0.25}}, {}]


def test_what_was_fitted_before_figures_were_kept_has_none(tmp_path: Path) -> None:
    database = fresh_database(tmp_path)
    here = with_collection(database).id
    with database.write() as connection:
        tuned.put(connection, here, "graph", 3, b"x", {"accuracy": 1.0})
        connection.execute(text("UPDATE tuned SET measured = NULL"))
        (one,) = tuned.every(connection)
        kept = tuned.of(connection, here, "graph")
    assert one.measured == {} and kept is not None and kept.measured == {}
