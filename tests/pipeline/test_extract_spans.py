"""The extractive tier with a cross-encoder: spans, their sentences, tables as before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from models.pilot.reading import Judge, Pair, Reading
from pilotfish.types import Case, Question, Span
from pipeline.extract import Extract
from tests.verifiers.fakes import case_of, embed, passage
from verifiers.cite import Cite
from verifiers.spanned import best_span
from verifiers.support import Support


def reads(word: str, relevance: float = 3.0) -> Judge:
    """A cross-encoder that finds one word wherever it stands."""

    def model(pairs: Sequence[Pair]) -> list[Reading]:
        found = []
        for _, text in pairs:
            at = text.find(word)
            span = (at, at + len(word), 7.0) if at >= 0 else (0, 2, -4.0)
            found.append(Reading(relevance if at >= 0 else -3.0, 0, 0, 1, (span,), 0.0))
        return found

    return model


def read_case(*texts: str) -> Case:
    return case_of("Who painted the tower?", *texts)


def test_the_cross_encoder_gives_the_span_and_no_more() -> None:
    case = read_case("Nothing here.", "The tower was painted by Ada Lund in May.")
    done = Extract(embed, model=reads("Ada Lund"))(case)
    assert done.answer is not None
    assert (done.answer.text, done.answer.values) == ("Ada Lund", ("Ada Lund",))


def test_a_span_is_cited_by_the_sentence_around_it() -> None:
    text = "It is old. The tower was painted by Ada Lund in May. It is red."
    case = read_case(text)
    model = reads("Ada Lund")
    done = Support(embed, model)(Extract(embed, model=model)(case))
    start = case.passages[0].start
    cite = Cite(embed, lambda _, a, b: text[a - start : b - start], 0.0, model)
    answer = cite(done).answer
    assert answer is not None and not answer.abstained
    (citation,) = answer.citations
    assert isinstance(citation.source, Span)
    assert citation.source.quote == "The tower was painted by Ada Lund in May."


def test_a_document_that_changed_meanwhile_gives_no_citation_of_a_span() -> None:
    case = read_case("The tower was painted by Ada Lund.")
    model = reads("Ada Lund")
    done = Support(embed, model)(Extract(embed, model=model)(case))
    answer = Cite(embed, lambda *_: "changed", 0.0, model)(done).answer
    assert answer is not None and answer.abstained and not answer.citations


def test_an_answer_in_the_title_is_none_of_the_document() -> None:
    case = read_case("Nothing is known.")
    titled = replace(case.passages[0], title="Ada Lund")
    done = Extract(embed, model=reads("Ada Lund"))(replace(case, passages=(titled,)))
    assert done.answer is not None and done.answer.abstained


def test_two_passages_that_agree_are_seen_as_such() -> None:
    texts = ("Ada Lund painted it.", "The painter was Ada Lund.", "Ropes are long.")
    found = best_span("Who painted it?", read_case(*texts).passages, reads("Ada Lund"))
    alone = best_span("Who painted it?", read_case(*texts[:1]).passages, reads("Ada Lund"))
    assert found is not None and alone is not None
    assert (found.features["agree"], alone.features["agree"]) == (1.0, 0.0)


def test_a_table_row_is_read_by_its_cells_even_with_a_cross_encoder() -> None:
    row = passage("item: anvil; price: 12.50", kind="table")
    case = Case(Question("What is the price of an anvil?"), (row,))
    with_model = Extract(embed, model=reads("anvil"))(case).answer
    assert with_model == Extract(embed)(case).answer
