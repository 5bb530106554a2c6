"""LLM calls, tokens and seconds of multi-hop questions, beside LlamaIndex's and Haystack's way.

A hundred 2Wiki questions that no weight of decomposition was fitted to, over one collection: the
recipes of Pilotfish, LlamaIndex's SubQuestionQueryEngine and Haystack's multi-query pipeline, each
in a process of its own, with the same passages, weights and vectors. All speak to one test LLM over
the wire, and calls and tokens are counted there (oracle_llm.py). Not here: that LLM, the systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from benchmarks.child import call
from benchmarks.data import lines
from benchmarks.ground import Ground
from benchmarks.measures import median
from benchmarks.prompting.fit_decomposition import fitted
from benchmarks.prompting.multihop import grades
from benchmarks.prompting.oracle_llm import Gold, OracleLLM

COUNT, LATENCY = 100, 0.5  # questions; seconds that the LLM takes for a call
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "Pilotfish, default": ("ours", {"recipe": "default"}),
    "Pilotfish, default, the LLM asked always": ("ours", {"recipe": "default", "effort": 1.0}),
    "Pilotfish, single, the LLM asked always": ("ours", {"recipe": "single", "effort": 1.0}),
    "LlamaIndex SubQuestionQueryEngine, 2 passages": ("llama", {"k": 2}),
    "LlamaIndex SubQuestionQueryEngine, 10 passages": ("llama", {"k": 10}),
    "Haystack multi-query, 10 passages a query": ("haystack", {"k": 10}),
}
CALLS = 1.0  # of ours, at most


@dataclass(frozen=True, slots=True)
class Reply:
    """What a system said to a question, and how long it took."""

    text: str
    seconds: float


def measure(here: Ground) -> dict[str, Any]:
    """Each system's figures; bars on calls and tokens."""
    gold = asked(here)[: 6 if here.quick else COUNT]
    library = here.collection("2wiki")
    given = {"workspace": str(library.settings.workspace), "questions": [g.question for g in gold]}
    systems = {}
    for name, (function, more) in SYSTEMS.items():
        with OracleLLM(gold, 0.0 if here.quick else LATENCY) as llm:
            done = call("prompting.peer_systems", function, {**given, "url": llm.url, **more})
            replies = [Reply(**one) for one in done["replies"]]
            systems[name] = figures(gold, replies, llm)
        print(name, systems[name], flush=True)
    own, others = systems["Pilotfish, default"], [
        one for name, one in systems.items() if not name.startswith("Pilotfish")
    ]  # fmt: skip
    bars = {
        f"at most {CALLS:g} LLM call a question": own["calls"] <= CALLS,
        "fewer calls, tokens and seconds than each of the peers, and no lower F1": all(
            own["f1"] >= one["f1"]
            and all(own[key] < one[key] for key in ("calls", "tokens", "seconds"))
            for one in others
        ),
    }
    return {"questions": len(gold), "latency": LATENCY, "systems": systems, "bars": bars}


def asked(here: Ground) -> list[Gold]:
    """Questions with their hops, of those that nothing was fitted to."""
    rows = lines(here.data / "multihop" / "2wiki.jsonl.gz")
    return [
        Gold(row["question"], tuple(row["answers"]),
             tuple((hop["question"], hop["answer"]) for hop in row["hops"]))
        for row in rows if row.get("hops") and not fitted(row["question"])
    ]  # fmt: skip


def figures(gold: Sequence[Gold], replies: Sequence[Reply], llm: OracleLLM) -> dict[str, Any]:
    """Means over questions; `right`: token F1 of what was said, nothing counts 0."""
    count, seconds = len(gold), [one.seconds for one in replies]
    scores = [grades(one.text, g.answers)[0] for g, one in zip(gold, replies, strict=True)]
    return {
        "calls": round(llm.calls / count, 2),
        "tokens": round(llm.prompt_tokens / count, 1),
        "written": round(llm.completion_tokens / count, 1),
        "seconds": round(fmean(seconds), 3),
        "median": round(median(seconds), 3),
        "f1": round(fmean(scores), 4),
        "said": round(fmean(bool(one.text) for one in replies), 4),
    }


def plain(replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """As JSON takes them."""
    return [asdict(one) for one in replies]
