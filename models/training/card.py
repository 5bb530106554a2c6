"""Writes the pilot's model card from what was measured when it was shipped. Not here: measuring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ABOUT = """# Pilot: one small cross-encoder that ranks, reads and judges

22 million parameters: the trunk of all-MiniLM-L6-v2 (6 layers, 384 wide, uncased English word
pieces) and three small heads over one pass of (question or claim, passage), at most 256 tokens:
**relevance** (does the passage help to answer), **support** (supported, contradicted, unsupported),
**span** (where the answer stands, or nowhere). Served as one int8 ONNX graph; word vectors are int8
rows, head weights fp16.

## Data

Trained only on public sets with a stated licence, on four fifths of their source documents
(`models/training/examples.py: held`); the rest is held out and is what the figures below are of.

| set | used for | licence |
|---|---|---|
| SciFact claims and abstracts | support, relevance | CC BY 4.0, ODC-By 1.0 |
| FEVER symmetric 0.2 | support | MIT, Wikipedia CC BY-SA |
| WiCE | support | CC BY-SA, Common Crawl terms |
| BEGIN | support | Apache-2.0 / CC per sub-set |
| HaluEval QA | support, span | MIT |
| TabFact | support over rows of tables | MIT |
| Natural Questions (oracle passages), XQuAD English | span, relevance | CC BY-SA |
| 2WikiMultihopQA | relevance, span, single hops as claims | Apache-2.0 (of the original) |
| WikiTableQuestions, TAT-QA | span | CC BY-SA 4.0, CC BY 4.0 |
| PubMedQA | support, relevance | MIT |

Made from them (`models/training/making.py`): sentences shortened, or altered in a number, date,
name, antonym or negation; questions with their right answer, a wrong one of its kind, or another
text; passages with another answer in the right one's place; cloze questions; passages that
retrieval ranks high but that do not answer (`mining.py`).
Sets without a stated licence (climate-FEVER, QAGS, AggreFact) only validate.
"""
LIMITS = """
## Limits

English only. Reads 256 tokens; longer evidence is cut to the sentences that share a claim's
words.
Knows nothing: it compares texts. Weak where support needs arithmetic, several passages at once or
world knowledge; its probabilities are calibrated by what stands over it (`verifiers/weights.json`,
`pilotfish tune trust`), not by itself. Trained on few questions (about 2,000 people wrote): reads
worse than models trained on SQuAD's 100,000.

## Making it anew

`python -m models.training fit WORK --steps N` (resumes from its checkpoint; `--onward` begins at
the shipped weights; bfloat16 where the CPU has it), then
`python -m models.training ship WORK` (exports, measures int8 against fp32, writes this card), then
`python -m benchmarks.judges.fit --write`. A run with `--onward` ships what lies half way between
the weights it began from and those it ended at (WiSE-FT, arXiv 2109.01903); these were made so:
1,800 steps from the encoder, then 1,800 onward.
"""


def card(manifest: Mapping[str, Any]) -> str:
    """The whole card, with the held-out measures of the manifest."""
    lines = [
        ABOUT,
        f"## Measures (held out, after {manifest['steps']:,} steps)",
        "",
        "AUROC of support and relevance, token F1 of spans, on single pairs. fp32, then int8 as",
        f"shipped; the most that int8 costs on a measure is {manifest['most lost by int8']:.4f}.",
        "",
        "| measure | fp32 | int8 |",
        "|---|--:|--:|",
    ]
    held = manifest["held out"]
    lines += [f"| {name} | {old:.3f} | {new:.3f} |" for name, (old, new) in held.items()]
    return "\n".join(lines) + "\n" + LIMITS
