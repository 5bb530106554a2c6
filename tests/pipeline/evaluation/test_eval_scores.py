"""Words: SQuAD's measures, against a second implementation and by hand."""

from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.scores import grade, holds, is_right, normalised, text_f1, tokens, verdict

WORDS = st.lists(st.sampled_from(["the", "A", "Seine", "river", "30", "days,", "it's", "U.S.", "no",
                                  "an", "(old)", "well-known"]), max_size=8)  # fmt: skip


def squad_words(text: str) -> list[str]:
    """The normalisation, written down a second time."""
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def squad_f1(said: str, right: str) -> float:
    one, other = Counter(squad_words(said)), Counter(squad_words(right))
    same = sum(min(one[word], other[word]) for word in one)
    if not same:
        return 0.0
    precision, recall = same / sum(one.values()), same / sum(other.values())
    return 2 * precision * recall / (precision + recall)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_exact_match_and_f1_agree_with_a_second_implementation(
    said: list[str], right: list[str]
) -> None:
    one, other = " ".join(said), " ".join(right)
    if not squad_words(one) or not squad_words(other):
        return  # where nothing but articles is left, we keep them
    found = grade([one], [other])
    assert found.f1 == pytest.approx(squad_f1(one, other))
    assert found.exact == float(squad_words(one) == squad_words(other))


@pytest.mark.parametrize(("said", "right", "exact", "f1", "contains"), [
    ("The Seine", "seine.", 1, 1, 1),
    ("the river Seine", "Seine", 0, 2 / 3, 1),
    ("1,140 euros", "1140", 0, 2 / 3, 1),
    ("１９３９–1945", "1939-1945", 1, 1, 1),
    ("in thirty days", "30 days", 0, 0.4, 0),
    ("Seine river", "river Seine", 0, 1, 0),
    ("上海市。", "上海市", 1, 1, 1),
    ("总部位于上海市", "上海市", 0, 0.6, 1),
    ("北京市", "上海市", 0, 1 / 3, 0),
    ("", "Seine", 0, 0, 0),
])  # fmt: skip
def test_answers_whose_scores_are_known(
    said: str, right: str, exact: float, f1: float, contains: float
) -> None:
    found = grade([said], [right])
    assert (found.exact, found.contains) == (exact, contains)
    assert found.f1 == pytest.approx(f1)


def test_the_best_right_answer_and_the_best_form_count() -> None:
    assert grade(["It flows into the Seine at Rouen.", "Seine"], ["Loire", "the Seine"]).exact == 1
    assert grade(["nothing of it"], ["Loire", "Seine"]).f1 == 0
    assert grade([], ["Loire"]).f1 == 0


def test_an_answer_of_articles_alone_is_not_like_any_other() -> None:
    assert tokens("A") == ["a"] and tokens("The") == ["the"]
    assert grade(["The"], ["A"]).exact == 0 and grade(["a"], ["A"]).exact == 1


def test_chinese_is_counted_by_characters_also_beside_latin_letters() -> None:
    assert tokens("TL40型灯，重12公斤") == ["tl40", "型", "灯", "重", "12", "公", "斤"]


@pytest.mark.parametrize(("said", "right", "score"), [
    ("Yes", "yes", 1), ("Yes, since 1999.", "yes", 1), ("yes", "no", 0), ("No.", "no", 1),
    ("No one knows", "no", 0), ("It is so", "yes", 0), ("maybe", "maybe", 1), ("是的。", "yes", 1),
    ("不是", "是", 0), ("No. 5", "Chanel No. 5", None), ("yes", "the yes men", None),
])  # fmt: skip
def test_a_yes_or_no_must_be_that(said: str, right: str, score: float | None) -> None:
    found = grade([said], [right])
    assert found.yes_no == score
    if score is not None:
        assert found.right == bool(score)


def test_no_one_is_no_verdict() -> None:
    assert verdict("No one knows") is None and verdict("NO!") == "no"


def test_right_is_an_f1_of_four_fifths() -> None:
    assert grade(["one two three four five six"], ["one two three four"]).right  # 0.8
    assert not grade(["one two three four five six"], ["one two three"]).right  # 0.67


@pytest.mark.parametrize(("said", "answer", "there"), [
    ("It was grown in 1977—the tenth year.", "1977", True), ("Western Australia's iron", "Western "
    "Australia", True), ("a 31-member Senate", "member", True), ("The Seine.", "the seine", True),
    ("总部位于上海市。", "上海市", True), ("1977", "197", False), ("remember", "member", False),
    ("Seine", "the", False), ("Seine", "", False),
])  # fmt: skip
def test_an_answer_is_found_in_a_text_as_whole_words(said: str, answer: str, there: bool) -> None:
    assert holds(said, ["elsewhere", answer]) is there
    assert is_right(f"Indeed so: {said}", [answer], "contains") is there


def test_texts_are_compared_by_their_words() -> None:
    assert normalised("The ５-year “Plan”, of 上海") == "5 year plan of 上 海"
    assert text_f1("The river Seine!", "seine") == pytest.approx(2 / 3)


def test_a_label_of_yes_takes_nothing_else_though_an_evaluation_takes_its_reason() -> None:
    assert grade(["Yes, since 1999."], ["yes"]).right and not is_right("Yes, since 1999.", ["yes"])
    assert is_right("Yes.", ["no", "yes"])
