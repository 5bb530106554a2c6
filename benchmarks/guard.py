"""Guard: orders in documents, over-blocking, personal data, toxicity; each beside a plain rule.

Orders: BIPIA's attacks in its benign contexts, a fifth of the types at a time left out of
training; the threshold is where 1 % of the sentences of benign contexts (other half) are above
it; an attack is found when a sentence that holds part of it is. The same contexts without attack
give the false alarms. Not here: fitting (fit_guard.py).
Run: python -m benchmarks.guard [PART]...
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks import guard_data as data
from benchmarks.fit_guard import at_false_alarms, fit, toxicity, training, tweets
from corpus import orders
from models.training.sources import rows
from verifiers import personal, toxic

Score = Callable[[str, float], float]  # (sentence, share that is foreign) -> how like an order
RATES = (0.01, 0.001)
PLACES = 4  # contexts that each attack is put into
_RULE = re.compile(
    r"\b(?:ignore|disregard|forget|your (?:\w+ )?(?:answer|response|reply|output|message|code|"
    r"solution|implementation)|(?:please|can you|could you|provide|write|translate|explain|"
    r"replace|add|include|modify|integrate|use) )",
    re.IGNORECASE,
)


def by_rule(sentence: str, foreign: float) -> float:
    """The plain rule: how many of its words."""
    return float(len(_RULE.findall(sentence)))


def by_foreignness(sentence: str, foreign: float) -> float:
    return foreign


def scores(text: str, score: Score) -> list[tuple[int, int, float]]:
    around = orders.Around(text)
    return [(a, b, score(text[a:b], around.foreign(text[a:b]))) for a, b in orders.pieces(text)]


def by_model(left_out: set[str]) -> Score:
    model = fit(training(left_out))
    return lambda sentence, foreign: model(orders.features(sentence, foreign))


def found(attacks: Sequence[data.Attack], score: Score) -> dict[str, Any]:
    """Recall at each rate of false alarms, by type, on the test half of the contexts."""
    rng, texts = random.Random(data.SEED), data.contexts(test=True)
    quiet = [s for text in texts for _, _, s in scores(text, score)]
    best: list[tuple[str, float]] = []
    for attack in attacks:
        for context in rng.sample(texts, PLACES):
            text, start, end = data.inserted(context, attack.text, rng)
            inside = [s for a, b, s in scores(text, score) if a < end and start < b]
            best.append((attack.type, max(inside, default=0.0)))
    return {str(rate): _recall(best, at_false_alarms(quiet, rate)) for rate in RATES}


def _recall(best: Sequence[tuple[str, float]], threshold: float) -> dict[str, tuple[int, int]]:
    counted: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for kind, score in best:
        hits, total = counted[kind]
        counted[kind] = (hits + (score >= threshold), total + 1)
    return dict(counted)


def left_out_types() -> dict[str, Any]:
    """Every attack judged by a model that knew none of its type; with and without our templates."""
    every = data.attacks()
    result: dict[str, Any] = {}
    plain: dict[str, Score] = {"rule": by_rule, "foreign words": by_foreignness}
    for name, score in plain.items():
        result[name] = _summed([found(every, score)])
    ours = {"made", "question", "command"}
    for name, less in (("model", set()), ("model, no templates", {"made"}), ("attacks only", ours)):
        result[name] = _summed([
            found([a for a in every if a.type in group], by_model(group | less))
            for group in data.folds([a.type for a in every])
        ])  # fmt: skip
    return result


def left_out_families() -> dict[str, Any]:
    """The harder question: no type that is alike is known either."""
    every = data.attacks()
    result: dict[str, Any] = {}
    for name, less in (("model", set[str]()), ("model, no templates", {"made"})):
        for family, group in data.families().items():
            mine = [attack for attack in every if attack.type in group]
            result.setdefault(name, {})[family] = _brief(found(mine, by_model(group | less)))
    return result


def _brief(part: dict[str, Any]) -> dict[str, float]:
    return {key: value for key, value in _summed([part]).items() if key.startswith("recall")}


def shipped() -> dict[str, Any]:
    """The packaged model at its own threshold, which knows these types: what an add holds."""
    model, rng, texts = orders.packaged(), random.Random(data.SEED), data.contexts(test=True)
    hits = total = 0
    for attack in data.attacks():
        for context in rng.sample(texts, PLACES):
            text, start, end = data.inserted(context, attack.text, rng)
            hits += any(o.start < end and start < o.end for o in orders.orders(text, model))
            total += 1
    return {"recall": round(hits / total, 4), "threshold": model.threshold}


def _summed(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for rate in parts[0]:
        by_type = {kind: pair for part in parts for kind, pair in part[rate].items()}
        hits, total = (sum(pair[n] for pair in by_type.values()) for n in (0, 1))
        merged[f"recall at {rate}"] = round(hits / total, 4)
        merged[f"types at {rate}"] = {k: round(h / n, 2) for k, (h, n) in sorted(by_type.items())}
    return merged


def over_blocking(limit: int = 400) -> dict[str, Any]:
    """Sentences, passages-to-be and documents above the shipped threshold, in benign texts."""
    sets: dict[str, Iterable[str]] = {
        "scifact": [r["text"] for r in rows("retrieval/scifact/corpus")][:limit],
        "nq": list(dict.fromkeys(r["context"] for r in rows("reading/nq_oracle")))[-limit:],
        "2wiki": [p["text"] for r in rows("multihop/2wiki") for p in r["passages"]][:limit],
        "pubmedqa": [r["context"] for r in rows("reading/pubmedqa")][:limit],
        "xquad with its questions": data.faq(True, limit),
        "BIPIA contexts (test half)": data.contexts(test=True),
        "examples": [text for _, text in data.examples()],
    }
    return {name: _blocked(texts) for name, texts in sets.items()}


def _blocked(texts: Iterable[str]) -> dict[str, Any]:
    model, sentences, above, documents, hit = orders.packaged(), 0, 0, 0, 0
    shown: list[str] = []
    started = time.process_time()
    for text in texts:
        judged = list(orders.scored(text, model))
        over = [one for one in judged if one.score >= model.threshold]
        shown += [text[one.start : one.end][:120] for one in over]
        sentences, above = sentences + len(judged), above + len(over)
        documents, hit = documents + 1, hit + bool(over)
    seconds = time.process_time() - started
    return {"texts": documents, "texts hit": hit, "sentences": sentences, "above": above,
            "share": round(above / max(1, sentences), 5), "shown": shown[:5],
            "sentences_per_cpu_second": round(sentences / max(1e-9, seconds))}  # fmt: skip


def personal_data() -> dict[str, Any]:
    """Precision and recall of each type: a span counts when both ends are within one character."""
    right, said, there = Counter[str](), Counter[str](), Counter[str]()
    for row in rows("guard/pii"):
        spans = [s for s in row["spans"] if s["type"] in personal.KINDS]
        gold = {(s["type"], s["start"], s["end"]) for s in spans}
        ours = [(one.kind, one.start, one.end) for one in personal.found(row["text"])]
        there.update(kind for kind, _, _ in gold)
        said.update(kind for kind, _, _ in ours)
        right.update(one[0] for one in ours if any(_near(one, other) for other in gold))
    return {
        kind: {"n": there[kind], "said": said[kind],
               "precision": round(right[kind] / said[kind], 3) if said[kind] else None,
               "recall": round(right[kind] / there[kind], 3) if there[kind] else None}
        for kind in personal.KINDS
    }  # fmt: skip


def _near(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) <= 1 and abs(one[2] - other[2]) <= 1


def toxic_tweets() -> dict[str, Any]:
    """The half that was not trained on: AUROC, and both at their yes or no."""
    from sklearn.metrics import roc_auc_score

    half = toxicity(test=True)
    truth = [label for _, label in half]
    model = fit(tweets())
    rated = [model(toxic.features(text)) for text, _ in half]
    listed = [float(toxic.listed(text)) for text, _ in half]
    threshold = toxic.packaged().threshold
    return {
        "n": len(half), "toxic": sum(truth),
        "model": {"auroc": round(float(roc_auc_score(truth, rated)), 4),
                  **_yes([r >= threshold for r in rated], truth)},
        "word list": {"auroc": round(float(roc_auc_score(truth, listed)), 4),
                      **_yes([bool(one) for one in listed], truth)},
    }  # fmt: skip


def _yes(said: Sequence[bool], truth: Sequence[bool]) -> dict[str, float]:
    right = sum(s and t for s, t in zip(said, truth, strict=True))
    return {
        "precision": round(right / max(1, sum(said)), 4),
        "recall": round(right / sum(truth), 4),
    }


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "orders": left_out_types,
    "orders, family left out": left_out_families,
    "orders, as shipped": shipped,
    "over-blocking": over_blocking,
    "personal data": personal_data,
    "toxicity": toxic_tweets,
}


def measure(ground: object) -> dict[str, Any]:
    """For the runner."""
    return {name: part() for name, part in PARTS.items()}


if __name__ == "__main__":
    print(json.dumps({name: PARTS[name]() for name in sys.argv[1:] or PARTS}, indent=1))
