"""What a ranker sees of a claim's statements; the label is the truth of the statement meant.

P(supported) is the mass of the true statements under the same log-linear model as for questions:
which statement a claim means is never told, only whether the claim holds (as Chen et al., arXiv
1909.02164). Not here: making statements (statements.py), weights (rank.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from retrievers.tableqa.features import Design, assembled, phrases
from retrievers.tableqa.frame import Frame
from retrievers.tableqa.linking import Question
from retrievers.tableqa.statements import Statement
from retrievers.tableqa.traits import Traits


def claim_design(claim: Question, frame: Frame, found: Sequence[Statement]) -> Design:
    """The sparse rows of these statements, in their order."""
    table = Traits(claim, frame)
    known: dict[int, tuple[list[str], list[str]]] = {}
    rows: list[tuple[list[str], list[str]]] = []
    for statement in found:
        key = id(statement.candidate)
        if key not in known:
            known[key] = table.of(statement.candidate)
        rows.append(_named(statement, claim, table, known[key]))
    return assembled(phrases(claim), rows)


def _named(
    statement: Statement, claim: Question, table: Traits, parts: tuple[list[str], list[str]]
) -> tuple[list[str], list[str]]:
    traits, facts = parts
    way = "-" if statement.denied else "+"
    kind = f"{statement.kind}{way}"
    traits = [f"k:{kind}", f"pol:{way}", f"t:{statement.true}", f"kt:{kind}:{statement.true}",
              *traits]  # fmt: skip
    start, end = statement.span
    left = claim.stems[start - 1] if start and end else "^"
    right = claim.stems[end] if end and end < len(claim.stems) else "$"
    shape = traits[5] if len(traits) > 5 else ""
    open_words = table.open_words(statement.candidate, statement.span)
    numbers = sum(not start <= at < end for _, at in claim.numbers)
    facts = [
        *facts, f"kt:{kind}:{statement.true}", f"k:{kind}:{shape}", f"tl:{statement.kind}:{left}",
        f"tr:{statement.kind}:{right}", f"topen:{min(open_words, 7)}",
        f"topen:{min(open_words, 7)}:{statement.kind}", f"tnum:{min(numbers, 3)}:{statement.true}",
        f"topen:{min(open_words, 7)}:{statement.true}",
    ]  # fmt: skip
    return traits, facts
