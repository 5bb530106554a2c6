"""Examples made from the sets: altered claims, wrong answers, cloze questions, foreign passages.

Every text comes from a licensed set's training side or is held out with it. Seeded: the same
seed gives the same examples. Not here: negatives by retrieval (mining.py).
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from models.premise import premise
from models.training import sources
from models.training.altering import altered, names_of
from models.training.examples import (
    CONTRADICTED,
    NO_ANSWER,
    REFUSED,
    SUPPORTED,
    UNSUPPORTED,
    Example,
    held,
)
from pilotfish.dates import MODERN_YEAR, MONTH
from pilotfish.text import sentences

Texts = Sequence[tuple[str, str, bool]]  # (title, text, held out)
_SPAN = re.compile(
    rf"\b(?:(?:{MONTH})\s\d{{1,2}},?\s\d{{4}}|\d{{1,2}}\s(?:{MONTH})\s\d{{4}}|"
    rf"{MODERN_YEAR}|\d[\d,.]*\d|\d)\b|"
    r"\b[A-Z][\w'’-]+(?:\s(?:of|the|de|van|von|and|[A-Z][\w'’-]+))*\s?[A-Z]?[\w'’-]*"
)
_YEARLY = re.compile(rf"\b{MODERN_YEAR}\b")


def texts(without: Collection[str] = ()) -> list[tuple[str, str, bool]]:
    """Every licensed passage once, with the side its document lies on; none of sets `without`."""
    found: dict[str, tuple[str, str, bool]] = {}
    for name in sources.READING:
        for row in sources.rows(f"reading/{name}"):
            found.setdefault(row["context"], (row["title"], row["context"], held(row["title"])))
    for row in sources.rows("multihop/2wiki") if "2wiki" not in without else ():
        out = held("2wiki " + row["id"])
        for passage in row["passages"]:
            found.setdefault(passage["text"], (passage["title"], passage["text"], out))
    for row in sources.rows("retrieval/scifact/corpus") if "scifact" not in without else ():
        found[row["text"]] = (row["title"], row["text"], held(row["id"]))
    for row in sources.rows("verification/wice") if "wice" not in without else ():
        group = row["claim_id"].split("-")[0]
        found.setdefault(row["evidence"], ("", row["evidence"], held(group)))
    return list(found.values())


def claims(pool: Texts, count: int, rng: random.Random) -> Iterator[Example]:
    """A passage's own sentence, said shorter (supported), or altered, or of another passage."""
    for title, text, out in _drawn(pool, count, rng):
        spans = [s for s in sentences(text) if 6 <= len(text[s[0] : s[1]].split()) <= 45]
        if not spans:
            continue
        start, end = rng.choice(spans)
        said = shorter(text[start:end], title, rng)
        near = sources.titled(title, premise(said, text, rng.choice([30, 50, 80])))
        kind = rng.random()
        if kind < 0.4:
            yield Example(said, near, "made claim", None, SUPPORTED, None, out)
        elif kind < 0.8:
            change = altered(said, names_of(text) or [title], rng)
            if change is not None:
                verdict = REFUSED if change.kind == "name" else CONTRADICTED
                yield Example(change.text, near, "made claim", None, verdict, None, out)
        else:
            rest = (text[:start] + text[end:]).strip()
            if len(rest.split()) > 15:
                cut = sources.titled(title, premise(said, rest, 60))
                yield Example(said, cut, "made claim", None, REFUSED, None, out)


def shorter(sentence: str, title: str, rng: random.Random) -> str:
    """The sentence without brackets, an opening phrase or a trailing clause; 'it' gets its name."""
    said = re.sub(r"\s*\([^()]*\)", "", sentence)
    if rng.random() < 0.5:
        said = re.sub(r"^(?:[A-Z][^,]{3,40}), (?=[a-z])", "", said)
    if rng.random() < 0.5:
        head, comma, tail = said.rpartition(", ")
        if comma and len(head.split()) >= 6 and len(tail.split()) <= 20:
            said = head + "."
    if title and (match := re.match(r"(?:It|He|She|They|This)\b", said)):
        said = title.partition(" (")[0] + said[match.end() :]
    if rng.random() < 0.3:
        said = said.lower()
    return " ".join(said.split())[:1].upper() + " ".join(said.split())[1:]


def answers(pool: Sequence[Example], rng: random.Random) -> Iterator[Example]:
    """Question and answer as one claim: the right answer, a wrong one of its kind, a wrong text."""
    others = [e for e in pool if e.span and e.span != NO_ANSWER]
    for example in others:
        right = _answer(example)
        yield _answered(example, right, example.passage, SUPPORTED)
        wrong = [s for s in spans_of(example.passage) if not _alike(s, right)]
        kin = [s for s in wrong if kind_of(s) == kind_of(right)]
        if kin or wrong:
            yield _answered(example, rng.choice(kin or wrong), example.passage, REFUSED)
        other = rng.choice(others)
        if right.lower() not in other.passage.lower() and other.held == example.held:
            yield _answered(example, right, other.passage, UNSUPPORTED)
            yield Example(example.asked, other.passage, example.source + " shuffled", 0.0, None,
                          NO_ANSWER, example.held)  # fmt: skip


def _answered(example: Example, answer: str, passage: str, verdict: int) -> Example:
    text = premise(f"{example.asked} {answer}", passage)
    return Example(
        f"{example.asked} {answer}", text, "made answer", None, verdict, None, example.held
    )


def swapped(pool: Sequence[Example], rng: random.Random) -> Iterator[Example]:
    """Each question read from its passage with another answer of the kind in the answer's place.

    The few questions that people asked are seen many times; so their answers are not learnt.
    """
    kinds: dict[str, list[str]] = defaultdict(list)
    told = [e for e in pool if e.span and e.span != NO_ANSWER]
    for example in told:
        kinds[kind_of(_answer(example))].append(_answer(example))
    for example in told:
        right = _answer(example)
        other = rng.choice(kinds[kind_of(right)])
        if _alike(other, right) or right.lower() in example.asked.lower():
            continue
        assert example.span is not None
        before = example.passage[: example.span[0]].replace(right, other)
        text = before + (example.passage[example.span[0] :].replace(right, other))
        place = (len(before), len(before) + len(other))
        yield Example(example.asked, text, example.source + " swapped", 1.0, None, place,
                      example.held)  # fmt: skip


def _answer(example: Example) -> str:
    assert example.span is not None
    return example.passage[example.span[0] : example.span[1]]


def cloze(pool: Texts, count: int, rng: random.Random) -> Iterator[Example]:
    """A statement with a name, date or number left out, asked for by a question word.

    After Lewis, Denoyer and Riedel 2019 (arXiv 1906.04980): unsupervised reading by cloze.
    """
    for title, text, out in _drawn(pool, count, rng):
        text = " ".join(text.split()[:110])
        spans = [s for s in sentences(text) if 8 <= len(text[s[0] : s[1]].split()) <= 50]
        if not spans:
            continue
        start, end = rng.choice(spans)
        found = [m for m in _SPAN.finditer(text, start, end) if m.start() > start and m[0].strip()]
        if not found:
            continue
        match = rng.choice(found)
        value = match[0].rstrip(" ,.")
        asked = question(text[start : match.start()], value, text[match.end() : end], rng)
        if title and rng.random() < 0.6:
            asked = f"{asked} {title.partition(' (')[0].lower()}" if rng.random() < 0.5 else asked
        whole = text if rng.random() < 0.5 else sources.titled(title, text)
        shift = len(whole) - len(text)
        place = (match.start() + shift, match.start() + shift + len(value))
        yield Example(asked, whole, "cloze", 1.0, None, place, out)


def question(before: str, value: str, after: str, rng: random.Random) -> str:
    """The words around the gap in random cut, some dropped, after a question word of its kind."""
    word = {
        "date": ["when", "what year", "when did", "what date"],
        "number": ["how many", "how much", "what number of"],
        "name": ["who", "what", "which", "where", "who is", "what is the name of"],
    }[kind_of(value)]
    left = before.split()[-rng.randint(3, 9) :]
    right = after.split()[: rng.randint(2, 8)]
    parts = [left, right] if rng.random() < 0.6 else [right, left]
    kept = [w.strip('.,;:()"') for part in parts for w in part if rng.random() > 0.15]
    text = " ".join(w for w in [rng.choice(word), *kept] if w)
    return text.lower() if rng.random() < 0.6 else text + "?"


def spans_of(text: str) -> list[str]:
    """Names, dates and numbers of a text, each once."""
    return list(dict.fromkeys(m[0].strip(" ,.") for m in _SPAN.finditer(text) if m[0].strip(" ,.")))


def kind_of(value: str) -> str:
    """'date', 'number' or 'name'."""
    if _YEARLY.search(value):
        return "date"
    return "number" if value[:1].isdigit() else "name"


def _alike(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    return one in other or other in one


def _drawn(pool: Texts, count: int, rng: random.Random) -> Iterator[tuple[str, str, bool]]:
    for _ in range(count):
        yield rng.choice(pool)
