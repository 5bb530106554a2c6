"""What the page makes out of a result line: sentences, sources, waterfalls, numbers. Fast."""

from __future__ import annotations

from typing import Any

from workers.page.sentences import place_of, sentences_of, sources_of, waterfall
from workers.page.shown import millis, span, usd
from workers.page.source import pieces


def line(answer: str, *cited: tuple[int, int], support: float = 0.99) -> dict[str, Any]:
    return {
        "answer": answer,
        "citations": [{"sentence": list(one), "support": support} for one in cited],
    }


def test_every_sentence_is_shown_once_and_in_order() -> None:
    text = "First one.\nSecond one. Third one."
    found = sentences_of(line(text, (23, 33), (0, 10)))
    assert [one.text for one in found] == ["First one.", "Second one.", "Third one."]
    assert [one.verdict for one in found] == ["supported", "none", "supported"]
    assert [one.cited for one in found] == [(2,), (), (1,)]
    assert "\n" in found[1].before


def test_a_sentence_may_have_several_sources() -> None:
    (one,) = sentences_of(line("Only one.", (0, 9), (0, 9), support=0.6))
    assert one.cited == (1, 2) and one.verdict == "weak" and one.support == 0.6


def test_a_lone_full_stop_is_no_sentence() -> None:
    found = sentences_of(line("A row: 1; b: 2 .", (0, 14)))
    assert [one.verdict for one in found] == ["supported", "mark"]


def test_places_are_said_in_words() -> None:
    assert place_of({"page": 6, "heading": ["A", "B"]}) == "page 6 · A › B"
    assert place_of({"table": "Prices", "rows": [8], "heading": ["A"]}) == "table Prices, row 8"
    assert place_of({}) == ""


def test_the_text_is_cut_at_the_passage_and_the_quote_and_loses_nothing() -> None:
    cut = pieces("0123456789", 100, (102, 108), (104, 106))
    assert [(one.text, one.mark) for one in cut] == [
        ("01", ""), ("23", "passage"), ("45", "quote"), ("67", "passage"), ("89", ""),
    ]  # fmt: skip
    assert [one.mark for one in pieces("0123", 100, (100, 104), None)] == ["passage"]
    assert [one.mark for one in pieces("0123", 100, (0, 50), (10, 20))] == [""]


def test_only_lines_broken_inside_a_sentence_flow_on() -> None:
    long = "The harbour commissioners offered two terms to the meeting and the"
    (one,) = pieces(f"{long}\nmeeting chose.\n\n# Next\n{long}.\nNew", 0, (0, 0), None)
    assert one.text == f"{long} meeting chose.\n\n# Next\n{long}.\nNew"
    row = "sku: SK-11; description: Spindle seal kit for TL-40; list_price: 58"
    (one,) = pieces(f"{row}\nsku: SK-12", 0, (0, 0), None)
    assert one.text == f"{row}\nsku: SK-12"


def event(step: str, started: float, seconds: float, **more: Any) -> dict[str, Any]:
    return {"step": step, "started": started, "seconds": seconds, "detail": {}, **more}


def test_a_waterfall_puts_steps_under_those_that_called_them() -> None:
    trace = [event("bm25", 10.0, 0.1), event("dense", 10.1, 0.2), event("fuse", 10.0, 0.3),
             event("llm", 10.3, 0.7), event("chain", 10.0, 1.0)]  # fmt: skip
    bars = waterfall(trace)
    assert [(bar.event["step"], bar.depth) for bar in bars] == [
        ("chain", 0), ("fuse", 1), ("bm25", 2), ("dense", 2), ("llm", 1),
    ]  # fmt: skip
    assert (bars[-1].left, bars[-1].width) == (300.0, 700.0)
    assert waterfall([]) == []


def test_a_prompt_in_the_trace_is_shown_apart() -> None:
    sent = [{"role": "user", "content": "Why?"}]
    (bar,) = waterfall([event("llm", 1.0, 1.0) | {"detail": {"messages": sent, "model": "m"}}])
    assert bar.prompt == [("user", "Why?")] and bar.detail == [("model", "m")]


def test_numbers_read_well_and_unknown_is_never_zero() -> None:
    assert [usd(n) for n in (None, 0, 0.0000421, 0.0123, 3)] == [
        "unknown", "$0.00", "$0.000042", "$0.0123", "$3.00",
    ]  # fmt: skip
    assert [span(n) for n in (0.0123, 9.19, 75, 7300)] == ["12 ms", "9.2 s", "1 min 15 s",
                                                           "2 h 1 min"]  # fmt: skip
    assert [millis(n) for n in (0.00042, 0.012, 9.188)] == ["0.4 ms", "12 ms", "9,188 ms"]


def denied(text: str, start: int, end: int) -> dict[str, Any]:
    said = {"document": "d", "start": 7, "end": 12, "quote": "Never"}
    return {**line(text, (0, 10)), "flaws": [
        {"kind": "contradicted", "start": start, "end": end, "detail": "", "evidence": said},
    ]}  # fmt: skip


def test_a_contradicted_sentence_is_numbered_after_the_citations_with_what_denies_it() -> None:
    told = denied("First one. Second one. Third one.", 11, 22)
    found = sentences_of(told)
    assert [one.verdict for one in found] == ["supported", "contradicted", "none"]
    assert [one.cited for one in found] == [(1,), (2,), ()]
    assert [one.get("quote") for one in sources_of(told)] == [None, "Never"]


def test_an_abstention_shows_what_denies_its_candidate_before_the_nearest_evidence() -> None:
    told = denied("First one.", 0, 10) | {"answer": None, "citations": [], "nearest": [{"n": 1}]}
    assert [one.get("quote", one.get("n")) for one in sources_of(told)] == ["Never", 1]
    assert sentences_of(told) == []
