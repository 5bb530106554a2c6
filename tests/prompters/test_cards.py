"""Knowledge cards, the glossary they come from, rationales by extraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pilotfish.errors import ModelError
from pilotfish.step import run
from pilotfish.types import Answer, Case, Passage, Question
from prompters.adapt import Cards, Offer
from prompters.glossary import entries, named
from prompters.rationale import Rationale

WORDS = ("seal", "lamp", "lunch")


def embed(texts: Sequence[str]) -> np.ndarray:
    rows = np.array([[float(word in t.lower()) for word in WORDS] + [0.05] for t in texts])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def passage(text: str, number: int = 1) -> Passage:
    return Passage(number, text, f"d{number}", 10, 10 + len(text))


def written(text: str) -> object:
    return lambda case: replace(case, answer=Answer(text, model="small"))


def cards(**changed: object) -> Cards:
    offers = [Offer("seal: a ring of rubber", (3,)), Offer("lunch: at noon", (4,))]
    made = Cards({"glossary": lambda case: offers}, embed, {}, lambda text, case: 1.0)
    return replace(made, **changed)  # type: ignore[arg-type]


def test_abbreviations_and_definitions_are_found_with_their_place() -> None:
    text = ("The Tidelamp Works (TLW) open at eight. A spindle seal is a ring that keeps water out."
            " It is a good seal.")  # fmt: skip
    found = {one.term: one for one in entries([passage(text)])}
    assert found["TLW"].meaning == "Tidelamp Works"
    assert found["spindle seal"].meaning.startswith("a ring")
    assert set(found) == {"TLW", "spindle seal"}
    one = found["spindle seal"]
    assert text[one.start - 10 : one.end - 10].startswith("A spindle seal is")


def test_a_question_names_the_terms_that_stand_whole_in_it() -> None:
    found = entries([passage("The Tidelamp Works (TLW) open at eight.")])
    assert [one.term for one in named("When does the TLW open?", found)] == ["TLW"]
    assert named("When do the works open?", found) == []


def test_cards_near_the_question_become_hints_and_others_do_not() -> None:
    case = run(cards(), Case(Question("which seal?")))
    assert [hint.text for hint in case.hints] == ["seal: a ring of rubber (glossary)"]
    assert case.hints[0].read == (3,)  # what it quotes goes on with it
    assert case.hints[0].kind == "card" and case.trace[-1].detail["offered"] == 2


def test_what_a_model_wrote_is_labelled_and_left_out_where_nothing_carries_it() -> None:
    writers = {"model:x": written("A seal is made of brass.")}
    case = run(cards(sources={}, writers=writers), Case(Question("which seal?")))
    assert "written by a model" in case.hints[0].text
    held = cards(sources={}, writers=writers, carried=lambda text, case: 0.1)
    assert not run(held, Case(Question("which seal?"))).hints


def test_top_down_nobody_is_asked_while_the_evidence_is_enough() -> None:
    case = run(cards(thin=lambda case: False), Case(Question("which seal?")))
    assert not case.hints and case.trace[-1].detail["why"] == "the evidence is not thin"
    assert run(cards(thin=lambda case: True), Case(Question("which seal?"))).hints


def test_a_rationale_names_sentences_that_speak_of_the_question_in_their_order() -> None:
    texts = (passage("The lamp is blue. The seal is renewed in May."), passage("A seal fits.", 2))
    case = run(Rationale(2), Case(Question("When is the seal renewed?"), texts))
    (hint,) = case.hints
    assert hint.text.index("renewed in May") < hint.text.index("A seal fits")
    assert "blue" not in hint.text
    assert not run(Rationale(), Case(Question("zebra?"), texts)).hints


def test_a_writer_that_fails_is_left_out_and_its_trace_is_kept() -> None:
    def fails(case: Case) -> Case:
        raise ModelError("away")

    case = run(cards(writers={"model:x": fails}), Case(Question("which seal?")))
    assert [hint.text for hint in case.hints] == ["seal: a ring of rubber (glossary)"]
    assert any(event.error == "away" for event in case.trace)
