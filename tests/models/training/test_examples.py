"""Records that share a text fall on one side; spans are what stands there."""

import random

import pytest

from models.training import coding, making, sources
from models.training.examples import NO_ANSWER, Example, components, held
from models.training.sources import place_of


def test_records_that_share_a_key_share_a_group():
    groups = components([("a", "x"), ("b", "x"), ("c", "y"), ("b", "z")])
    assert groups[0] == groups[1] == groups[3] != groups[2]


def test_about_a_fifth_of_all_documents_is_held_out():
    share = sum(held(f"document {n}") for n in range(5000)) / 5000
    assert 0.17 < share < 0.23


def test_the_first_answer_that_occurs_is_placed_exactly():
    text = "Berlin was divided until 1989."
    assert text[slice(*place_of(text, ["nine", "1989"]))] == "1989"
    assert text[slice(*place_of(text, ["berlin"]))] == "Berlin"
    assert place_of(text, ["Bonn"]) is None
    assert place_of(text, ["was"], 7) == (7, 10)


@pytest.mark.parametrize("seed", range(20))
def test_a_cloze_question_asks_for_a_span_of_its_passage(seed):
    text = "Marie Curie won the Nobel Prize in 1903 together with Pierre Curie and Henri Becquerel."
    made = list(making.cloze([("Radium", text, False)], 5, random.Random(seed)))
    for example in made:
        value = example.passage[slice(*example.span)]
        assert value and value in text and value.lower() not in example.asked.lower().split()


def test_claims_made_of_a_passage_carry_the_side_of_its_document():
    text = "The mill was built in 1750. It has three storeys and a slate roof. Nobody lives there."
    made = list(making.claims([("Mill", text, True)], 40, random.Random(3)))
    assert made and all(example.held for example in made)
    assert {example.verdict for example in made} >= {0, 1}


def test_tokens_of_a_span_point_back_at_its_characters():
    passage = "The tower is 324 metres tall, about the height of an 81-storey building."
    start = passage.index("324")
    example = Example("how tall is it", passage, "x", 1.0, None, (start, start + 10))
    (row,) = coding.coded([example])
    tokens = coding.tokenizer().encode(example.asked, passage).tokens
    assert tokens[row.start : row.end + 1] == ["324", "metres"]
    assert coding.coded([Example("q", passage, "x", 0.0, None, NO_ANSWER)])[0].start == 0


def test_batches_hold_every_example_once_under_the_budget():
    import numpy as np

    rows = coding.coded([Example("q " * n, "word " * (n * 7), "x", 1.0) for n in range(1, 30)])
    made = list(coding.batches(rows, 512, np.random.default_rng(1)))
    assert sum(len(batch.ids) for batch in made) == len(rows)
    assert all(batch.ids.size <= 512 or len(batch.ids) == 1 for batch in made)


def test_a_swapped_answer_stands_where_the_span_says_and_the_right_one_is_gone():
    asked = [
        (
            "who built the mill",
            "The mill was built by Ada Berg. Ada Berg was a miller.",
            "Ada Berg",
        ),
        ("who owns it", "Nobody knows who owns it but Olaf Lund, who wrote a book.", "Olaf Lund"),
    ]
    pool = [Example(q, t, "s", 1.0, None, (t.index(a), t.index(a) + len(a))) for q, t, a in asked]
    made = list(making.swapped(pool * 5, random.Random(2)))
    assert made
    for example in made:
        right = next(a for q, _, a in asked if q == example.asked)
        assert right not in example.passage and example.source == "s swapped"
        said = example.passage[slice(*example.span)]
        assert said in {a for _, _, a in asked} - {right}


def test_no_text_of_a_yes_no_question_and_no_first_hop_holds_the_answer():
    gold = ["The Mill. A film by Ada Berg.", "Ada Berg. She was born in 1901."]
    asked = {"question": "When was the director of The Mill born?", "answers": ["1901"]}
    first, second = sources._whole(asked, gold, [], False)
    assert first.span == NO_ANSWER and second.passage[slice(*second.span)] == "1901"
    asked = {"question": "Is she born in 1901, yes or no?", "answers": ["yes"]}
    assert [e.span for e in sources._whole(asked, ["Say yes."], [], False)] == [NO_ANSWER]
