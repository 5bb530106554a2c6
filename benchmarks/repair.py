"""Repair: altered answers caught and mended, right sentences harmed, beside one that only drops.

Sentences of held-out documents (nq_oracle, xquad, wice), said shorter, are altered by the rules
of models/training/altering.py and put beside a right sentence of the same document; the passages
are the document's and some of others. Right claims that people wrote (wice, fever_symmetric) tell
what paraphrase costs. Not here: training anything.
Run: python -m benchmarks.repair [--count N] [--words]
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ground import Ground
from models.encoders import Encoders
from models.pilot.chosen import PILOT, chosen
from models.pilot.reading import Judge
from models.training import sources
from models.training.altering import KINDS, names_of
from models.training.examples import held
from models.training.making import shorter
from pilotfish.text import fold, sentences
from pilotfish.types import Answer, Case, Passage, Question
from pipeline.parts import Memo
from verifiers.evidence import Embed
from verifiers.keys import Claim
from verifiers.rewrite import Rewrite
from verifiers.support import CARRIED, Judged, judged

Text = tuple[str, str]  # (title, text)
WORDS, OTHERS, SEED = 110, 4, 5
HARM_BAR = 0.02


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer of two sentences over passages. `kind`: what is wrong with `told`, "" nothing."""

    case: Case
    kind: str
    truth: str
    told: str
    beside: str


def documents(test: bool, seed: int = SEED) -> list[Text]:
    """Held-out documents (test), or the others, each once, in random order."""
    found: dict[str, Text] = {}
    for name in sources.READING:
        for row in sources.rows(f"reading/{name}"):
            if held(row["title"]) == test:
                found.setdefault(row["context"], (row["title"], row["context"]))
    for row in sources.rows("verification/wice"):
        if held(row["claim_id"].split("-")[0]) == test:
            found.setdefault(row["evidence"], ("", row["evidence"]))
    drawn = sorted(found.values())
    random.Random(seed).shuffle(drawn)
    return drawn


def passages(texts: Sequence[Text]) -> tuple[Passage, ...]:
    """Runs of whole sentences of about WORDS words, documents one after the other."""
    made: list[Passage] = []
    for number, (title, text) in enumerate(texts):
        spans, begin = sentences(text), 0
        for place, (_, end) in enumerate(spans):
            start = spans[begin][0]
            if len(text[start:end].split()) >= WORDS or place + 1 == len(spans):
                made.append(
                    Passage(len(made) + 1, text[start:end], f"d{number}", start, end, title=title)
                )
                begin = place + 1
    return tuple(made)


def altered_answers(count: int, test: bool = True) -> Iterator[Asked]:
    """`count` answers of each kind of alteration, and as many right ones."""
    texts, rng = documents(test), random.Random(SEED)
    for kind in [*KINDS, ""]:
        made = 0
        for number, (title, text) in enumerate(texts):
            if made == count:
                break
            asked = _asked(title, text, kind, texts[number + 1 : number + 1 + OTHERS], rng)
            if asked is not None:
                made += 1
                yield asked


def _asked(
    title: str, text: str, kind: str, others: Sequence[Text], rng: random.Random
) -> Asked | None:
    text = " ".join(text.split()[:600])
    spans = [s for s in sentences(text) if 8 <= len(text[s[0] : s[1]].split()) <= 40]
    if len(spans) < 2:
        return None
    rng.shuffle(spans)
    said = [shorter(text[a:b], title, rng) for a, b in spans[:8]]
    for truth, beside in itertools.pairwise(said):
        told = truth
        if kind:
            change = KINDS[kind](truth, names_of(text) or [title], rng)
            if change is None or _same(change.text, truth):
                continue
            told = change.text
        if _same(truth, beside) or len(sentences(told)) != 1 or len(sentences(beside)) != 1:
            continue
        ended = [one if one.endswith((".", "!", "?")) else one + "." for one in (told, beside)]
        case = _case(ended, passages([(title, text), *others]))
        return Asked(case, kind, truth, *ended)
    return None


def _case(said: Sequence[str], found: tuple[Passage, ...]) -> Case:
    return Case(Question("What is known of it?"), found, answer=Answer(" ".join(said)))


def written_claims(count: int, test: bool = True) -> Iterator[tuple[str, Asked]]:
    """Claims that people wrote and found supported, with their evidence."""
    for name in ("wice", "fever_symmetric"):
        seen: set[str] = set()
        rows = [r for r in sources.rows(f"verification/{name}") if r["label"] == "supported"]
        random.Random(SEED).shuffle(rows)
        for row in rows:
            key = row["claim_id"].split("-")[0] if name == "wice" else row["evidence"]
            single = len(sentences(row["claim"])) == 1 and row["claim"] not in seen
            if len(seen) == count or held(key) != test or not single:
                continue
            text = " ".join(row["evidence"].split()[:1500])
            case = _case([row["claim"]], passages([(row.get("title") or "", text)]))
            seen.add(row["claim"])
            yield name, Asked(case, "", row["claim"], row["claim"], "")


def _same(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)


def _bare(text: str) -> str:
    return " ".join(fold(text).split()).strip(" .")


class Remembered:
    """The judge, which looks at each sentence of one set of passages once."""

    def __init__(self, embed: Embed, model: Judge | None = None) -> None:
        self._embed, self._model = embed, model
        self._known: dict[tuple[str, tuple[int, ...], int], Judged] = {}

    def __call__(self, claim: Claim, case: Case) -> Judged:
        key = claim.text, claim.named, id(case.passages)
        if key not in self._known:
            self._known[key] = judged(claim, case, self._embed, self._model)
        return replace(self._known[key], claim=claim)


def rewriter(judge: Remembered, **settings: Any) -> Callable[[Case], Case]:
    """The rewriter as a recipe has it, without the second look at the whole answer."""
    return Rewrite(judge, again=lambda case: case, **settings)


def dropper(judge: Remembered, below: float) -> Callable[[Case], Case]:
    """The baseline: sentences that the judge gives less than `below` are dropped, nothing else."""

    def drop(case: Case) -> Case:
        assert case.answer is not None
        text = case.answer.text
        claims = [Claim(a, b, text[a:b]) for a, b in sentences(text)]
        kept = [c.text for c in claims if judge(c, case).support >= below]
        return replace(case, answer=replace(case.answer, text=" ".join(kept)))

    return drop


def outcome(asked: Asked, repair: Callable[[Case], Case], judge: Remembered) -> Counter[str]:
    """What became of the sentence in question and of the one beside it."""
    done = repair(asked.case)
    assert done.answer is not None
    text = done.answer.text
    there = _bare(text)
    found: Counter[str] = Counter({"all": 1})
    kept = _bare(asked.told) in there
    if asked.kind:
        found["mended"] += _bare(asked.truth) in there
        found["left"] += kept
        found["caught"] += not kept or _flagged(done, asked.told, judge)
    else:
        kinds = {change["kind"] for change in done.notes.get("changes", [])}  # type: ignore[attr-defined]
        found["reworded"] += not kept and kinds == {"word"}
        found["harmed"] += not kept and kinds != {"word"}
    if asked.beside:
        found["beside harmed"] += _bare(asked.beside) not in there
    return found


def _flagged(case: Case, told: str, judge: Remembered) -> bool:
    """Whether Cite, which comes after, leaves the sentence without a citation."""
    claims = [c for c in _claims(case) if _same(c.text, told)]
    return any(judge(claim, case).support < CARRIED for claim in claims)


def _claims(case: Case) -> list[Claim]:
    text = case.answer.text if case.answer else ""
    return [Claim(a, b, text[a:b]) for a, b in sentences(text)]


def table(embed: Embed, count: int, model: Judge | None = None) -> dict[str, Any]:
    """Every repairer over the same answers: shares by kind. model None: judged by rules."""
    judge = Remembered(embed, model)
    answers = list(altered_answers(count))
    written = list(written_claims(count))
    repairers = {
        "rewrite": rewriter(judge),
        "rewrite, nothing dropped": rewriter(judge, unsupported="keep"),
        "drop below 0.06": dropper(judge, 0.06),
        "drop what cannot be cited": dropper(judge, CARRIED),
    }
    return {name: _scored(repair, answers, written, judge) for name, repair in repairers.items()}


def _scored(
    repair: Callable[[Case], Case],
    answers: Sequence[Asked],
    written: Sequence[tuple[str, Asked]],
    judge: Remembered,
) -> dict[str, Any]:
    groups: dict[str, Counter[str]] = {}
    for asked in answers:
        groups.setdefault(asked.kind or "right", Counter()).update(outcome(asked, repair, judge))
    for name, asked in written:
        groups.setdefault(f"right, {name}", Counter()).update(outcome(asked, repair, judge))
    return {
        kind: {"n": c["all"]} | {k: round(c[k] / c["all"], 4) for k in c if k != "all"}
        for kind, c in groups.items()
    }


def measure(ground: Ground, count: int = 120) -> dict[str, Any]:
    """The repairers under the shipped judge, and under rules."""
    embed, count = Memo(Encoders()("all-MiniLM-L6-v2")), 15 if ground.quick else count
    judges = {"pilot": chosen(PILOT, PILOT), "rules": None}
    found = {name: table(embed, count, model) for name, model in judges.items()}
    rows = found["pilot"]["rewrite"]
    harmed = _mean(rows["right"]["harmed"], *(row["beside harmed"] for row in rows.values()
                                              if "beside harmed" in row))  # fmt: skip
    return {
        "judges": found, "seed": SEED, "right sentences harmed": round(harmed, 4),
        "bars": {f"under {HARM_BAR:.0%} of the right sentences of answers are harmed":
                 harmed < HARM_BAR},
    }  # fmt: skip


def _mean(*shares: float) -> float:
    return float(np.mean(shares))


def by_words(texts: Sequence[str]) -> Any:
    """A stand-in encoder to try things out: hashed words."""
    import zlib

    vectors = np.zeros((len(texts), 512), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in fold(text).split():
            vectors[row, zlib.crc32(word.strip(".,").encode()) % 512] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--words", action="store_true", help="hashed words for an encoder: quick")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    encode = by_words if options.words else Memo(Encoders(1)("all-MiniLM-L6-v2"))
    result = table(encode, options.count)
    print(json.dumps(result, indent=1))
    if options.output:
        options.output.write_text(json.dumps(result))
