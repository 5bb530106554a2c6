"""The metadata filter: what it finds, what it refuses, and that nothing else ever happens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pilotfish.errors import InputError
from store import schema, where
from store.database import Database
from tests.store.made import document, fresh_database, put, with_collection

METADATA: dict[str, dict[str, object]] = {
    "a": {"year": 2019, "team": "sales", "open": True, "tags": ["red", "École"], "x-y": 1},
    "b": {"year": 2020, "team": "Ops", "open": False, "tags": ["green"], 'say "hi"': "yes"},
    "c": {"year": "2021", "team": "it's", "size": 1.5, "größe": "7 m", "城市": "上海"},
    "d": {"year": 2022.5, "team": "food", "tags": ["上海", "北京"], "note": 'a "b" c', "a.b": 3},
    "e": {"team": None, "author": {"name": "Ann"}, "back\\slash": "in", "flat": "tags"},
}
CASES = {
    "year = 2020": "b",
    "year == 2020": "b",
    "year != 2020": "acd",
    "year >= 2020": "bcd",
    "year > 2020": "cd",
    "year < 2020": "a",
    "year <= 2.02e3": "ab",
    'year = "2020"': "b",
    "year = 2021": "c",
    "year > 2022.4": "d",
    "size = 1.5": "c",
    "size = 1.50": "c",
    "size > -1": "c",
    "team = sales": "a",
    "team = 'sales'": "a",
    'team = "sales"': "a",
    "team = SALES": "",
    'team = "it\'s"': "c",
    "team = 'it\\'s'": "c",
    "team != sales": "bcd",
    "team > 'f'": "acd",
    "open = true": "a",
    "open = TRUE": "a",
    "open = false": "b",
    "open != true": "b",
    "team = false": "",
    "year = true": "",
    "team in (sales, food)": "ad",
    "team in ('sales')": "a",
    "year in (2019, '2021', 2022.5)": "acd",
    "team contains S": "abc",
    "team contains ops": "b",
    "tags contains red": "a",
    "tags contains RED": "a",
    "tags contains e": "ab",
    "tags contains École": "a",
    "tags contains 上海": "d",
    "tags contains '\",'": "",
    "year contains 202": "bcd",
    "城市 = 上海": "c",
    "城市 contains 海": "c",
    "größe contains M": "c",
    "x-y = 1": "a",
    "a.b = 3": "d",
    "author.name = Ann": "",
    '"say \\"hi\\"" = yes': "b",
    '"back\\\\slash" = in': "e",
    "note contains '\"b\"'": "d",
    "not year = 2020": "acde",
    "not not year = 2020": "b",
    "not (year = 2020 or year = 2019)": "cde",
    "not missing = 1": "abcde",
    "missing = 1": "",
    "missing != 1": "",
    "missing contains a": "",
    "team = nan": "",
    "year >= 2020 and team = food": "d",
    "year = 2019 or year = 2020 and team = Ops": "ab",
    "(year = 2019 or year = 2020) and team = Ops": "b",
    "((year = 2019))": "a",
    "YEAR = 2019": "",
    "year = 2019 OR team = Ops": "ab",
    "id = a": "a",
    "id in (a, e)": "ae",
    "title = A": "a",
    "title contains É": "",
    "source = 'b.txt'": "b",
    "type = text/plain": "abcde",
    "type != text/plain": "",
    "source contains '.TXT'": "abcde",
    "id contains 'a'": "a",
    "year=2019": "a",
    "  year  =  2019  ": "a",
}
INJECTIONS = (
    "id = 'x' or 1=1 --",
    'id = "x\'; DROP TABLE documents; --"',
    '"\'); DROP TABLE documents; --" = 1',
    "'$.year\" or 1=1' = 1",
    "year = '2019) OR 1=1'",
    "id = 'a%'",
    "id contains '%'",
    "id contains '_'",
    '"$" contains sales',
    '"year\\" , \\"$" contains a',
)
REFUSED = {
    "": "ends too early",
    "year": "ends too early",
    "year =": "ends too early",
    "= 2020": "a field name should stand where '='",
    "year = = 2020": "a value should stand where '='",
    "year 2020": "'2020' is no comparison",
    "year like 2020": "'like' is no comparison",
    "year = 2020 team = x": "unexpected 'team'",
    "(year = 2020": "ends too early",
    "(year = 2020 and": "ends too early",
    "year = 2020)": "unexpected ')'",
    "year in 2020": "'in' needs a list in brackets",
    "year in (2020": "ends too early",
    "year in ()": "a value should stand where ')'",
    "year in (1 2)": "closing ) is missing",
    "year = 'abc": "cannot be read at",
    "year ! 2020": "cannot be read at '! 2020'",
    "year = 2020 and or": "ends too early",
    "not": "ends too early",
    "(" * 21 + "a = 1" + ")" * 21: "20 deep",
    "not " * 700 + "a = 1": "20 deep",
    " or ".join(["a = 1"] * 500): "shorten it",
    "a = '\ud800'": "cannot be read",
    "'\ud800' = 1": "cannot be read",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    one = fresh_database(Path(tmp_path_factory.mktemp("where")))
    collection = with_collection(one)
    put(one, collection, *[document(k, f"text of {k}", metadata=m) for k, m in METADATA.items()])
    put(one, with_collection(one, "other"), document("a", "hidden", metadata=METADATA["a"]))
    yield one
    one.close()


def found(database: Database, text: str) -> str:
    """The keys of the documents whose passages pass, as one word."""
    return "".join(sorted(keys(database, text)))


def keys(database: Database, text: str) -> set[str]:
    with database.read() as connection:
        ids = where.allowed(connection, 1, text)
        p, d = schema.passages.c, schema.documents.c
        query = select(d.key).join(schema.passages, p.document_id == d.id).where(p.id.in_(ids))
        return set(connection.scalars(query))


@pytest.mark.parametrize("text", CASES, ids=str)
def test_a_filter_finds_exactly_its_documents(database: Database, text: str) -> None:
    assert found(database, text) == CASES[text]


ODD: dict[str, dict[str, object]] = {
    "12": {"n": 12, "zip": "01234", "flag": True},
    "12abc": {"n": "12abc", "zip": 1234, "flag": "true"},
    "10000000000000000001": {"n": 9007199254740993, "source": "wiki", "flag": 1},
    "10000000000000000002": {"n": 9007199254740992, "source": None, "long": "9" * 19 + "1"},
    "x": {"n": "1e1", "type": 7, "long": "9" * 19 + "2", "flag": False},
}
ODD_CASES: dict[str, set[str]] = {
    "id = 12": {"12"},
    "id != 12": set(ODD) - {"12"},
    "id in (12, x)": {"12", "x"},
    "id = 10000000000000000001": {"10000000000000000001"},
    "n = 12": {"12"},
    "n = 12abc": {"12abc"},
    "n < 13": {"12", "x"},
    "n = 10": {"x"},
    "n = 9007199254740993": {"10000000000000000001"},
    "n != 12": set(ODD) - {"12"},
    f"long = {'9' * 19}1": {"10000000000000000002"},
    "zip = 01234": {"12", "12abc"},
    "zip = 1234": {"12abc"},
    "flag = true": {"12", "12abc"},
    "flag = 1": {"10000000000000000001"},
    "flag = 'false'": {"x"},
    "flag contains 1": {"10000000000000000001"},
    "source = wiki": {"10000000000000000001"},
    "source contains .txt": set(ODD) - {"10000000000000000001"},
    "source != wiki": set(ODD) - {"10000000000000000001"},
    "type = 7": {"x"},
    "type = text/plain": set(ODD) - {"x"},
    "n < " + "9" * 5000: set(ODD) - {"12abc"},
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    one = fresh_database(Path(tmp_path_factory.mktemp("odd")))
    put(one, with_collection(one), *[document(k, f"t {k}", metadata=m) for k, m in ODD.items()])
    yield one
    one.close()


@pytest.mark.parametrize("text", ODD_CASES, ids=lambda text: text[:40])
def test_numbers_are_whole_and_exact_and_a_metadata_key_wins_over_a_column(
    odd: Database, text: str
) -> None:
    assert keys(odd, text) == ODD_CASES[text]


def test_a_document_whose_metadata_is_no_json_disables_no_filter(tmp_path: Path) -> None:
    one = fresh_database(tmp_path)
    whole, broken = document("a", "t", metadata={"year": 1}), document("b", "t", metadata={})
    put(one, with_collection(one), whole, broken)
    with one.write() as connection:
        connection.exec_driver_sql(
            "UPDATE documents SET metadata = '{\"year\": NaN}' WHERE key = 'b'"
        )
    assert keys(one, "year = 1") == {"a"}
    assert keys(one, "not year = 1") == {"b"}
    assert keys(one, "source = b.txt") == {"b"}
    one.close()


@pytest.mark.parametrize("text", INJECTIONS, ids=str)
def test_what_looks_like_sql_is_only_text(database: Database, text: str) -> None:
    with contextlib.suppress(InputError):
        assert found(database, text) == ""
    assert found(database, "not missing = 1") == "abcde"


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[:30])
def test_a_filter_that_cannot_be_read_names_the_place_and_the_mend(
    database: Database, text: str
) -> None:
    with pytest.raises(InputError) as caught:
        found(database, text)
    assert REFUSED[text] in str(caught.value)
    assert "write it like: year >= 2020" in str(caught.value) or "shorten" in str(caught.value)


def test_ids_come_ascending_and_only_from_the_collection(database: Database) -> None:
    with database.read() as connection:
        assert where.allowed(connection, 1, "type = text/plain") == [1, 2, 3, 4, 5]
        assert where.allowed(connection, 2, "team = sales") == [6]


def test_a_long_filter_within_the_limit_is_answered(database: Database) -> None:
    assert found(database, " or ".join(f"year = {year}" for year in range(1900, 2090))) == "abc"
    assert found(database, f"year in ({', '.join(map(str, range(1750, 2100)))})") == "abc"
    assert found(database, "(" * 20 + "year = 2019" + ")" * 20) == "a"
    assert found(database, "not " * 20 + "year = 2019") == "a"


WORDS = st.sampled_from([
    "year", "team", "and", "or", "not", "in", "contains", "(", ")", ",", "=", "!=", "<", ">=",
    "2020", "'x'", '"y"', "true", "1e999", "-", "'", '"', "\\", "--", ";", "\0", "é", "上", "\n",
])  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.one_of(st.text(st.characters(), max_size=30), st.lists(WORDS).map(" ".join)))
def test_any_text_is_answered_or_refused(database: Database, text: str) -> None:
    try:
        found(database, text)
    except InputError as error:
        assert str(error)


TEXT = st.characters(exclude_characters="\0", exclude_categories=["Cs"])  # SQLite's JSON drops NUL


@settings(max_examples=60, deadline=None)
@given(field=st.text(TEXT, min_size=1, max_size=8), value=st.text(TEXT, max_size=8))
def test_any_name_and_value_can_be_asked_for(
    field: str, value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = _another(tmp_path_factory)
    put(one, with_collection(one), document("d", "text", metadata={field: value}))
    assert found(one, f"{_quoted(field)} = {_quoted(value)}") == "d"
    assert found(one, f"{_quoted(field)} != {_quoted(value)}") == ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_MADE: list[Database] = []


def _another(factory: pytest.TempPathFactory) -> Database:
    if not _MADE:
        _MADE.append(fresh_database(Path(factory.mktemp("any"))))
    return _MADE[0]
