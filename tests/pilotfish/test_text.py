"""Words, sentences, numbers and negation."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotfish.text import fold, is_cjk, negated, numbers, sentences, shorten, trim, words


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        (" \n ", []),
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("No end here", ["No end here"]),
        ("It costs 3.50 euros. Fine.", ["It costs 3.50 euros.", "Fine."]),
        ("Dr. Smith met Mr. Jones. They ate.", ["Dr. Smith met Mr. Jones.", "They ate."]),
        ("See Fig. 3 and No. 4. End.", ["See Fig. 3 and No. 4.", "End."]),
        ("J. R. R. Tolkien wrote it. Yes.", ["J. R. R. Tolkien wrote it.", "Yes."]),
        ("Use tools, e.g. Saws. Good.", ["Use tools, e.g. Saws.", "Good."]),
        ("It is approx. five. then more. End", ["It is approx. five. then more.", "End"]),
        ("Really?! Yes... He went.", ["Really?!", "Yes...", "He went."]),
        ('He said "Go." Then left.', ['He said "Go."', "Then left."]),
        ("(All of it.) Next.", ["(All of it.)", "Next."]),
        ("It’s “done.” Next.", ["It’s “done.”", "Next."]),
        ("你好。世界！好吗？好", ["你好。", "世界！", "好吗？", "好"]),
        ("他说：“走。”然后走了。", ["他说：“走。”", "然后走了。"]),
        ("Title\n\nText here.", ["Title", "Text here."]),
        ("Title\n \t\nText", ["Title", "Text"]),
        ("Do:\n- one\n* two\n3) three\n4. four", ["Do:", "- one", "* two", "3) three", "4. four"]),
        ("a line\nthat goes on", ["a line\nthat goes on"]),
        ("| a | b |\n| 1 | 2 |", ["| a | b |", "| 1 | 2 |"]),
        ("Visit www.a.com/x.html now. Do.", ["Visit www.a.com/x.html now.", "Do."]),
    ],
)  # fmt: skip
def test_a_text_has_these_sentences(text: str, wanted: list[str]) -> None:
    assert split(text) == wanted


def seconds_for(text: str) -> float:
    def once() -> float:
        begun = time.perf_counter()
        sentences(text)
        return time.perf_counter() - begun

    return min(once() for _ in range(5))


@pytest.mark.parametrize(
    ("row", "end"),
    [(".", "x"), ("?!", "x"), ('.")', "x"), ("。", "x"), ("\n ", "x"), (" ", "\nx"), ("1", "."),
     ("\n1", "x"), ("a.", "x")],
)  # fmt: skip
def test_a_row_of_marks_takes_time_in_proportion_to_its_length(row: str, end: str) -> None:
    few, many = (seconds_for("\n" + row * length + end) for length in (2000, 8000))
    assert many < 9 * few + 0.002  # 4 times as long; quadratic would be 16 times


TEXT = st.text(st.sampled_from("abA. .!?。！\n\t \"'”)0-*#e.g|é上\u00a0\u3000")) | st.text()


@given(TEXT)
def test_sentences_are_in_order_trimmed_and_lose_nothing(text: str) -> None:
    last, covered = 0, set[int]()
    for start, end in sentences(text):
        assert last <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        covered.update(range(start, end))
        last = end
    assert all(i in covered for i, c in enumerate(text) if not c.isspace())


@given(st.text(st.sampled_from("ab \n\t\u3000")), st.data())
def test_trimming_a_span_is_stripping_its_slice(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    a, b = trim(text, start, end)
    assert start <= a <= b <= end and text[a:b] == text[start:end].strip()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no number", []),
        ("30 days", ["30"]),
        ("1,234,567.50 euros", ["1234567.5"]),
        ("1\u202f234 and 5\u00a0678", ["1234", "5678"]),
        ("2.50 and 2.5 and 2.0", ["2.5", "2.5", "2"]),
        ("100", ["100"]),
        ("0.0 and 0", ["0", "0"]),
        ("12 % or 12%", ["12%", "12%"]),
        ("-5 and +5", ["-5", "5"]),
        ("−5 degrees", ["-5"]),
        ("10-20 pieces", ["10", "20"]),
        ("2020-01-31", ["2020", "01", "31"]),
        ("It ended in 1999.", ["1999"]),
        ("A4 paper, v2.1", []),
        ("2019,2020,2021", ["2019", "2020", "2021"]),
        ("1,2345", ["1", "2345"]),
        ("12,34", ["12", "34"]),
        ("第30天，共1,200元", ["30", "1200"]),
        ("涨了５.５０％", ["5.5%"]),
        ("été2020", []),
        ("10−20", ["10", "20"]),
        ("共 30 天", ["30"]),
        ("３０ days", ["30"]),
        ("$1,000 (€20)", ["1000", "20"]),
        ("", []),
    ],
)
def test_numbers_have_one_canonical_form(text: str, wanted: list[str]) -> None:
    assert numbers(text) == wanted


@given(st.integers(0, 10**12), st.integers(0, 999))
def test_a_number_is_the_same_however_it_is_written(whole: int, thousandths: int) -> None:
    plain, grouped = f"{whole}.{thousandths:03}", f"{whole:,}.{thousandths:03}"
    (found,) = numbers(plain)
    assert numbers(grouped) == [found] and float(found) == float(plain)
    assert numbers(f"about {grouped} %") == [found + "%"]


@pytest.mark.parametrize(
    "text",
    ["It is not so", "I can't", "I can’t", "NEVER", "without fee", "It cannot be", "fails",
     "不能退货", "没有", "未开封", "neither here nor there"],
)  # fmt: skip
def test_a_negation_is_seen(text: str) -> None:
    assert negated(text)


@pytest.mark.parametrize("text", ["", "a note on knots", "northern nobility", "可以退货"])
def test_no_negation_is_seen_where_there_is_none(text: str) -> None:
    assert not negated(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("", False), ("English", False), ("上海", True), ("123 !?", False), ("Shanghai 上海", True),
     ("a long English sentence with 上 in it", False), ("カタカナ", True), ("한국어", True),
     ("😀", False)],
)  # fmt: skip
def test_a_fifth_of_the_letters_makes_a_text_cjk(text: str, wanted: bool) -> None:
    assert is_cjk(text) is wanted


def test_words_are_folded_and_chinese_characters_stand_alone() -> None:
    assert words("Don't STOP, ＯＫ 上海a_b") == ["don't", "stop", "ok", "上", "海", "a", "b"]
    assert fold("ＡＢＣ ﬁ") == "abc fi"


@pytest.mark.parametrize(
    ("text", "limit", "wanted"),
    [("short", 9, "short"), ("a  b\n c", 9, "a b c"), ("abcdef", 6, "abcdef"),
     ("abcdefg", 6, "abcde…"), ("abcd efg", 6, "abcd…"), ("", 3, ""), ("abc", 1, "…")],
)  # fmt: skip
def test_a_long_line_is_cut_with_an_ellipsis(text: str, limit: int, wanted: str) -> None:
    assert shorten(text, limit) == wanted


@given(st.text(), st.integers(1, 40))
def test_a_shortened_line_keeps_to_its_limit(text: str, limit: int) -> None:
    found = shorten(text, limit)
    assert len(found) <= limit and not set("\n\r\t") & set(found)
