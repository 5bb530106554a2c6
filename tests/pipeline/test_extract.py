import pytest

from pilotfish.types import Case, Passage, Place, Question
from pipeline.extract import Extract, said
from tests.verifiers.fakes import embed
from verifiers.evidence import Window


def asked(question: str, *texts: str, kind: str = "text") -> Case:
    passages = tuple(
        Passage(n, text, f"d{n}", 0, len(text), kind=kind)  # type: ignore[arg-type]
        for n, text in enumerate(texts, start=1)
    )
    return Extract(embed)(Case(Question(question), passages))


ROW = "Name: Ann Lee; Team: Sales; Phone extension: 233"


def test_it_answers_with_a_sentence_of_the_passages_word_for_word() -> None:
    done = asked(
        "When does the museum open?", "Cats sleep.", "The museum opens at nine. It is big."
    )
    assert done.answer is not None
    assert done.answer.text == "The museum opens at nine."
    assert done.answer.support is None  # nobody has looked at it yet


def test_of_a_table_row_it_gives_the_cell_that_is_asked_for() -> None:
    done = asked("What is the phone extension of Ann Lee?", ROW, kind="table")
    assert done.answer is not None
    assert done.answer.text == "Phone extension: 233"
    assert done.answer.values == ("233",)
    assert done.answer.text in ROW


@pytest.mark.parametrize(
    "question", ["What is the total of all phone extensions?", "How many Anns are there?"]
)
def test_one_row_is_no_answer_to_a_question_over_many(question: str) -> None:
    done = asked(question, ROW, kind="table")
    assert done.answer is not None
    assert done.answer.abstained


def test_without_passages_it_abstains() -> None:
    answer = asked("Why?").answer
    assert answer is not None
    assert answer.abstained


def test_a_row_whose_values_all_stand_in_the_question_is_given_whole() -> None:
    passage = Passage(1, "Name: Ann", "d", 0, 9, kind="table")
    assert said("Is Ann there?", Window(passage, 0, 9, "Name: Ann"), embed) == ("Name: Ann", ())


def test_rows_that_fit_equally_well_are_no_answer() -> None:
    rows = [
        f"Customer: Harbour Trust; Fault: {fault}; Engineer: Cal" for fault in ("Rust", "Clock")
    ]
    passages = tuple(
        Passage(n, row, "d", 100 * n, 100 * n + len(row), Place(table="calls", rows=(n,)), "table")
        for n, row in enumerate(rows, start=1)
    )
    case = Case(Question("Which fault did Cal mend at the Harbour Trust?"), passages)
    done = Extract(embed)(case)
    assert done.answer is not None
    assert done.answer.abstained
    assert "several rows" in str(done.notes["why"])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who heads the Service department?", "Nerys Calloway"),
        ("Who is the manager of the head of service?", "Ingrith Vael"),
    ],
)
def test_who_is_whom_the_row_is_about_unless_another_column_is_named(
    question: str, answer: str
) -> None:
    row = "id: M-3; name: Nerys Calloway; role: Head of service; department: Service; manager: "
    row += "Ingrith Vael"
    passage = Passage(1, row, "staff", 0, len(row), kind="table")
    assert said(question, Window(passage, 0, len(row), row), embed)[1] == (answer,)
