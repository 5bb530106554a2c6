"""Text, Markdown, HTML and JSON lines: canonical text, places in it, encodings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from made_documents import HTML, MARKDOWN

from corpus.parsed import Parsed, ParseFailure
from corpus.sandbox import Sandbox


def sections(found: Parsed) -> list[tuple[tuple[str, ...], str]]:
    return [(one.heading, found.text[one.start : one.end]) for one in found.sections]


def test_markdown_keeps_its_text_and_rewrites_only_tables(read: Any) -> None:
    found = read(MARKDOWN, "docs/handbook.md")
    typed = MARKDOWN.decode()
    table = typed[typed.index("| Item") : typed.index("\nAfter.")]
    assert found.text == typed.replace(table, "Item: Bolt; Price: 2 | 3\nItem: Nut\n")
    assert found.title == "Handbook 手册"
    assert found.metadata == {"title": "From the front", "tags": ["a", "b"]}
    assert [heading for heading, _ in sections(found)] == [
        ("Handbook 手册",),
        ("Handbook 手册", "Prices"),
        ("Handbook 手册", "Underlined"),
    ]
    assert sections(found)[0][1].startswith("Intro with an emoji 🐟")
    (table_found,) = found.tables
    assert table_found.rows == (("Bolt", "2 | 3"), ("Nut", "")) and table_found.title == "Prices"
    assert table_found.numbers == (2, 3)


def test_markdown_without_a_heading_is_titled_by_its_name(read: Any) -> None:
    found = read(b"just words\r\nand more\r\n", "docs/my notes.md")
    assert found.title == "my notes" and found.text == "just words\nand more\n"
    assert sections(found) == [((), "just words\nand more")]


def test_two_rules_are_not_front_matter(read: Any) -> None:
    found = read(b"---\nSome prose here.\n---\nmore", "a.md")
    assert found.metadata == {} and found.sections[0].start == 0


def test_a_table_in_a_code_block_stays_as_typed(read: Any) -> None:
    typed = b"```\n| a | b |\n|---|---|\n| 1 | 2 |\n```\n"
    found = read(typed, "a.md")
    assert found.text == typed.decode() and not found.tables


def test_restructured_text_has_headings(read: Any) -> None:
    found = read(b"=====\nGuide\n=====\n\nIntro.\n\nPart\n----\n\nWords.\n", "a.rst")
    assert found.title == "Guide"
    assert sections(found) == [(("Guide",), "Intro."), (("Guide", "Part"), "Words.")]


def test_html_keeps_headings_and_drops_the_frame(read: Any) -> None:
    found = read(HTML, "a.html")
    assert found.title == "Café guide"
    assert found.metadata == {"language": "en", "description": "Where to sit"}
    assert found.text == (
        "Coffee & tea\n\nFirst bold words.\nSecond line.\n\nBeans\n\n- Arabica\n- Robusta strong"
        "\n\nKind: Arabica; Price: 9 €\nKind: Arabica; Price: 8\n\n  keep\n    this"
    )
    assert [heading for heading, _ in sections(found)] == [
        ("Coffee & tea",), ("Coffee & tea", "Beans"),
    ]  # fmt: skip
    (table,) = found.tables
    assert table.title == "Prices" and table.rows == (("Arabica", "9 €"), ("Arabica", "8"))


def test_html_that_nests_deeply_is_read(read: Any) -> None:
    assert read(b"<div>" * 20_000 + b"deep" + b"</div>" * 20_000, "a.html").text == "deep"


def test_html_whose_text_all_looks_like_a_frame_is_read_anyway(read: Any) -> None:
    assert read(b"<body><aside><p>Only this.</p></aside></body>", "a.htm").text == "Only this."


def test_html_may_name_its_encoding(read: Any) -> None:
    page = '<meta charset="shift_jis"><p>日本語の文章です</p>'.encode("shift_jis")
    assert read(page, "a.html").text == "日本語の文章です"


def test_json_lines_keep_text_exactly_and_other_fields_as_metadata(sandbox: Sandbox) -> None:
    lines = [
        {"id": "a", "title": "T", "text": " one\r\ntwo ", "question": "why?", "n": [1, None]},
        {"id": 7, "text": "seven"},
        {"_id": "beir", "text": "\u2028 x"},
    ]
    data = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    one, two, three = sandbox.parse(None, data, "a.jsonl")
    assert isinstance(one, Parsed) and isinstance(two, Parsed) and isinstance(three, Parsed)
    assert (one.id, one.title, one.text) == ("a", "T", " one\r\ntwo ")
    assert one.metadata == {"question": "why?", "n": [1, None]}
    assert sections(one) == [((), "one\r\ntwo")]
    assert (two.id, two.title) == ("7", "7") and (three.id, three.metadata) == ("beir", {})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "x", "text": ', "malformed JSON"),
        ("[1]", "a list, not an object"),
        ('{"id": "x"}', "`text` is missing"),
        ('{"id": "x", "text": "  "}', "`text` is empty"),
        ('{"id": "x", "text": 3}', "`text` is a number"),
        ('{"id": ["x"], "text": "y"}', "`id` is a list"),
        ('{"id": true, "text": "y"}', "`id` is a true/false"),
        ('{"id": "", "text": "y"}', "`id` is empty"),
        ('{"id": "x", "title": {}, "text": "y"}', "`title` is a object"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_json_line_fails_alone(sandbox: Sandbox, line: str, said: str) -> None:
    data = f'{{"text": "before"}}\n\n{line}\n{{"text": "after"}}\n'.encode()
    before, bad, after = sandbox.parse(None, data, "d/a.jsonl")
    assert isinstance(before, Parsed) and isinstance(after, Parsed)
    assert isinstance(bad, ParseFailure) and bad.source == "d/a.jsonl:3" and said in bad.reason


def test_json_lines_without_ids_are_named_by_their_lines(sandbox: Sandbox) -> None:
    data = b'{"text": "one"}\n\n{"text": "two", "id": null}\n{"text": "three", "id": "own"}\n'
    lines = [one for one in sandbox.parse(None, data, "d/a.jsonl") if isinstance(one, Parsed)]
    assert [one.id for one in lines] == ["d/a.jsonl:1", "d/a.jsonl:3", "own"]
    listed = [*sandbox.parse(None, b'[{"text": "x"}, {"text": "y"}]', "a.json")]
    assert [one.id for one in listed if isinstance(one, Parsed)] == ["a.json:1", "a.json:2"]
    (alone,) = sandbox.parse(None, b'{"text": "x"}', "a.json")
    assert isinstance(alone, Parsed) and alone.id is None


def test_numbers_that_json_cannot_hold_become_null(sandbox: Sandbox) -> None:
    line = b'{"id": "x", "text": "t", "n": [1e999, -1e999, NaN, Infinity, 1e3, -0.5]}'
    (found,) = sandbox.parse(None, line, "a.jsonl")
    assert isinstance(found, Parsed)
    assert found.metadata == {"n": [None, None, None, None, 1000.0, -0.5]}


@pytest.mark.parametrize("levels", [101, 600, 900])
def test_metadata_nested_too_deeply_fails_its_line_only(sandbox: Sandbox, levels: int) -> None:
    lines = [f'{{"text": "t", "deep": {"[" * n}{"]" * n}}}' for n in (99, levels, 1)]
    before, bad, after = sandbox.parse(None, "\n".join(lines).encode(), "a.jsonl")
    assert isinstance(before, Parsed) and isinstance(after, Parsed)
    assert isinstance(bad, ParseFailure) and bad.source == "a.jsonl:2"
    assert "nested more than 100 levels deep: flatten it" in bad.reason
    (whole,) = sandbox.parse(None, b"[" * levels + b"]" * levels, "a.json")
    assert isinstance(whole, ParseFailure) and "nested more than 100" in whole.reason


def test_surrogates_and_nuls_in_json_are_replaced_one_for_one(sandbox: Sandbox) -> None:
    (found,) = sandbox.parse(None, b'{"text": "a\\ud800b\\u0000c \\ud83d\\udc1f"}', "a.jsonl")
    assert isinstance(found, Parsed) and found.text == "a\ufffdb\ufffdc 🐟" and found.warnings


def test_a_json_file_is_documents_or_pretty_text(sandbox: Sandbox) -> None:
    several = list(sandbox.parse(None, b'[{"id": "a", "text": "x"}, {"id": "b"}]', "a.json"))
    assert isinstance(several[0], Parsed) and isinstance(several[1], ParseFailure)
    assert several[1].source == "a.json:2"
    (one,) = sandbox.parse(None, b'{"text": "x", "k": 1}', "a.json")
    assert isinstance(one, Parsed) and (one.text, one.metadata) == ("x", {"k": 1})
    (other,) = sandbox.parse(None, '{"größe": [1]}'.encode(), "b.json")
    assert isinstance(other, Parsed) and '"größe": [\n' in other.text and other.title == "b"
    (bad,) = sandbox.parse(None, b'{"a": ', "c.json")
    assert isinstance(bad, ParseFailure) and "malformed JSON" in bad.reason
    assert len(list(sandbox.parse(None, b'{"text": "x"}\n{"text": "y"}\n', "d.json"))) == 2


CHINESE = "人工智能是研究如何使计算机模拟人的某些思维过程和智能行为的学科。" * 5
JAPANESE = "これは日本語で書かれた文章です。吾輩は猫である。名前はまだ無い。" * 5


@pytest.mark.parametrize(
    ("text", "encoding", "warned"),
    [
        ("grüße", "utf-8", False),
        ("grüße", "utf-8-sig", False),
        ("grüße 🐟", "utf-16", False),
        ("grüße", "utf-32", False),
        ("plain english words", "utf-16-le", True),
        ("Der Käse kostet fünf Euro, und das ist nicht viel Geld für Käse.", "cp1252", True),
        ("Zażółć gęślą jaźń, proszę państwa, bo źle się dzieje na świecie. " * 9, "cp1250", True),
        ("Les élèves étaient très fatigués après une journée à l'école. " * 9, "cp1252", True),
        (CHINESE, "gb18030", True),
        (JAPANESE, "shift_jis", True),
        (JAPANESE, "euc_jp", True),
        ("Это довольно длинный русский текст о погоде и природе. " * 5, "cp1251", True),
    ],
)
def test_text_is_decoded_and_a_guess_is_reported(
    read: Any, text: str, encoding: str, warned: bool
) -> None:
    found = read(text.encode(encoding), "a.txt")
    assert found.text == text
    assert bool(found.warnings) == warned, found.warnings


def test_a_few_broken_bytes_do_not_spoil_utf8(read: Any) -> None:
    found = read("日本語".encode() * 20 + b"\xff", "a.txt")
    assert found.text == "日本語" * 20 + "\ufffd" and "not UTF-8" in found.warnings[0]


def test_a_few_nuls_are_removed_with_a_warning(read: Any) -> None:
    found = read(b"some\0 words of text", "a.txt")
    assert found.text == "some words of text" and "1 NUL" in found.warnings[0]


def test_many_nuls_are_binary_content(refuse: Any) -> None:
    assert "binary content" in refuse(b"abc\0\0\0\0\0\0" * 100, "a.txt")
    assert "binary content" in refuse(bytes(range(256)) * 20, "a.txt")


def test_blank_text_is_refused(refuse: Any) -> None:
    for name in ("a.txt", "a.md", "a.html", "a.csv", "a.jsonl"):
        assert "nothing to read" in refuse(b" \n\n ", name)
