"""Where a cross-encoder has no head for something, the line goes by rules, as without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from models.pilot.others import Other
from models.pilot.reading import Pair, Reading, having, neutral
from pilotfish.settings import Settings
from pilotfish.types import Case, Question
from pipeline.checks import verdicts
from pipeline.extract import Extract
from pipeline.library import Library
from pipeline.parts import Parts
from pipeline.reader import Reader
from pipeline.wiring import reranked
from retrievers.rerank import Rerank
from tests.models.classifiers import NLI, RERANKER, classifier
from tests.verifiers.fakes import case_of, embed
from verifiers.nli import by_rules

NOBODY = "no/model-of-this-name"  # asked for nothing, or these tests would fail
TEXTS = ("Ropes are long.", "The tower was painted by Ada Lund in May.", "Gulls are loud.")


def case() -> Case:
    return case_of("Who painted the tower?", *TEXTS)


def parts(judge: object) -> Parts:
    return cast(Parts, SimpleNamespace(judge=judge, embed=embed))


def test_without_a_head_for_spans_the_best_window_answers() -> None:
    found = Extract(embed, model=Other(NOBODY, "relevance", neutral))(case()).answer
    assert found is not None and found.text == TEXTS[1]
    assert found == Extract(embed)(case()).answer


def test_without_a_head_for_spans_the_reader_goes_by_rules() -> None:
    model = having(Other(NOBODY, "support", neutral), "spans")
    asked = [("Who painted the tower?", " ".join(TEXTS))]
    assert Reader(embed, model)(asked) == Reader(embed)(asked)
    assert Reader(embed)(asked)[0].answer == "Ada Lund"


def test_without_a_head_for_verdicts_the_checks_go_by_rules() -> None:
    told = verdicts(parts(Other(NOBODY, "relevance", neutral)))
    assert told(TEXTS[1], TEXTS[1]) == by_rules(embed)(TEXTS[1], TEXTS[1])


def test_only_a_head_for_relevance_reorders_passages() -> None:
    def retrieve(case: Case) -> Case:
        return case

    def model(pairs: Sequence[Pair]) -> list[Reading]:
        return neutral(pairs)

    assert reranked(retrieve, parts(Other(NOBODY, "support", neutral)), 3) is retrieve
    assert isinstance(reranked(retrieve, parts(model), 3), Rerank)


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["judge", "reranker"])
def test_a_collection_is_answered_with_a_model_by_name_alone(setting: str, tmp_path: Path) -> None:
    folder = classifier(tmp_path / "model", NLI if setting == "judge" else RERANKER)
    names = {"judge": "pilot", "reranker": "pilot", setting: str(folder)}
    library = Library(Settings(workspace=tmp_path / "w", **names), create=True)
    for number, text in enumerate(TEXTS):
        (tmp_path / f"{number}.txt").write_text(text)
    library.add([str(tmp_path / f"{number}.txt") for number in range(len(TEXTS))])
    done = library.ask(Question("Who painted the tower?"))
    assert done.answer is not None and "Ada Lund" in done.answer.text
    assert not done.answer.degraded and len(done.passages) == len(TEXTS)
