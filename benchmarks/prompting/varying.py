"""Questions made from lists of words, so that what is learned is how questions are built.

2Wiki asks about films, songs and kings in a few dozen patterns; weights fitted on those alone take
"Where was the founder of Acme born?" for a single question. These name other parts, other things
and other ways to describe somebody, each with its form and spans, and single questions in the same
words. Made up, measured nowhere. Not here: fitting (fit_decomposition.py).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

ROLES = (
    "director", "founder", "author", "manager", "owner", "mayor", "president", "leader", "designer",
    "inventor", "publisher", "composer", "performer", "writer", "producer", "editor", "wife",
    "husband", "father", "mother", "daughter", "brother", "head", "chairman", "captain", "coach",
    "supplier", "manufacturer", "maker", "capital", "architect", "developer", "singer", "creator",
    "parent company", "largest city", "head office", "successor", "main character",
)  # fmt: skip
WHO = (
    "the woman who portrayed {0}", "the man who founded {0}", "the company that makes {0}",
    "the company that owns {0}", "the city where {0} is located", "the country where {0} was born",
    "the team that maintains {0}", "the band that recorded {0}", "the person who wrote {0}",
    "the institute that owned {0}", "the club that {0} plays for", "the state that {0} is in",
    "the river that flows through {0}", "the person who approves {0}", "the actor who played {0}",
    "the singer of {0}", "the author of {0}", "the city in which {0} lies",
    "the film that {0} directed", "the university that {0} attended",
    "the group to which {0} belongs",
)  # fmt: skip
ABOUT = (
    "Where was {0} born?", "When was {0} born?", "When did {0} die?", "What nationality is {0}?",
    "When was {0} founded?", "What is the phone number of {0}?", "What is the elevation of {0}?",
    "How many employees does {0} have?", "How old is {0}?", "Who is the spouse of {0}?",
    "Who is the mother of {0}?", "What is the population of {0}?", "What is the capital of {0}?",
    "Which country is {0} from?", "What award did {0} receive?", "What position was held by {0}?",
    "Where does {0} live?", "Why did {0} die?", "What is the birthplace of {0}?", "Who leads {0}?",
    "What is the email address of {0}?", "When does {0} end?", "What is the price of {0}?",
    "Where is {0} located?", "Who owns {0}?", "How tall is {0}?", "What was {0} known for?",
)  # fmt: skip
NAMES = (
    "Acme", "Jaws", "Emma", "Siemens", "Berlin", "The Collegian", "Kiss and Tell", "Mary Miller",
    "Le Grand Bleu", "Nordwind GmbH", "Beta Ltd", "the Berlin office", "the Eiffel Tower",
    "the billing service", "King of the Hill", "TL-40", "Project Heron", "Anna of Saxony",
    "John Doe", "Casa (1980 film)", "Green", "the refund policy", "War and Peace", "Oslo",
    "Henry Percy, 2nd Earl of Northumberland", "Jane, Lady of Kent", "Karl, Duke of Baden",
    "Moby Dick", "Hello, Dolly!", "the largest planet", "the pump", "Lake Como",
)  # fmt: skip
COMMON = (  # of two things at once
    "Which actor starred in both {0} and {1}?", "Who wrote both {0} and {1}?",
    "What river flows through both {0} and {1}?", "Which company owns both {0} and {1}?",
    "Which people worked for both {0} and {1}?", "Who directed both {0} and {1}?",
    "Which author is mentioned in both {0} and {1}?", "Who has managed both {0} and {1}?",
    "Which suppliers deliver to both {0} and {1}?",
    "What language is spoken in both {0} and {1}?",
)  # fmt: skip
ATTRIBUTES = (
    "warranty", "price", "colour", "size", "weight", "deadline", "contract", "population", "text",
    "battery", "entrance", "temperature", "licence", "opening", "version", "trial", "release",
    "plot", "meaning", "origin", "currency", "purpose", "address", "cover", "season", "second part",
)  # fmt: skip
OF_ONE = (  # about a part of one thing: no passage but its own is needed
    "When does the {1} of {0} end?", "When did the {1} of {0} begin?",
    "How high is the {1} of {0}?", "When was the {1} of {0} changed?",
    "Where is the {1} of {0}?", "What is the {1} of {0}?", "Who decides on the {1} of {0}?",
    "How long is the {1} of {0}?", "What does the {1} of {0} mean?",
    "Which {1} does {0} have?", "How is the {1} of {0} measured?", "What is {0}'s {1}?",
    "When does {0}'s {1} end?", "How much is {0}'s {1}?",
)  # fmt: skip
COMPARED = (
    "Which is {2}, {0} or {1}?", "Who is {2}, {0} or {1}?", "What is {2}: {0} or {1}?",
    "Which of {0} and {1} is {2}?", "Is {0} {2} than {1}?", "Which costs more, {0} or {1}?",
    "Which has more employees, {0} or {1}?", "Are {0} and {1} both in Europe?",
    "Do {0} and {1} have the same colour?", "Which lasts longer, {0} or {1}?",
    "Are both {0} and {1} made of steel?", "Which has the {2} price, {0} or {1}?",
)  # fmt: skip
COMPARATIVES = ("taller", "longer", "heavier", "cheaper", "bigger", "smaller", "faster", "higher",
                "larger", "deeper", "lighter", "stronger")  # fmt: skip
SINGLES = (
    "How do I reset {0}?", "What does {0} cost?", "Who is responsible for {0}?", "What is {0}?",
    "Who approves {0} and why?", "What is in {0} and how is it used?", "Is {0} still sold?",
    "When can I return {0} if it is broken?", "Which tools are needed for {0}?", "Where is {0}?",
    "Which is the best way to clean {0} or to store it?", "Who wrote {0} and directed it?",
    "What happens when {0} fails?", "Does {0} work with {1}?", "Can I connect {0} and {1}?",
    "What is the difference between {0} and {1}?", "How far is it from {0} to {1}?",
    "Who married {0} in 1980?", "What is the role of {0} in {1}?", "When did {0} leave {1}?",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A question, its form, and the texts of the spans that are pointed at in it."""

    text: str
    form: str
    spans: tuple[str, ...] = ()


def made(count: int, seed: int = 0) -> list[Made]:
    """That many bridges, as many singles, a third of intersections and of comparisons."""
    draw = random.Random(seed)
    found: list[Made] = []
    for _ in range(count):
        found += [bridge(draw), single(draw)]
    return found + [each(draw) for _ in range(count // 3) for each in (both, compared)]


def bridge(draw: random.Random) -> Made:
    inner = described(draw)
    return Made(draw.choice(ABOUT).format(inner), "bridge", (inner,))


def described(draw: random.Random) -> str:
    """Somebody or something told by what it is to another."""
    name, role = draw.choice(NAMES), draw.choice(ROLES)
    kind = draw.randrange(4)
    if kind == 0:
        return draw.choice(WHO).format(name)
    if kind == 1:
        return f"{name}'s {role}"
    return f"the {role} of {draw.choice(('', '', 'the company ', 'the film ', 'film '))}{name}"


def single(draw: random.Random) -> Made:
    one, other = draw.sample(NAMES, 2)
    kind = draw.randrange(5)
    if kind == 4:
        return Made(draw.choice(OF_ONE).format(one, draw.choice(ATTRIBUTES)), "single")
    if kind == 0:
        ask = draw.choice(("Who is", "What is", "Who was", "Name", "Who's"))
        return Made(f"{ask} the {draw.choice(ROLES)} of {one}?", "single")
    if kind == 1:
        return Made(f"Who is {one}'s {draw.choice(ROLES)}?", "single")
    if kind == 2:
        return Made(draw.choice(ABOUT).format(one), "single")
    return Made(draw.choice(SINGLES).format(one, other), "single")


def compared(draw: random.Random) -> Made:
    one, other = draw.sample(NAMES, 2)
    text = draw.choice(COMPARED).format(one, other, draw.choice(COMPARATIVES))
    return Made(text, "comparison", (one, other))


def both(draw: random.Random) -> Made:
    one, other = draw.sample(NAMES, 2)
    return Made(draw.choice(COMMON).format(one, other), "intersection", (one, other))


def placed(text: str, spans: Sequence[str]) -> list[tuple[int, int]]:
    """Characters [start, end) of each span, in order."""
    found, after = [], 0
    for span in spans:
        start = text.index(span, after)
        after = start + len(span)
        found.append((start, after))
    return found
