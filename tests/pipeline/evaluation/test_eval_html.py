"""The page: hostile text stays text, nothing is fetched, the pictures are well-formed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.evaluation.plots import reliability_plot, risk_plot, whisker
from pipeline.evaluation.report import Setup, report
from pipeline.evaluation.report_html import page
from pipeline.evaluation.wording import change, said
from tests.pipeline.evaluation.answers import joined, line, run_of, source
from tests.pipeline.evaluation.test_eval_report import GOLD, LINES

EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\x00\x07 & \"'"


class Seen(HTMLParser):
    """Tags and attributes of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def shown(lines: list[dict[str, Any]], gold: list[dict[str, Any]], name: str = "a.jsonl") -> str:
    pairs = joined(lines, gold)
    run = run_of(pairs)
    made = report(
        Setup(source(name), source("gold"), source("o"), "match", "e", "j"), pairs, run, run
    )
    return page(made, run.rows, 20)


def test_hostile_text_stays_text() -> None:
    cited = [{"document": EVIL, "quote": EVIL, "heading": [EVIL], "sentence": [0, 400]}]
    lines = [line(EVIL, EVIL, 0.9, citations=cited),
             {**line("q2", None), "status": "failed", "error": {"code": EVIL}}]  # fmt: skip
    gold = [{"id": EVIL, "question": EVIL, "answer": "<b>bold</b>"}, {"id": "q2", "answer": EVIL}]
    text = shown(lines, gold, EVIL)
    seen = Seen(text)
    assert not {"script", "img", "iframe"} & {tag for tag, _ in seen.tags}
    assert not [key for _, attributes in seen.tags for key in attributes if key.startswith("on")]
    assert "alert(1)" in "".join(seen.text) and "{{ 7*7 }}" in text and "49" not in seen.text
    assert "\x00" not in text and "\x07" not in text


def test_nothing_is_fetched_and_nothing_runs() -> None:
    text = shown(LINES, GOLD)
    seen = Seen(text)
    assert not re.search(r"https?:|url\(|@import|javascript:", text)
    assert not [a for _, a in seen.tags if {"src", "href", "action"} & set(a)]
    policy = next(a["content"] for tag, a in seen.tags if a.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_page_names_the_figures_and_the_cases() -> None:
    told = " ".join(" ".join(Seen(shown(LINES, GOLD)).text).split())
    for words in (
        "Answered right, of the answerable",
        "25.0 %",
        "66.7 %",
        "$0.03",
        "Paris",
        "model_error",
        "right, held back",
        "no difference shown",
    ):
        assert words in told.replace("\N{NO-BREAK SPACE}", " "), words  # fmt: skip


def test_a_page_of_nothing_answered_says_so() -> None:
    lines = [line(f"q{n}", None, None) for n in range(1, 7)]
    told = " ".join(Seen(shown(lines, GOLD)).text)
    assert "Not scored: no answer has a support" in " ".join(told.split())
    perfect = [line("q", "Seine")]
    assert "None: every question" in shown(perfect, [{"id": "q", "answer": "Seine"}])


@pytest.mark.parametrize("count", [1, 3, 5000])
def test_pictures_are_well_formed_and_stay_small(count: int) -> None:
    curve = {"coverage": [(n + 1) / count for n in range(count)], "risk": [0.3] * count,
             "area": 0.3, "chance": 0.3, "chosen": {"coverage": 0.9, "risk": 0.3}}  # fmt: skip
    bins = [{"low": 0.0, "high": 0.1, "count": count, "support": 0.05, "right": 0.0,
             "right_low": 0.0, "right_high": 0.4}]  # fmt: skip
    pictures = [
        risk_plot(curve),
        risk_plot({**curve, "chosen": None}, curve),
        reliability_plot({"bins": bins, "ece": 0.1}),
        whisker(-9.0, 0.0, 9.0, 0.5),
    ]
    for picture in pictures:
        ElementTree.fromstring(picture)
        assert "nan" not in picture and len(picture) < 20_000


def test_a_run_that_is_always_or_never_right_can_be_drawn() -> None:
    for risk in (0.0, 1.0):
        curve = {"coverage": [0.5, 1.0], "risk": [risk, risk], "area": risk, "chance": risk,
                 "chosen": {"coverage": 1.0, "risk": risk}}  # fmt: skip
        ElementTree.fromstring(risk_plot(curve))


@pytest.mark.parametrize(("value", "unit", "word", "changed"), [
    (0.2333, "share", "23.3 %", "+23.3 pt"), (None, "share", "–", "–"),
    (0.0, "usd", "$0.0000", "$0.0000"),
    (-0.5, "score", "-0.500", "−0.500"), (1234.5, "usd", "$1,234.50", "+$1,234.50"),
    (2.5, "seconds", "2.50 s", "+2.50 s"), (1.0, "number", "1.00", "+1.00"),
])  # fmt: skip
def test_numbers_in_words(value: float | None, unit: Any, word: str, changed: str) -> None:
    assert (said(value, unit), change(value, unit)) == (word, changed)
