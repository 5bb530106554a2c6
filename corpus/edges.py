"""Edges read out of prose without an LLM: patterns over sentences, each edge with its sentence.

The subject of a sentence is the name that it begins with, or what its document is about where it
begins with a pronoun or a common noun. Only documents with a title are read so far back: of others
a sentence must name its own subject. Not here: the patterns (edge_forms.py), edges that files state
(formats/triples.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from corpus.edge_forms import NAME, Form, forms
from corpus.parsed import MANUAL, TABLE, Parsed, ParsedTriple
from pilotfish.text import sentences
from store.incoming import GRAPH

FIRST = 12  # sentences of a document whose subject may be its title
LONGEST = 600  # characters of a sentence that is read
_START = re.compile(rf"^(?:The\s+)?({NAME})")
_ABOUT = re.compile(r"^(?:He|She|It|They|His|Her|Its|Their|The|This|In|On|After|Born)\b")
_DESCRIBES = re.compile(
    r"\b(?:is|was|are|were)\s+(?P<o>(?:an?|the)\s+[^.;(]{3,120}?)(?=[.;(]|,\s|$)"
)
_QUALIFIED = re.compile(r"\s*\([^()]*\)$")
_ADJECTIVE = re.compile(r"(?<![\d.])\s+(?!(?:and|or|in|on|at|by|for|from|to|as|with|who|which|that"
                        r"|of|the|a|an|is|was|but|when|where|while|after|before|since|until|during"
                        r"|department|team|office|division)\b)[a-z]{3,}\s+[A-Z]")  # fmt: skip
_AND = re.compile(r",?\s+and\s+(?:his\s+wife\s+)?|,\s+")
_NO_NAMES = frozenset(("He", "She", "It", "They", "The", "This", "In", "On", "A", "An", "After",
                       "Who", "What", "Which", "When", "Where"))  # fmt: skip


def with_edges(parsed: Parsed) -> Parsed:
    """The document with the edges of its prose beside its own."""
    if parsed.media_type in (GRAPH, TABLE, MANUAL) or not parsed.text:
        return parsed
    found = {(e.subject, e.relation, e.object): e for e in reversed(list(_edges(parsed)))}
    return replace(parsed, triples=(*parsed.triples, *reversed(list(found.values()))))


def _edges(parsed: Parsed) -> Iterator[ParsedTriple]:
    title = _QUALIFIED.sub("", parsed.title).strip()
    within = [(row.start, row.end) for row in _sections(parsed)]
    for place, (start, end) in enumerate(_spans(parsed.text, within)):
        sentence = parsed.text[start:end]
        if len(sentence) > LONGEST or sentence.rstrip().endswith("?"):
            continue
        subject = subject_of(sentence, title if place < FIRST else "")
        for edge in read(sentence, subject, first=place == 0):
            yield ParsedTriple(*edge, start, end)


def _sections(parsed: Parsed) -> Iterator[ParsedTriple]:
    """Stretches of prose: sections, or all of the text."""
    spans = [(one.start, one.end) for one in parsed.sections] or [(0, len(parsed.text))]
    yield from (ParsedTriple("", "", "", *span) for span in spans)


def _spans(text: str, within: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in within:
        for first, last in sentences(text[start:end]):
            yield start + first, start + last


def subject_of(sentence: str, title: str) -> str:
    """Whom a sentence speaks of; empty where nobody can say."""
    plain = sentence.lstrip("\"'“ ")
    if title and plain.startswith(title):
        return title
    if title and _ABOUT.match(plain):
        return title
    found = _START.match(plain)
    if found is None or found.group(1) in _NO_NAMES:
        return ""
    own = found.group(1).rstrip(".,'’")
    last = own.split()[-1]
    return title if title and (last in title.split() or own in title) else own


def read(sentence: str, subject: str, *, first: bool = False) -> Iterator[tuple[str, str, str]]:
    """(subject, relation, object) of every form that the sentence has."""
    if first and subject and (told := _DESCRIBES.search(sentence)):
        yield subject, "is", told.group("o").strip()
    for form in forms():
        found = form.pattern.search(sentence)
        if found is None:
            continue
        groups = found.groupdict()
        of = _trimmed(groups.get("s") or subject)
        relation = form.relation or (groups.get("r") or "").strip()
        if form.relation != "nationality" and _ADJECTIVE.match(sentence, found.end("o")):
            continue  # "directed by Vietnamese ...": no name follows
        for name in _objects(form, found.group("o")):
            if of and relation and name and name not in _NO_NAMES and name != of:
                yield (name, relation, of) if form.inverse else (of, relation, name)


def _objects(form: Form, text: str) -> list[str]:
    parts = _AND.split(text) if form.many else [text]
    return [_trimmed(part) for part in parts]


def _trimmed(name: str) -> str:
    """Without what ends a sentence; a point stays where it ends an initial."""
    name = " ".join(name.split()).rstrip(",;:'’-")
    return name if re.search(r"\b[A-Z]\.$", name) else name.rstrip(".")
