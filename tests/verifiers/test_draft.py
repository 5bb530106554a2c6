"""An answer's text, its keys and its changes stay together."""

from __future__ import annotations

from dataclasses import replace

from fakes import case_of

from pilotfish.types import Case, Prompt
from verifiers.draft import Change, Draft, taken_out

KEYS = {"kaaaa": 1, "kbbbb": 2}


def case() -> Case:
    return replace(case_of("?", "One thing.", "Another thing."), prompt=Prompt((), KEYS))


TEXT = "Lamps cost 5 euros [kaaaa]. They are blue [kbbbb]. They shine [kaaaa, kbbbb]."


def test_an_unchanged_draft_is_written_with_the_same_keys_at_the_same_sentences() -> None:
    draft = Draft.of(TEXT, case())
    assert draft.text == "Lamps cost 5 euros. They are blue. They shine."
    again = Draft.of(draft.written(KEYS), case())
    assert again == draft
    assert [claim.named for claim in draft.claims()] == [(1,), (2,), (1, 2)]


def test_a_changed_value_keeps_the_keys_of_its_sentence_and_of_those_after() -> None:
    draft = Draft.of(TEXT, case()).changed([Change("number", 11, 12, "5", "1,500")])
    assert draft.text.startswith("Lamps cost 1,500 euros.")
    assert [claim.named for claim in draft.claims()] == [(1,), (2,), (1, 2)]


def test_a_sentence_that_goes_takes_its_keys_along() -> None:
    draft = Draft.of(TEXT, case())
    second = draft.claims()[1]
    less = draft.changed([taken_out("unsupported", draft.text, second.start, second.end)])
    assert less.text == "Lamps cost 5 euros. They shine."
    assert [claim.named for claim in less.claims()] == [(1,), (1, 2)]


def test_the_last_sentence_goes_with_the_space_before_it() -> None:
    draft = Draft.of(TEXT, case())
    last = draft.claims()[-1]
    less = draft.changed([taken_out("unsupported", draft.text, last.start, last.end)])
    assert less.text == "Lamps cost 5 euros. They are blue."
    assert [claim.named for claim in less.claims()] == [(1,), (2,)]


def test_a_value_at_the_very_end_of_a_sentence_keeps_its_key() -> None:
    draft = Draft.of("It costs 5 [kaaaa]", case())
    assert (
        draft.changed([Change("number", 9, 10, "5", "12")]).written(KEYS) == "It costs 12 [kaaaa]"
    )
