"""Answers without an LLM: how often one is given, how often it is right, and when not to answer.

One collection holds the contexts of reading/nq_oracle and reading/xquad; a fifth of the
contexts is left out, so that their questions should be abstained from. Right = a gold answer
occurs in the answer, both normalised. Every citation is checked against its document.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import data
from benchmarks.ground import Ground, add
from benchmarks.measures import spread

if TYPE_CHECKING:
    from pilotfish.types import Answer
    from pipeline.library import Library

SAMPLE, QUICK_SAMPLE, LEFT_OUT = 400, 40, 5
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its gold answers, the id of the context that answers it, and if it is there."""

    id: str
    text: str
    answers: tuple[str, ...]
    document: str
    there: bool


def measure(ground: Ground) -> dict[str, Any]:
    """Build the collection, ask the sample through the default recipe, count."""
    questions, documents = _questions(ground)
    place = ground.work / "reading"
    shutil.rmtree(place, ignore_errors=True)
    rows = [row for row in documents.values() if _kept(row["id"])]
    library = add(place, data.write(ground.work / "files" / "reading.jsonl", rows))
    threshold = library.settings.abstain_below
    found = [_ask(library, asked) for asked in questions]
    there = [one for one in found if one["there"]]
    gone = [one for one in found if not one["there"]]
    shutil.rmtree(place, ignore_errors=True)
    return {
        "documents": len(rows),
        "threshold": threshold,
        "gold_present": _row(there),
        "gold_removed": _row(gone),
        "risk_coverage": {str(t): _risk(found, t) for t in THRESHOLDS},
        "seconds_per_question": spread([one["seconds"] for one in found]),
        "citations": sum(one["citations"] for one in found),
        "bars": {
            "every citation equals its document's slice": not _any(found, "misquoted"),
            "none given to an unsupported sentence": not _any(found, "unsupported"),
        },
    }


def _questions(ground: Ground) -> tuple[list[Asked], dict[str, dict[str, str]]]:
    """A sample of questions by hash of their id, and all contexts as documents, by text."""
    files = [ground.data / "reading" / f"{name}.jsonl.gz" for name in ("nq_oracle", "xquad")]
    rows = [row for file in files for row in data.lines(file)]
    documents: dict[str, dict[str, str]] = {}
    for row in rows:
        made = {"id": _hash(row["context"])[:12], "title": row["title"], "text": row["context"]}
        documents.setdefault(row["context"], made)
    rows.sort(key=lambda row: _hash(row["id"]))
    if ground.quick:
        rows = rows[:QUICK_SAMPLE]
        documents = {row["context"]: documents[row["context"]] for row in rows}
    asked = []
    for row in rows[:SAMPLE]:
        owner = documents[row["context"]]["id"]
        asked.append(Asked(row["id"], row["question"], tuple(row["answers"]), owner, _kept(owner)))
    return asked, documents


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(document: str) -> bool:
    return int(_hash(document), 16) % LEFT_OUT != 0


def _ask(library: Library, asked: Asked) -> dict[str, Any]:
    """One question through the default recipe; plain facts about what came back."""
    from pilotfish.types import Answer, Question
    from pipeline.evaluation.scores import holds

    start = time.perf_counter()
    case = library.ask(Question(asked.text, asked.id), "default")
    seconds = time.perf_counter() - start
    answer = case.answer or Answer("", abstained=True)
    ranks = [passage.document for passage in case.passages]
    said = " ".join([answer.text, *answer.values])
    return {
        "there": asked.there,
        "answered": not answer.abstained,
        "right": holds(said, asked.answers),
        "support": answer.support or 0.0,
        "first": bool(ranks) and ranks[0] == asked.document,
        "retrieved": asked.document in ranks,
        "cited_gold": any(c.source.document == asked.document for c in answer.citations),
        "citations": len(answer.citations),
        "misquoted": _misquoted(library, answer),
        "unsupported": _unsupported(answer),
        "seconds": seconds,
    }


def _misquoted(library: Library, answer: Answer) -> int:
    """Citations whose quote is not the stored slice of their document."""
    from pilotfish.types import Span

    spans = [c.source for c in answer.citations if isinstance(c.source, Span)]
    cut = [library.parts.read(span.document, span.start, span.end) for span in spans]
    return sum(stored != span.quote for stored, span in zip(cut, spans, strict=True))


def _unsupported(answer: Answer) -> int:
    """Citations on a sentence that is flagged, or below the judge's own bar, or of no answer."""
    from verifiers.support import CARRIED

    flagged = {
        (flaw.start, flaw.end)
        for flaw in answer.flaws
        if flaw.kind in {"unsupported", "contradicted"}
    }
    return sum(
        c.sentence in flagged or (c.support or 0.0) < CARRIED or answer.abstained
        for c in answer.citations
    )


def _row(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares over questions; those with 'of answered' over the answered ones."""
    answered = [one for one in found if one["answered"]]
    return {
        "questions": len(found),
        "answered": _share(found, "answered"),
        "abstained": round(1 - _share(found, "answered"), 4),
        "right of answered": _share(answered, "right"),
        "right and answered": round(_share(answered, "right") * _share(found, "answered"), 4),
        "gold passage first": _share(found, "first"),
        "gold passage among those read": _share(found, "retrieved"),
        "gold passage cited, of answered": _share(answered, "cited_gold"),
    }


def _any(found: list[dict[str, Any]], key: str) -> bool:
    return any(one[key] for one in found)


def _share(found: list[dict[str, Any]], key: str) -> float:
    return round(sum(bool(one[key]) for one in found) / len(found), 4) if found else 0.0


def _risk(found: list[dict[str, Any]], threshold: float) -> dict[str, float]:
    """Had the threshold been this: coverage, share wrong, share of gone questions answered."""
    given = [one for one in found if one["support"] >= threshold]
    gone = [one for one in found if not one["there"]]
    return {
        "coverage": round(len(given) / len(found), 4),
        "risk": round(1 - _share(given, "right"), 4) if given else 0.0,
        "answered of removed": round(
            sum(one["support"] >= threshold for one in gone) / max(1, len(gone)), 4
        ),
    }
