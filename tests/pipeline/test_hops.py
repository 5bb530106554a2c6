"""Hops are taken in turn, misreadings do not end the way, answers are put together and cited."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pilotfish.step import run
from pilotfish.types import Answer, Case, Citation, Hint, Passage, Question, Scope, Span
from pipeline.comparing import compared, date, same
from pipeline.decomposer import by_llm, read
from pipeline.hop_answer import HopAnswer
from pipeline.hop_reading import Candidate
from pipeline.hops import Hop, Hops, Way, fillings, fused
from prompters.decompose import Decomposition
from verifiers.reread import HOPS, Reread

FILM = Passage(1, "Sea of Glass was directed by Ann Lee.", "film", 0, 37, title="Sea of Glass")
ANN = Passage(2, "Ann Lee was born on 3 May 1950.", "ann", 0, 31, title="Ann Lee")
BOB = Passage(3, "Bob Ray was born in 1960.", "bob", 0, 25, title="Bob Ray")
OTHER = Passage(4, "Films are shot by directors who were born.", "other", 0, 42, title="Films")
QUESTION = "When was the director of Sea of Glass born?"
BRIDGE = Decomposition("bridge", ("Who is the director of Sea of Glass?", "When was #1 born?"), 0.9)


def search(case: Case) -> Case:
    """Passages whose title the question holds, then the others."""
    every = (OTHER, BOB, ANN, FILM)
    found = sorted(every, key=lambda p: p.title not in case.question.text)
    return replace(case, passages=tuple(found[:2]))


def plain(case: Case) -> Case:
    return replace(case, passages=(OTHER,))


def reads(question: str, passages: Sequence[Passage]) -> list[Candidate]:
    """First the wrong name, so that only a second candidate leads on."""
    if question.startswith("Who"):
        return [Candidate("Cy Nil", FILM, 0.6, 1.0), Candidate("Ann Lee", FILM, 0.4, 0.5)]
    first = passages[0]
    if first is ANN and "Ann" in question:
        return [Candidate("3 May 1950", ANN, 1.0, 3.0)]
    return [Candidate("unknown", first, 0.3, 0.0)]


def hopped(question: str = QUESTION, found: Decomposition = BRIDGE) -> Case:
    return run(Hops(lambda case: (found, case), plain, search, reads, 4), Case(Question(question)))


def test_the_second_hop_is_asked_with_what_the_first_one_read() -> None:
    done = hopped()
    assert [p.document for p in done.passages].index("ann") < 4
    assert {"film", "ann"} <= {p.document for p in done.passages}
    assert "other" in {p.document for p in done.passages}  # the plain way's fills up


def test_a_misreading_does_not_end_the_way() -> None:
    asked = [hint.text for hint in hopped().hints if hint.kind == "query"]
    assert asked == ["Who is the director of Sea of Glass?", "When was Ann Lee born?"]


def test_sub_answers_and_the_form_are_hints() -> None:
    hints = {hint.kind: hint.text for hint in hopped().hints}
    assert hints["form"] == "bridge"
    assert hints["sub-answer"] == "Who is the director of Sea of Glass? Ann Lee"
    # An LLM is to come to it by itself; what it quotes goes with it, also what led there.
    last = next(hint for hint in hopped().hints if hint.kind == "last answer")
    assert last.text == "When was Ann Lee born? 3 May 1950" and {1, 2} <= set(last.read)


def test_a_single_question_goes_the_plain_way_untouched() -> None:
    single = Decomposition("single", (QUESTION,))
    done = hopped(found=single)
    assert done.passages == plain(Case(Question(QUESTION))).passages
    assert done.hints == ()


def test_a_question_about_a_table_is_not_taken_apart() -> None:
    asked = Case(Question(QUESTION, scope=Scope(table="t")))
    done = run(Hops(lambda case: (BRIDGE, case), plain, search, reads, 4), asked)
    assert done.hints == ()


def test_a_hop_without_an_answer_is_asked_as_it_stands() -> None:
    empty = Hop((Way("Who?", 1.0, (), ()),))
    assert list(fillings("When was #1 born?", [empty])) == [("When was #1 born?", 1.0)]


def test_beliefs_multiply_over_what_a_sub_question_waits_for() -> None:
    one = Hop((Way("a?", 1.0, (), (Candidate("A", ANN, 0.8, 0), Candidate("B", ANN, 0.2, 0))),))
    made = dict(fillings("#1 and #2?", [one, one]))
    assert made["A and A?"] == pytest.approx(0.64)
    assert len(made) == 3


def test_fusion_puts_the_first_of_each_hop_first() -> None:
    hops = [Hop((Way("a?", 1.0, (FILM, OTHER), ()),)), Hop((Way("b?", 0.5, (ANN, OTHER), ()),))]
    ranked = fused([BOB], hops, 3)
    assert {p.id for p in ranked[:3]} >= {FILM.id, ANN.id}
    assert [p.score for p in ranked] == sorted((p.score for p in ranked), reverse=True)


def judged(case: Case) -> Case:
    """An extractor and its checks: what stands last in the first passage, cited."""
    passage = case.passages[0]
    text = passage.text.rstrip(".").partition(" in ")[2] or passage.text.partition(" on ")[2]
    text = text.rstrip(".")
    span = Span(passage.document, 0, len(passage.text), passage.text)
    cited = (Citation((0, len(text)), span, 0.9, passage.id),)
    return replace(case, answer=Answer(text, (text,), "extract", cited, 0.9))


def answer_of(form: str, question: str, *asked: str) -> Answer:
    hints = (Hint("form", form), *(Hint("query", text, 1.0) for text in asked))
    case = Case(Question(question), (OTHER, FILM, ANN, BOB), hints)
    done = run(HopAnswer(judged, reads), case)
    assert done.answer is not None
    return done.answer


def test_the_last_hop_answers_a_bridge_and_is_cited() -> None:
    answer = answer_of("bridge", QUESTION, "Who directed Sea of Glass?", "When was Ann Lee born?")
    assert (answer.text, answer.model) == ("3 May 1950", HOPS)
    assert [c.source.document for c in answer.citations if isinstance(c.source, Span)] == ["ann"]
    assert answer.support is not None


def test_the_hop_before_is_cited_where_its_answer_stands_in_the_next_question() -> None:
    def reading(case: Case) -> Case:
        if case.question.text.startswith("Who"):
            span = Span("film", 0, len(FILM.text), FILM.text)
            return replace(case, answer=Answer("Ann Lee", citations=(Citation((0, 7), span, 0.9),)))
        return judged(case)

    hints = (Hint("form", "bridge"), Hint("query", "Who directed Sea of Glass?", 1.0),
             Hint("query", "When was Ann Lee born?", 1.0))  # fmt: skip
    case = Case(Question(QUESTION), (FILM, ANN), hints)
    answer = run(HopAnswer(reading, reads), case).answer
    assert answer is not None and answer.text == "3 May 1950"
    spans = [c.source for c in answer.citations if isinstance(c.source, Span)]
    assert [span.document for span in spans] == ["ann", "film"]


def test_a_comparison_names_the_thing_and_cites_both() -> None:
    answer = answer_of(
        "comparison", "Who is younger, Ann Lee or Bob Ray?",
        "When was Ann Lee born?", "When was Bob Ray born?",
    )  # fmt: skip
    assert answer.text == "Bob Ray"
    cited = {c.source.document for c in answer.citations if isinstance(c.source, Span)}
    assert cited == {"ann", "bob"}
    assert all(c.sentence == (0, len("Bob Ray")) for c in answer.citations)


def test_without_hops_it_is_silent() -> None:
    case = Case(Question(QUESTION), (FILM,))
    assert run(HopAnswer(judged, reads), case).answer is None


def test_a_word_problem_is_not_answered() -> None:
    assert answer_of("arithmetic", "How many?", "How many a?", "How many b?").abstained


@pytest.mark.parametrize(
    ("question", "values", "right"),
    [
        ("Who was born first, A or B?", ("3 May 1950", "1960"), "A"),
        ("Who is older, A or B?", ("May 3, 1950", "2 May 1950"), "B"),
        ("Which film came out more recently, A or B?", ("1950", "in 1960"), "B"),
        ("Who died later, A or B?", ("1 January 1900", "31 December 1899"), "A"),
        ("Which is taller, A or B?", ("324 m", "96 m"), "A"),
        ("Were A and B of the same nationality?", ("Indian", "India"), "yes"),
        ("Are A and B located in the same country?", ("Oslo, Norway", "Sweden"), "no"),
    ],
)
def test_values_are_compared(question: str, values: tuple[str, str], right: str) -> None:
    outcome = compared(question, ("A", "B"), values)
    assert outcome is not None
    assert outcome.text == right


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ("Who was born first, A or B?", ("1950", "1950")),
        ("Who was born first, A or B?", ("in Oslo", "1950")),
        ("Are A and B both in Europe?", ("Oslo", "Oslo")),
        ("Who was born first, A or B?", ("", "1950")),
    ],
)
def test_what_cannot_be_told_apart_gives_no_answer(question: str, values: tuple[str, str]) -> None:
    assert compared(question, ("A", "B"), values) is None


def test_dates_are_read_in_both_orders() -> None:
    assert date("born May 3rd, 1950") == date("3 May 1950") == (1950, 5, 3)
    assert date("nothing") is None


def test_lands_and_their_people_are_the_same() -> None:
    assert same("American", "United States")
    assert same("French", "France")
    assert not same("Danish", "Swedish")


def test_a_quote_that_no_longer_stands_is_withdrawn() -> None:
    span = Span("ann", 0, 3, "Ann")
    answer = Answer("Ann", model=HOPS, citations=(Citation((0, 3), span, 0.9),), support=0.9)
    case = Case(Question("?"), answer=answer)
    kept = run(Reread(lambda document, start, end: "Ann"), case).answer
    gone = run(Reread(lambda document, start, end: "Bob"), case).answer
    assert kept == answer
    assert gone is not None
    assert (gone.abstained, gone.citations) == (True, ())


@pytest.mark.parametrize(
    "reply",
    [
        '["Who made it?", "When was #1 born?"]',
        'Sure!\n```json\n["Who made it?", "When was #1 born?"]\n```',
        "1. Who made it?\n2. When was #1 born?",
        "- Who made it?\n- When was #1 born?",
    ],
)
def test_an_llms_list_is_read_however_it_is_written(reply: str) -> None:
    assert read(reply) == ("Who made it?", "When was #1 born?")


@pytest.mark.parametrize("reply", ["", "I cannot.", "[1, 2", '["When was #2 born?", "Who?"]'])
def test_what_is_no_list_is_left_to_the_small_model(reply: str) -> None:
    def llm(case: Case) -> Case:
        return replace(case, answer=Answer(reply))

    found, case = by_llm(llm)(Case(Question("When was the director of film Sea of Glass born?")))
    assert found.subquestions[1] == "When was #1 born?"
    assert case.answer is None


def test_an_llm_is_not_asked_about_a_single_question() -> None:
    def llm(case: Case) -> Case:
        raise AssertionError("nobody should ask it")

    found, _ = by_llm(llm)(Case(Question("How do I reset the device?")))
    assert found.single
