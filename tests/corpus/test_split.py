"""Passages: exact slices, within the budget, along sentences, balanced; nothing lost unsaid."""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.parsed import Parsed, ParsedTable, Section
from corpus.split import CONTEXT_CHARS, Cut, Splitter, layout
from pilotfish.text import sentences, words


def count(texts: Sequence[str]) -> list[int]:
    """Tokens of a made-up encoder: a word, or eight letters of a longer one."""
    return [sum(math.ceil(len(word) / 8) for word in words(text)) for text in texts]


def one(text: str) -> int:
    return count([text])[0]


def parsed(text: str, *, title: str = "Title", sections: Sequence[Section] = ()) -> Parsed:
    return Parsed(None, title, text, "text/plain", tuple(sections))


def cut(document: Parsed, budget: int = 30, row_limit: int = 5000) -> Cut:
    found = Splitter(count, budget, row_limit)(document)
    check(document, found, budget)
    return found


def check(document: Parsed, found: Cut, budget: int) -> None:
    """What holds for every cut."""
    last = 0
    for passage in found.passages:
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.text == passage.text.strip() != ""
        assert passage.start >= last
        last = passage.end
        room = max(8, budget - one(passage.context))
        assert one(passage.text) <= room
        whole = f"{passage.context}\n{passage.text}"
        assert passage.embed_sha == hashlib.sha256(whole.encode()).hexdigest()


PROSE = " ".join(f"Sentence number {i} has exactly eight words here." for i in range(40))


def test_prose_is_cut_between_sentences() -> None:
    found = cut(parsed(PROSE))
    ends = {end for _, end in sentences(PROSE)}
    starts = {start for start, _ in sentences(PROSE)}
    assert all(p.start in starts and p.end in ends for p in found.passages)
    assert "".join(p.text for p in found.passages).replace(" ", "") == PROSE.replace(" ", "")


def test_as_few_passages_as_fit_and_of_about_equal_size() -> None:
    found = cut(parsed(PROSE, title=""), budget=100)
    sizes = [one(p.text) for p in found.passages]
    assert len(sizes) == math.ceil(320 / 96)  # whole sentences of 8 words: 12 fit into 100
    assert max(sizes) - min(sizes) <= 8


def test_no_crumb_is_left_at_the_end() -> None:
    text = " ".join(f"Sentence {i} has just six words." for i in range(6))
    assert [one(p.text) for p in cut(parsed(text, title=""), budget=34).passages] == [18, 18]


def test_the_context_counts_towards_the_budget() -> None:
    title = "A rather long title of nine words in all"
    found = cut(parsed(PROSE, title=title), budget=30)
    assert all(one(p.context) + one(p.text) <= 30 for p in found.passages)
    assert {p.context for p in found.passages} == {title}


def test_the_context_is_the_title_and_the_headings_once_each() -> None:
    sections = [Section(0, 11, ("Title", "Part", "  Sub \n part ")), Section(12, 22, ())]
    found = cut(parsed("First part. Other part", sections=sections))
    assert [p.context for p in found.passages] == ["Title › Part › Sub part", "Title"]
    assert [p.heading for p in found.passages] == [("Title", "Part", "  Sub \n part "), ()]


def test_an_endless_heading_is_shortened_in_the_context_only() -> None:
    heading = ("word " * 500).strip()
    text = "Some text that follows it."
    (found,) = cut(parsed(text, sections=[Section(0, len(text), (heading,))]), 120).passages
    assert len(found.context) <= CONTEXT_CHARS and found.heading == (heading,)


def test_a_sentence_longer_than_the_budget_is_cut_at_commas_or_spaces() -> None:
    text = ", ".join(f"clause {i} of one endless sentence" for i in range(60)) + "."
    found = cut(parsed(text))
    assert len(found.passages) > 10
    assert all(text[p.end - 1] in ",." for p in found.passages)


def test_chinese_without_any_stop_fits() -> None:
    text = "".join(chr(0x4E00 + i % 5000) for i in range(5000))
    found = cut(parsed(text, title="标题"), budget=64)
    assert "".join(p.text for p in found.passages) == text


def test_chinese_sentences_are_cut_at_their_stops() -> None:
    text = "".join(f"第{i}句话是这样写的。" for i in range(100, 160))
    assert all(p.text.endswith("。") for p in cut(parsed(text, title="")).passages)


def test_one_word_of_ten_thousand_letters_fits() -> None:
    text = "".join(random.Random(0).choices("abcdefghij", k=10_000))
    assert "".join(p.text for p in cut(parsed(text)).passages) == text


def test_a_page_and_a_heading_never_mix_in_a_passage() -> None:
    text = "On page one. On page two. On page three."
    sections = [Section(0, 12, ("A",), 1), Section(13, 25, ("A",), 2), Section(26, 40, ("B",), 3)]
    found = cut(parsed(text, sections=sections)).passages
    assert [(p.text, p.page, p.heading) for p in found] == [
        ("On page one.", 1, ("A",)), ("On page two.", 2, ("A",)), ("On page three.", 3, ("B",))
    ]  # fmt: skip


def test_crumbs_and_repetitions_are_dropped_and_counted() -> None:
    lines = ["The same line stands here.", "--", "The same line stands here.", "ab", "Last line."]
    text, sections, at = "\n\n".join(lines), [], 0
    for line in lines:
        sections.append(Section(at, at + len(line)))
        at += len(line) + 2
    found = cut(parsed(text, sections=sections))
    assert [p.text for p in found.passages] == ["The same line stands here.", "Last line."]
    assert (found.short, found.duplicate, found.rows_left_out) == (2, 1, 0)


def test_the_same_text_under_another_heading_is_no_repetition() -> None:
    sections = [Section(0, 10, ("A",)), Section(11, 21, ("B",))]
    assert len(cut(parsed("same words\nsame words", sections=sections)).passages) == 2


@pytest.mark.parametrize("text", ["", "  \n ", "--", "a"])
def test_a_document_of_nothing_has_no_passages(text: str) -> None:
    assert cut(parsed(text)).passages == ()


def sheet(rows: int, before: str = "", after: str = "", wide: int = 1) -> Parsed:
    """A document with one table between two stretches of prose."""
    text, spans = before, []
    for i in range(rows):
        line = "; ".join(f"name{j}: item number {i} of {j}" for j in range(wide))
        spans.append((len(text), len(text) + len(line)))
        text += line + "\n"
    text += after
    cells = tuple(tuple(f"item number {i} of {j}" for j in range(wide)) for i in range(rows))
    columns = tuple(f"name{j}" for j in range(wide))
    numbers = tuple(range(2, rows + 2))
    table = ParsedTable("prices", "Prices", columns, cells, tuple(spans), numbers)
    section = Section(0, len(text.rstrip()), ("Sheet",), 4)
    return Parsed(None, "Title", text, "text/csv", (section,), (table,))


def test_each_table_row_is_a_passage_with_its_place() -> None:
    found = cut(sheet(3, before="Before the table.\n", after="After the table.")).passages
    assert [(p.kind, p.table_name, p.row, p.text) for p in found] == [
        ("text", None, None, "Before the table."),
        ("table", "prices", 2, "name0: item number 0 of 0"),
        ("table", "prices", 3, "name0: item number 1 of 0"),
        ("table", "prices", 4, "name0: item number 2 of 0"),
        ("text", None, None, "After the table."),
    ]
    assert {(p.page, p.heading) for p in found} == {(4, ("Sheet",))}


def test_rows_over_the_limit_are_left_out_and_counted() -> None:
    found = cut(sheet(10, before="Before.\n", after="After it."), row_limit=4)
    assert [p.row for p in found.passages if p.kind == "table"] == [2, 3, 4, 5]
    assert found.rows_left_out == 6
    assert [p.text for p in found.passages if p.kind == "text"] == ["Before.", "After it."]
    assert cut(sheet(3), row_limit=0).passages == ()


def test_a_row_longer_than_the_budget_is_cut_and_keeps_its_row() -> None:
    found = cut(sheet(2, wide=40)).passages
    assert len(found) > 4 and {p.row for p in found} == {2, 3}
    assert {p.kind for p in found} == {"table"}


def test_other_spans_than_sentences_can_be_handed_in() -> None:
    def halves(text: str) -> list[tuple[int, int]]:
        return [(0, len(text) // 2), (len(text) // 2, len(text))]

    text = "one two three four five six seven eight nine."
    found = Splitter(count, 8, spans=halves)(parsed(text, title=""))
    assert [p.text for p in found.passages] == ["one two three four fiv", "e six seven eight nine."]


def test_the_layout_is_the_sections_as_plain_lists() -> None:
    sections = (Section(0, 3, ("A", "B"), 2), Section(4, 5))
    document = parsed("abc d", sections=sections)
    assert layout(document) == [[0, 3, ["A", "B"], 2], [4, 5, [], None]]


def rows_apart(rows: int) -> Parsed:
    """A table of which each row stands in a section of its own."""
    document = sheet(rows)
    (table,) = document.tables
    sections = tuple(Section(start, end, ("One heading",)) for start, end in table.spans)
    return Parsed(None, "Title", document.text, "text/csv", sections, (table,))


def test_cutting_takes_time_in_proportion_to_sections_and_rows() -> None:
    def seconds(rows: int) -> float:
        document, splitter = rows_apart(rows), Splitter(lambda texts: [1] * len(texts), 30)
        begun = time.perf_counter()
        assert len(splitter(document).passages) == min(rows, 5000)
        return time.perf_counter() - begun

    few, many = (min(seconds(rows) for _ in range(3)) for rows in (2000, 8000))
    assert many < 9 * few  # 4 times the work; every row against every section: 16 times


def test_a_context_is_counted_once_however_many_passages_share_it() -> None:
    heard: list[str] = []

    def listening(texts: Sequence[str]) -> list[int]:
        heard.extend(texts)
        return count(texts)

    found = Splitter(listening, 60)(rows_apart(20))
    assert len(found.passages) == 20 and heard.count("Title › One heading") == 1


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(st.sampled_from("ab c.d,!?。，上海的😀é\u0301\n\t-1;\u00a0\u3000"), max_size=400),
    budget=st.integers(9, 60),
    title=st.sampled_from(["", "A title", "标题"]),
)
def test_every_text_is_cut_into_slices_that_lose_nothing(
    text: str, budget: int, title: str
) -> None:
    found = cut(parsed(text, title=title), budget)
    if not found.short and not found.duplicate:
        covered = set().union(*(range(p.start, p.end) for p in found.passages))
        assert all(i in covered for i, c in enumerate(text) if not c.isspace())


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_sections_and_rows_are_never_crossed(data: st.DataObject) -> None:
    document = sheet(data.draw(st.integers(0, 6)), "Intro one. Intro two.\n", "End of it.", 3)
    found = cut(document, data.draw(st.integers(9, 40))).passages
    rows = dict(zip(document.tables[0].numbers, document.tables[0].spans, strict=True))
    for passage in found:
        inside = [n for n, (a, b) in rows.items() if passage.start < b and a < passage.end]
        assert inside == ([passage.row] if passage.row is not None else [])
