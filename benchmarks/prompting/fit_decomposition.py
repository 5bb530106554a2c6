"""`python -m benchmarks.prompting.fit_decomposition [--write]`: fits what decomposition ships.

On one half of the questions (by a hash of their text), of 2Wiki's silver decompositions, GSM8K and
StrategyQA, with questions of Natural Questions as single ones. Where the parts of a question stand
in it is found by aligning it with its sub-questions. Not here: serving, measuring the other half.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import Row, lines
from benchmarks.ground import ground
from benchmarks.prompting.overlap import f1
from benchmarks.prompting.varying import made
from benchmarks.prompting.varying import placed as where
from pilotfish.text import sentences
from prompters.decomposition import arithmetic
from prompters.decomposition.forms import HOLDER, THING, UNKNOWN
from prompters.decomposition.linear import FILE
from prompters.decomposition.pointing import INNER, ONE, OTHER, Asked, candidates
from prompters.decomposition.pointing import features as span_features
from prompters.decomposition.words import bare, features, split

FORM = {
    "compositional": "bridge", "inference": "kin", "comparison": "comparison",
    "bridge_comparison": "bridge-comparison",
}  # fmt: skip
# Silver sub-questions ask for one thing in many words: each kind in its commonest.
SAME = tuple((re.compile(pattern, re.IGNORECASE), words) for pattern, words in (
    (r"cause of death|^why did .* die", f"What was the cause of death of {THING}?"),
    (r"birthplace|(?:where|place|city|country).*(?:born|birth)", f"Where was {THING} born?"),
    (r"(?:where|place|city|country).*(?:\bdie|death)", f"Where did {THING} die?"),
    (r"\bborn\b|\bbirth", f"When was {THING} born?"),
    (r"\bdie[ds]?\b|\bdeath\b", f"When did {THING} die?"),
    (r"nationality|citizenship", f"What is the nationality of {THING}?"),
    (r"country of origin", f"What is the country of origin of {THING}?"),
    (r"country.*\blocated\b|\blocated\b.*country", f"In which country is {THING} located?"),
    (r"releas|come out|published", f"When was {THING} released?"),
))  # fmt: skip
MADE = 400  # questions of each form that are made up
RARE = 3  # a feature or template seen less often is left out
ROUNDS, RATE = 400, 0.05
_GENERIC = frozenset("who what when where which is was did does the a an of in are were".split())

Seen = list[tuple[dict[str, float], str]]


def fitted(question: str) -> bool:
    """Whether weights may see this question: one half of all, by a hash of its words."""
    return hashlib.sha256(" ".join(question.split()).encode()).digest()[0] % 2 == 0


def entities(row: Row) -> list[str]:
    """The things compared: where the first two sub-questions differ."""
    one, two = (split(text) for text in row["subquestions"][:2])
    a, b = [w.lower for w in one], [w.lower for w in two]
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    if head >= len(a) - tail or head >= len(b) - tail:
        return []
    texts = row["subquestions"][:2]
    return [text[w[head].start : w[len(w) - tail - 1].end]
            for text, w in zip(texts, (one, two), strict=True)]  # fmt: skip


def placed(asked: Asked, text: str) -> tuple[int, int] | None:
    """The span of the question that is nearest to a text, where it is near enough."""
    wanted = [word.lower for word in split(text)]
    spans = [(abs(b - a - len(wanted)) <= 3 and _alike(asked, (a, b), wanted), (a, b))
             for a, b in candidates(asked)]  # fmt: skip
    best = max(spans, default=(0, (0, 0)))
    return best[1] if best[0] >= 0.85 else None


def _alike(asked: Asked, span: tuple[int, int], wanted: Sequence[str]) -> float:
    own = [word.lower for word in asked.words[span[0] : span[1]]]
    return SequenceMatcher(None, own, wanted, autojunk=False).ratio()


def inner(asked: Asked, first: str) -> tuple[int, int] | None:
    """The span that a bridge's first sub-question asks about: where its words stand."""
    wanted = set(bare(first)) - _GENERIC
    places = [n for n, word in enumerate(asked.words) if word.lower in wanted]
    if not places or len(places) < 0.6 * len(wanted):
        return None
    low, high = places[0], places[-1] + 1
    while low > 0 and asked.words[low - 1].lower in {"the", "a"}:
        low -= 1
    words = asked.words
    if high + 2 < len(words) and words[high].text in "'’" and words[high + 2].lower in wanted:
        high += 3
    if words[high - 1].text == "(":
        high -= 1
    while high < len(words) and words[high].text == ")":
        high += 1
    return (low, high) if (low, high) in set(candidates(asked)) else None


def shared(text: str, other: str) -> str:
    """The longest run of words of `text` that stands in the other one too."""
    one, two = split(text), split(other)
    a, b = [w.lower for w in one], [w.lower for w in two]
    found = SequenceMatcher(None, a, b, autojunk=False).find_longest_match()
    if found.size == 0:
        return ""
    return text[one[found.a].start : one[found.a + found.size - 1].end]


def template(text: str, thing: str) -> str:
    """The sub-question without its thing, in the commonest words for what it asks."""
    made = text.replace(thing, THING, 1) if thing and thing in text else ""
    return next((words for pattern, words in SAME if made and pattern.search(made)), made)


class Rows:
    """What each part is fitted on, gathered from the fitted half."""

    def __init__(self) -> None:
        self.form: Seen = []
        self.asked: Seen = []
        self.spans: dict[str, list[tuple[Asked, tuple[int, int]]]] = defaultdict(list)

    def wiki(self, rows: Iterable[Row]) -> None:
        for row in rows:
            form = FORM[row["type"]]
            self.form.append((features(row["question"]), form))
            for part in row["subquestions"]:
                self.form.append((features(part), "single"))
            asked = Asked.of(row["question"])
            if form == "bridge" and len(row["subquestions"]) == 2:
                self._bridge(row, asked)
            elif form in {"comparison", "bridge-comparison"}:
                self._compared(row, asked)

    def _bridge(self, row: Row, asked: Asked) -> None:
        first, second = row["subquestions"]
        span = inner(asked, first)
        if span is None:
            return
        self.spans[INNER].append((asked, span))
        at = asked.pointed(span)
        rest = row["question"][: at.start] + HOLDER + row["question"][at.end :]
        self.asked.append((features(rest), template(second, shared(second, row["answers"][0]))))

    def _compared(self, row: Row, asked: Asked) -> None:
        spans = [placed(asked, text) for text in entities(row)]
        spans = sorted(span for span in spans if span)
        if len(spans) != 2 or spans[0][1] > spans[1][0]:
            return
        one, other = (asked.pointed(span) for span in spans)
        self.spans[ONE].append((asked, spans[0]))
        self.spans[OTHER].append((asked, spans[1]))
        text = row["question"]
        rest = text[: one.start] + HOLDER + text[one.end : other.start] + HOLDER + text[other.end :]
        last = row["subquestions"][-1]
        thing = entities(row)[1] if len(row["subquestions"]) == 2 else shared(
            last, " ".join(row["answers"][:2])
        )  # fmt: skip
        self.asked.append((features(rest), template(last, thing)))

    def made_up(self, count: int) -> None:
        """Questions of other words than the data's."""
        for one in made(count):
            self.form.append((features(one.text), one.form))
            asked = Asked.of(one.text)
            roles = (INNER,) if one.form == "bridge" else (ONE, OTHER)  # of a single one: no span
            for role, (start, end) in zip(roles, where(one.text, one.spans), strict=False):
                inside = [n for n, w in enumerate(asked.words) if start <= w.start and w.end <= end]
                span = (inside[0], inside[-1] + 1)
                self.spans[role].append((asked, span))
            rest = one.text
            for span in one.spans:
                rest = rest.replace(span, HOLDER, 1)
            if one.form == "comparison":
                self.asked.append((features(rest), UNKNOWN))
            elif one.form == "bridge":
                asks = next((words for pattern, words in SAME if pattern.search(rest)), UNKNOWN)
                self.asked.append((features(rest), asks))


def softmax_fit(rows: Seen, strength: float) -> dict[str, Any]:
    """Multinomial logistic by gradient descent (Adam), L2-penalised: (classes, weights)."""
    classes = sorted({label for _, label in rows})
    counts = Counter(name for found, _ in rows for name in found)
    names = sorted(name for name, count in counts.items() if count >= RARE)
    place = {name: n for n, name in enumerate(names)}
    design = np.zeros((len(rows), len(names)), np.float32)
    for n, (found, _) in enumerate(rows):
        for name, value in found.items():
            if name in place:
                design[n, place[name]] = value
    common = Counter(label for _, label in rows)
    weight = np.array([[(len(rows) / len(classes) / common[label]) ** 0.5] for _, label in rows])
    weight = (weight / weight.mean()).astype(np.float32)
    truth = np.eye(len(classes), dtype=np.float32)[[classes.index(label) for _, label in rows]]

    def slope(weights: np.ndarray) -> np.ndarray:
        scores = design @ weights
        scores -= scores.max(1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(1, keepdims=True)
        return design.T @ (weight * (chances - truth)) / len(rows) + strength * weights

    weights = adam(slope, np.zeros((len(names), len(classes)), np.float32))
    return {"classes": classes, "weights": {
        name: [round(float(one), 3) for one in weights[n]] for name, n in place.items()
        if np.abs(weights[n]).max() >= 0.02
    }}  # fmt: skip


def span_fit(rows: Sequence[tuple[Asked, tuple[int, int]]], strength: float) -> dict[str, float]:
    """Softmax over the candidate spans of each question."""
    gathered = [(list(candidates(asked)), asked, gold) for asked, gold in rows]
    gathered = [one for one in gathered if one[2] in one[0]]
    found = [[span_features(asked, span) for span in spans] for spans, asked, _ in gathered]
    counts = Counter(name for (spans, _, gold), own in zip(gathered, found, strict=True)
                     for name, value in own[spans.index(gold)].items() if value)  # fmt: skip
    counts.update(Counter(name for own in found for one in own for name, v in one.items() if v))
    names = sorted(name for name, count in counts.items() if count >= 8)
    place = {name: n for n, name in enumerate(names)}
    at, column, value, first = [], [], [], [0]
    for own in found:
        for one in own:
            for name, v in one.items():
                if v and name in place:
                    at.append(first[-1])
                    column.append(place[name])
                    value.append(v)
            first[-1] += 1
        first.append(first[-1])
    sizes = [len(own) for own in found]
    starts = np.cumsum([0, *sizes])[:-1]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    gold = starts + np.array([spans.index(g) for spans, _, g in gathered])
    from scipy.sparse import csr_matrix

    design = csr_matrix((value, (at, column)), shape=(sum(sizes), len(names)))

    def slope(weights: np.ndarray) -> np.ndarray:
        scores = design @ weights
        high = np.maximum.reduceat(scores, starts)
        raised = np.exp(scores - high[owner])
        chances = raised / np.add.reduceat(raised, starts)[owner]
        chances[gold] -= 1
        return design.T @ chances / len(sizes) + strength * weights

    weights = adam(slope, np.zeros(len(names)))
    return {name: round(float(weights[n]), 3) for name, n in place.items()
            if abs(weights[n]) >= 0.02}  # fmt: skip


def adam(slope: Any, weights: np.ndarray) -> np.ndarray:
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for turn in range(1, ROUNDS + 1):
        grad = slope(weights)
        mean = 0.9 * mean + 0.1 * grad
        square = 0.999 * square + 0.001 * grad**2
        rate = RATE * (1 - turn / ROUNDS) + 1e-3
        weights = weights - rate * (mean / (1 - 0.9**turn)) / (
            np.sqrt(square / (1 - 0.999**turn)) + 1e-8
        )
    return weights


def ridge(rows: Sequence[tuple[Mapping[str, float], float]], strength: float) -> dict[str, float]:
    names = list(rows[0][0])
    design = np.array([[row[name] for name in names] for row, _ in rows])
    truth = np.array([value for _, value in rows])
    weights = np.linalg.solve(design.T @ design + strength * np.eye(len(names)), design.T @ truth)
    return {name: round(float(w), 4) for name, w in zip(names, weights, strict=True)}


def known_templates(rows: Seen) -> Seen:
    """Templates that come often; the rest are `other`."""
    often = Counter(label for _, label in rows)
    return [(found, label if often[label] >= RARE - 1 and THING in label else UNKNOWN)
            for found, label in rows]  # fmt: skip


def fit(data: Path) -> dict[str, Any]:
    """All weights, from the fitted half."""
    halves = {name: [row for row in lines(data / "decomposition" / f"{name}.jsonl.gz")
                     if fitted(row["question"])]
              for name in ("2wiki", "strategyqa", "gsm8k")}  # fmt: skip
    rows = Rows()
    rows.wiki(halves["2wiki"])
    rows.made_up(MADE)
    for name, form in (("strategyqa", "implicit"), ("gsm8k", "arithmetic")):
        rows.form += [(features(row["question"]), form) for row in halves[name]]
    rows.form += [(features(part), "single") for row in halves["gsm8k"]
                  for part in row["subquestions"]]  # fmt: skip
    for name in ("nq_oracle", "xquad"):
        singles = lines(data / "reading" / f"{name}.jsonl.gz")
        rows.form += [(features(row["question"]), "single") for row in singles
                      if fitted(row["question"])]  # fmt: skip
    problems = halves["gsm8k"]
    print({role: len(found) for role, found in rows.spans.items()}, len(rows.form), len(rows.asked))
    print(Counter(label for _, label in known_templates(rows.asked)).most_common(40))
    return {
        "form": softmax_fit(rows.form, 3e-4),
        "asked": softmax_fit(known_templates(rows.asked), 1e-3),
        "spans": {role: span_fit(found, 1e-3) for role, found in sorted(rows.spans.items())},
        "steps": ridge([(arithmetic.sizes(r["question"]), len(r["subquestions"]))
                        for r in problems], 1.0),
        "clauses": ridge(clause_rows(problems), 1.0),
    }  # fmt: skip


def clause_rows(problems: Sequence[Row]) -> list[tuple[dict[str, float], float]]:
    """Each clause of a problem and how near its question is to a gold one."""
    found = []
    for row in problems:
        spans = [row["question"][a:b] for a, b in sentences(row["question"])]
        asked = set(bare(spans[-1]))
        for clause in arithmetic.clauses(" ".join(spans[:-1])):
            near = max(f1(clause.asks, gold) for gold in row["subquestions"])
            found.append((arithmetic.seen(clause, asked), near))
    return found


if __name__ == "__main__":
    shipped = fit(ground(False).data)
    if "--write" in sys.argv:
        text = json.dumps(shipped, ensure_ascii=False, separators=(",", ":"))
        FILE.write_text(re.sub(r'("(?:weights|spans|steps|clauses)":)', r"\n\1", text) + "\n",
                        encoding="utf-8")  # fmt: skip
        print(f"{FILE}: {FILE.stat().st_size / 1e3:.0f} kB")
