"""Which demonstrations help: none, random, BM25, dense, tuned, read by the in-context reader.

classification/{trec, sst2, subj, headlines}, each a pool of its own of at most POOL demonstrations;
the adapter and the gate see the pool alone. The reader (prompters/demonstrations/reader.py) stands
for a frozen LLM: it sees the input and the K demonstrations, nothing else. Beside it the plug-in
classifier trained on the same pool. Differences of tuned and dense by a paired sign test. Not here:
what a hosted LLM would make of the same prompts.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.data import Row
from benchmarks.ground import Ground
from benchmarks.prompting.classification import SETS, labelled, parts
from models.classifier.fit import fit
from models.encoders import Encoders
from pipeline.demo_fit import tuned, wins
from prompters.demonstrations.pool import HOWS, Demo, How, Pool
from prompters.demonstrations.reader import answered

POOL, ASKED, KS, GAIN, SEED = 3000, 700, (4, 8), 0.02, 7


def measure(here: Ground) -> dict[str, Any]:
    """Accuracy of every picker on every set."""
    encoder = Encoders()("all-MiniLM-L6-v2")
    found = {name: one_set(*parts(here, name), encoder) for name in SETS}
    better = [name for name, one in found.items()
              if all(one[f"tuned {k}"] >= one[f"dense {k}"] + GAIN for k in KS)]  # fmt: skip
    return {
        "sets": found,
        "bars": {
            f"tuned above dense by {GAIN} at K = 4 and 8 on two of four sets": len(better) >= 2,
            "no set whose gate is `tuned` is worse tuned than dense":
                all(one["gate"] != "tuned" or one["tuned 4"] >= one["dense 4"]
                    for one in found.values()),
        },
    }  # fmt: skip


def one_set(train: Sequence[Row], test: Sequence[Row], encoder: Any) -> dict[str, Any]:
    """Accuracy by picker and K."""
    draw = random.Random(SEED)  # some files are sorted by label
    train, test = (draw.sample(list(some), min(most, len(some)))
                   for some, most in ((train, POOL), (test, ASKED)))  # fmt: skip
    begun = time.perf_counter()
    given = labelled(train, encoder)
    demos = tuple(Demo(row["text"], row["label"], "t") for row in train)
    made = tuned(Pool(demos, given.vectors, (encoder.name, encoder.fingerprint)))
    seconds = time.perf_counter() - begun
    texts = [row["text"] for row in test]
    vectors = encoder.encode(texts)
    pool = made.pool
    found: dict[str, Any] = {"pool": len(train), "asked": len(test), "gate": pool.gates["t"]}
    commonest = Counter(row["label"] for row in train).most_common(1)[0][0]
    for k in KS:
        right = {how: rights(pool, test, vectors, (how, k), commonest) for how in HOWS}
        found |= {f"{how} {k}": round(float(np.mean(some)), 4) for how, some in right.items()}
        found[f"tuned beats dense at {k}"] = wins(right["tuned"], right["dense"])
    said = fit(given, ("", "")).predict(texts, vectors)
    hits = [one.label == row["label"] for one, row in zip(said, test, strict=True)]
    return found | {"plug-in classifier": round(float(np.mean(hits)), 4),
                    "seconds to tune": round(seconds, 1)}  # fmt: skip


def rights(
    pool: Pool, test: Sequence[Row], vectors: Any, how: tuple[How, int], commonest: str
) -> list[bool]:
    """Whether the reader is right on each input."""
    found = []
    for row, vector in zip(test, vectors, strict=True):
        chosen = pool.pick(row["text"], vector, how[1], how[0])
        shown = [pool.demos[at] for at in chosen]
        found.append(answered(vector, shown, pool.vectors[chosen], commonest) == row["label"])
    return found
