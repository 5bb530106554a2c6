"""Toxic sentences go; the packaged model is the one of its card."""

from __future__ import annotations

import json

from verifiers import toxic
from verifiers.toxic import cleaned, features, listed


def test_a_toxic_sentence_is_taken_out_and_the_others_stay() -> None:
    text = "The pump is blue. You are a stupid bitch. It runs on batteries."
    (change,) = cleaned(text)
    assert change.kind == "toxicity"
    assert text[: change.start] + text[change.end :] == "The pump is blue. It runs on batteries."


def test_plain_sentences_of_documents_are_not_toxic() -> None:
    text = "The warranty is 24 months. Killing weeds by hand takes long. The black cable is live."
    assert cleaned(text) == []


def test_addresses_and_links_are_no_words() -> None:
    assert set(features("@user https://a.example RT fine")) == set(features("fine"))


def test_the_list_knows_whole_words_only() -> None:
    assert listed("What a BITCH!") and not listed("Scunthorpe and Dickens")


def test_the_card_names_data_licence_and_limits() -> None:
    told = json.loads(toxic.CARD.read_text(encoding="utf-8"))
    assert {"data", "licence", "limits", "threshold_is", "sha256"} <= set(told)
