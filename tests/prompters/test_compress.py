"""What is laid out in a prompt: near-duplicates once, demonstrations within their share."""

from __future__ import annotations

from collections.abc import Sequence

from pilotfish.types import Case, Hint, Passage, Question
from prompters.compress import affordable, merged, without_tokens
from prompters.render import Render

LONG = "The seal of the spindle is renewed every 24 months with the seal kit that lies in the box."


def passage(number: int, text: str) -> Passage:
    return Passage(number, text, f"d{number}", 0, len(text))


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def test_what_nearly_repeats_an_earlier_passage_is_left_out() -> None:
    again = LONG.replace("box", "bag")
    other = "Parking permits are issued by the front desk on the first floor before nine o'clock."
    kept = merged([passage(1, LONG), passage(2, again), passage(3, other)])
    assert [one.id for one in kept] == [1, 3]


def test_the_same_sentence_with_another_figure_at_its_heart_is_kept_when_short() -> None:
    kept = merged([passage(1, "Lunch costs 9 euros."), passage(2, "Lunch costs 7 euros.")])
    assert len(kept) == 2


def test_demonstrations_get_their_share_the_most_similar_first() -> None:
    texts = ["far far far far", "nearer two", "nearest two"]
    assert affordable(texts, 16, words) == ["nearer two", "nearest two"]
    assert affordable(texts, 4, words) == []


def test_the_prompt_has_demonstrations_before_the_question_and_each_passage_once() -> None:
    hints = (Hint("demo", "Input: a\nOutput: b"), Hint("query", "never shown"))
    case = Case(
        Question("what?"), (passage(1, LONG), passage(2, LONG.replace("box", "bag"))), hints
    )
    done = Render(b"s", words, 300)(case)
    assert done.prompt is not None
    sent = done.prompt.messages[-1].content
    assert sent.count("renewed every 24 months") == 1 and "never shown" not in sent
    assert sent.index("Solved examples") < sent.index("Output: b") < sent.index("Question: what?")


def test_token_dropping_keeps_the_rarest_words_in_their_order() -> None:
    rarity = {"seal": 3.0, "spindl": 5.0, "spindle": 5.0, "the": 0.1, "of": 0.1}
    assert without_tokens("the seal of the spindle", 0.4, rarity) == "seal spindle"


def test_a_longer_passage_is_kept_though_it_repeats_a_shorter_earlier_one() -> None:
    longer = LONG + " The old one goes to Ines Fowler, who keeps a list of all seals and their age."
    assert len(merged([passage(1, LONG), passage(2, longer)])) == 2
    assert [one.id for one in merged([passage(1, longer), passage(2, LONG)])] == [1]


def test_long_passages_that_differ_in_a_figure_a_name_or_a_not_are_all_kept() -> None:
    text = (
        LONG + " It is done on Monday by the Leeds yard, which tells the office about it by mail."
    )
    for old, new in (("24", "36"), ("Leeds", "Hull"), ("It is", "It is not")):
        assert len(merged([passage(1, text), passage(2, text.replace(old, new))])) == 2
    assert len(merged([passage(1, text), passage(2, text.replace("mail", "post"))])) == 1
