"""Who takes a question apart: the small model, or an LLM in one call with a tolerant reading.

The call goes through the LLM step, so that it is in the ledger and in the trace; what cannot be
read from its reply is left to the small model. Off by default (setting `decomposer`). Not here: the
small model (prompters/decompose.py), hops (hops.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

from pilotfish.errors import BudgetExceeded, ModelError
from pilotfish.step import Step, run
from pilotfish.types import Case, Message, Prompt
from prompters.decompose import Decomposer, Decomposition, left_open, needs

Apart = Callable[[Case], tuple[Decomposition, Case]]
LLM_FORM = "llm"
MOST = 6  # sub-questions
INSTRUCTIONS = """\
Split the question into the fewest simple questions that must be answered one after the other, \
each about one fact. Write #1, #2 for the answers of earlier ones. Do not answer anything.
Reply with a JSON list of strings alone. A question that asks for one fact is a list of itself.
Example: "When was the director of Jaws born?"
["Who is the director of Jaws?", "When was #1 born?"]"""
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_NUMBERED = re.compile(r"^\s*(?:[-*•]|(?:Q|sub-?question)?\s*#?\d+\s*[.):])\s*(.+?)\s*$", re.I)


def by_small_model(case: Case) -> tuple[Decomposition, Case]:
    """The shipped weights."""
    return Decomposer.shipped()(case.question.text), case


def by_llm(llm: Step) -> Apart:
    """One call for a question that the small model takes for a multi-hop one."""

    def apart(case: Case) -> tuple[Decomposition, Case]:
        small, _ = by_small_model(case)
        if small.single:
            return small, case
        asked = replace(case, prompt=prompt(case), answer=None)
        try:
            done = run(llm, asked)
        except (ModelError, BudgetExceeded) as error:
            return small, replace(case, trace=error.trace)
        parts = read(done.answer.text if done.answer else "")
        kept = replace(case, trace=done.trace)
        if len(parts) < 2:
            return small, kept
        form = small.form if len(parts) == small.hops else LLM_FORM
        return Decomposition(form, parts), kept

    return apart


def prompt(case: Case) -> Prompt:
    """No document's text is in it; a first attempt's unsupported sentences are (DaSLaM)."""
    told = f"Question: {case.question.text}"
    open_points = left_open(case.answer)
    if open_points:
        told += "\nA first attempt left this unsupported: " + " ".join(open_points)
    return Prompt((Message("system", INSTRUCTIONS), Message("user", told)))


def read(reply: str) -> tuple[str, ...]:
    """Sub-questions of a reply: a JSON list, in a fence or among words, else a numbered list."""
    fenced = _FENCE.search(reply)
    text = fenced[1] if fenced else reply
    start, end = text.find("["), text.rfind("]")
    found: list[str] = []
    if 0 <= start < end:
        try:
            listed = json.loads(text[start : end + 1])
            found = [one for one in listed if isinstance(one, str)]
        except ValueError:
            found = []
    if not found:
        found = [match[1] for line in text.splitlines() if (match := _NUMBERED.match(line))]
    parts = tuple(" ".join(one.split()) for one in found if one.strip())[:MOST]
    forward = any(number > place for place, part in enumerate(parts) for number in needs(part))
    return () if forward else parts
