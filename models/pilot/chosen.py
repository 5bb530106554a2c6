"""The judge that the settings name: the packaged pilot, other models in its place, or none.

Not here: what they do (serve.py, others.py).
"""

from __future__ import annotations

import logging
import threading
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from models.pilot.others import Other
from models.pilot.reading import Judge, having, neutral
from models.pilot.serve import FOLDER, Pilot, shipped
from pilotfish.errors import SettingsError

PILOT, RULES = "pilot", "rules"
_log = logging.getLogger(__name__)
_making = threading.Lock()


def chosen(judge: str, reranker: str, threads: int = 0, folder: Path = FOLDER) -> Judge | None:
    """One judge for this process; None for `rules`: words, cosine and rules decide alone.

    A model by name needs no pilot in `folder`: without one it says what it has a head for.

    Raises SettingsError for a reranker without a judge that says the rest, and for a name that is
    `pilot` or `rules` but for a slip: it would be looked for among models at the first claim.
    """
    for name in (judge, reranker):
        meant = get_close_matches(name, (PILOT, RULES), 1, 0.7)
        if meant and name not in meant and not Path(name).exists():
            raise SettingsError(f"no judge {name!r}: did you mean {meant[0]}?")
    if judge == RULES:
        if reranker != PILOT:
            raise SettingsError(f"reranker {reranker!r} needs a judge too: set judge to pilot")
        return None
    with _making:
        return _made(judge, reranker, threads, folder)


@cache
def _made(judge: str, reranker: str, threads: int, folder: Path) -> Judge:
    named = [name for name in (judge, reranker) if name != PILOT]
    made: Judge = neutral if named and not shipped(folder) else Pilot(folder, threads)
    if made is neutral:
        _log.warning("no pilot was shipped: rules decide what is not for %s", " or ".join(named))
    if judge != PILOT:
        made = Other(judge, "support", made)
    if reranker != PILOT:
        made = Other(reranker, "relevance", made)
    return made


def of_claims(judge: Judge | None) -> Judge | None:
    """What judges claims in it: a reranker by name, or the pilot under a checker, is not asked."""
    while isinstance(judge, Other):
        if judge.heads == "support":
            return judge.verdicts
        judge = judge.rest
    return having(judge, "support")


def of_questions(judge: Judge) -> Judge:
    """What reads passages for a question in it: a checker of claims by name is not asked."""
    if not isinstance(judge, Other):
        return judge
    return judge if judge.heads == "relevance" else of_questions(judge.rest)


def is_shipped(judge: Judge | None) -> bool:
    """Whether it is the packaged pilot, which weights.json was fitted over."""
    return isinstance(judge, Pilot)
