"""Rewriting of questions: what misspelling loses, what comes back, what clean questions lose.

Questions as they are, with seeded slips in content words, and with long forms put into the short
ones that the collection defines; follow-up questions made of 2Wiki's hops, in which the first hop's
answer is "it". Fused retrieval through the product's steps. Not here: the adapter (adapter.py).
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import Any

from benchmarks import measures
from benchmarks.data import lines
from benchmarks.ground import SETS, Ground
from benchmarks.passages import best_documents, pieces
from pilotfish.step import run
from pilotfish.types import Case, Question, Turn
from pipeline.library import Library
from pipeline.rewriting import rewritten
from prompters.abbreviations import pairs

MOST, DEPTH = 150, 100
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WAYS = ("spelling", "abbreviations", "feedback")
HARM = 0.005
_WORD = re.compile(r"[A-Za-z]{5,}")


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions by id, what is right for each."""

    questions: Mapping[str, Question]
    qrels: measures.Qrels


def measure(here: Ground) -> dict[str, Any]:
    """nDCG@10 without and with each rewriting, on each kind of question, and the bars."""
    sets = {name: _set(here, name) for name in SETS}
    turns = followed(here)
    regained = fmean(s["misspelt"]["spelling"]["gain"][0] for s in sets.values())
    lost = min(s["clean"]["spelling"]["gain"][0] for s in sets.values())
    bars = {
        "spelling gives back of what slips lose": regained > 0,
        f"spelling costs clean questions not over {HARM}": lost >= -HARM,
        "turns help follow-up questions": turns["turns"]["gain"][0] > 0,
    }
    return {"sets": sets, "turns": turns, "bars": bars}


def _set(here: Ground, name: str) -> dict[str, Any]:
    judged, library = here.retrieval_set(name), here.collection(name)
    texts = dict(list(judged.queries.items())[:MOST])
    clean = {key: Question(text, key) for key, text in texts.items()}
    slipped = {key: Question(misspelt(text, key), key) for key, text in texts.items()}
    found = {
        "clean": compared(library, Asked(clean, judged.qrels), WAYS),
        "misspelt": compared(library, Asked(slipped, judged.qrels), ("spelling",)),
    }
    short = abbreviated(library, judged.queries)
    if short:
        asked = Asked({k: Question(v, k) for k, v in short.items()}, judged.qrels)
        found["abbreviated"] = compared(library, asked, ("abbreviations",))
    return found


def misspelt(text: str, seed: str) -> str:
    """One slip in a content word, two in a long question; the same for the same seed."""
    draw = random.Random(f"slips {seed}")
    words = list(_WORD.finditer(text))
    for match in sorted(draw.sample(words, min(len(words), 1 + (len(words) > 6))),
                        key=lambda m: -m.start()):  # fmt: skip
        text = text[: match.start()] + slip(match[0], draw) + text[match.end() :]
    return text


def slip(word: str, draw: random.Random) -> str:
    at = draw.randrange(1, len(word) - 1)
    kind = draw.choice(("swap", "lose", "double", "other"))
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "lose":
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[:at] + word[at] + word[at:]
    return word[:at] + draw.choice(LETTERS) + word[at + 1 :]


def abbreviated(library: Library, queries: Mapping[str, str]) -> dict[str, str]:
    """Questions with a long form that the collection abbreviates, shortened."""
    said = [pair for one in pieces(library) for pair in pairs(one.searched)]
    defined = {long.lower(): short for short, long in said if short.isupper() and len(long) > 8}
    found = {}
    for key, text in queries.items():
        longest = max((long for long in defined if long in text.lower()), key=len, default=None)
        if longest is not None:
            found[key] = re.sub(re.escape(longest), defined[longest], text, flags=re.IGNORECASE)
    return dict(list(found.items())[:MOST])


def followed(here: Ground) -> dict[str, Any]:
    """Second hops of 2Wiki whose subject, the first hop's answer, is only "it" or "they"."""
    known = {row["title"]: row["id"] for row in here.retrieval_set("2wiki").corpus}
    questions, qrels = {}, {}
    for row in lines(here.data / "multihop" / "2wiki.jsonl.gz"):
        hops = row.get("hops") or []
        if len(hops) != 2 or row["type"] != "compositional":
            continue
        subject = next((t[0] for t in row["evidence_triples"][1:]), "")
        if subject in known and subject in hops[1]["question"] and subject in hops[0]["answer"]:
            turns = (Turn("user", hops[0]["question"]), Turn("assistant", hops[0]["answer"]))
            text = hops[1]["question"].replace(f"{subject}'s", "its").replace(subject, "it")
            questions[row["id"]] = Question(text, row["id"], turns)
            qrels[row["id"]] = {known[subject]: 1}
    some = dict(list(questions.items())[:MOST])
    return compared(here.collection("2wiki"), Asked(some, qrels), ("turns",))


def compared(library: Library, asked: Asked, ways: Sequence[str]) -> dict[str, Any]:
    """nDCG@10 plain and with each way; the gain with its 95 % interval; questions rewritten."""
    plain = scored(library, asked, ())
    found: dict[str, Any] = {"questions": len(asked.questions),
                             "plain": round(measures.mean(plain[0]), 4)}  # fmt: skip
    for way in ways:
        own, changed = scored(library, asked, (way,))
        gain = measures.interval([measures.differences(own, plain[0])])
        found[way] = {"ndcg@10": round(measures.mean(own), 4), "rewritten": changed,
                      "gain": [round(value, 4) for value in gain]}  # fmt: skip
    return found


def scored(library: Library, asked: Asked, named: tuple[str, ...]) -> tuple[measures.PerQuery, int]:
    settings = library.settings.model_copy(update={"rewrite": named})
    parts = replace(library.parts, settings=settings)
    step = rewritten(parts, library.retriever("fused", DEPTH))
    search = partial(run, step)
    ranked, changed = {}, 0
    for key, question in asked.questions.items():
        case = search(Case(question))
        owners = [passage.document for passage in case.passages]
        ranked[key] = best_documents(owners, range(len(owners)))
        changed += bool(case.hints)
    grades = {key: asked.qrels[key] for key in asked.questions}
    return measures.ndcg(ranked, grades), changed
