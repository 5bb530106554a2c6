"""Fills the forms: from a question and the spans pointed at in it to its sub-questions.

bridge: the inner thing first, then the question with `#1` in its place; kin: two steps that a word
stands for; comparison: one property of two things; bridge-comparison: both; intersection: one
question of each. What the rest of a question asks for is said in the commonest words of its kind
where the weights know it. Not here: word problems (arithmetic.py), the weights (linear.py).
"""

from __future__ import annotations

import re

from prompters.decomposition.kin import relative
from prompters.decomposition.linear import Weights
from prompters.decomposition.pointing import INNER, ONE, OTHER, Asked, Pointed, point, point_two
from prompters.decomposition.words import features

THING = "[E]"  # where a template takes the thing
UNKNOWN = "other"  # a property of which no template is known
HOLDER = "Xx"  # stands for the thing while the property is read
NESTED = 0.65  # P(multi-hop) from which a sub-question is taken apart again
SURE = 0.5  # P(property) from which its template is used
FIRST = "#1"
_ROLE = re.compile(
    r"\b((?:co-)?(?!older|elder|later|earlier|younger|newer|other|either|number|former|summer|"
    r"winter|never|ever|together|under|over|after|per|her|better|longer|larger|bigger|higher|taller|"
    r"center|river|shorter|smaller|greater|lower|faster|character|member)"
    r"(?:\w{3,}(?:er|or|ist|ian)|father|mother|spouse|husband|wife|architect|king|capital|author|"
    r"head|coach|president))s?\b(?!['’])"
)
_PERSON = re.compile(
    r"(?:er|or|ist|ian|father|mother|spouse|husband|wife|son|daughter|child|children|sibling|"
    r"brother|sister|woman|man|person|people|actress|architect|king|queen|author|president|parents?|coach|founder|ceo|head)s?$",
    re.IGNORECASE,
)
_BARE_KIND = re.compile(r"\b(of|in|on|for) (film|song|album|book|movie) (?=\S)")
_ARTICLE = re.compile(r"(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts)\b|[^a-z]")
_BOTH_ARE = re.compile(
    rf"(?P<verb>are|were|do|did|have|can)\s+(?:both\s+)?{HOLDER} and {HOLDER},?\s+(?:both\s+)?"
    r"(?P<what>(?!.*\bsame\b|.*\bshare\b)[^?]+)\?*$",
    re.IGNORECASE,
)
_ONE_IS = {"are": "is", "were": "was", "do": "does", "have": "has"}
_HAS_MORE = re.compile(r"\b(?:has|have|had) (?:more|fewer|less|the most) (\w+)", re.IGNORECASE)
_MASS = frozenset("money water time power energy memory space".split())
_COMPARED_BY = (
    (re.compile(r"\b(?:born|older|younger|oldest|youngest)\b", re.I), f"When was {THING} born?"),
    (re.compile(r"\b(?:die|died|lived? (?:longer|later))\b", re.I), f"When did {THING} die?"),
    (re.compile(r"\b(?:released|came out|come out)\b", re.I), f"When was {THING} released?"),
    (re.compile(r"\b(?:founded|established|started|formed|built|opened|published)\b", re.I),
     "When was " + THING + " {0}?"),
    (re.compile(r"\b(?:nationality|citizenship)\b", re.I), f"What is the nationality of {THING}?"),
    (re.compile(r"\blocated\b.*\b(?:country|city|state|county)\b", re.I),
     f"Where is {THING} located?"),
    (re.compile(r"\bcosts? (?:more|less)\b|\bcheaper\b", re.I), f"How much does {THING} cost?"),
    (re.compile(r"\b(?:longer|taller|higher|deeper|larger|bigger|older|heavier|faster)\b", re.I),
     "How {1} is " + THING + "?"),
    (re.compile(r"\bsame (\w+)", re.I), "What is the {1} of " + THING + "?"),
)  # fmt: skip


def bridge(asked: Asked, own: Weights) -> tuple[str, ...] | None:
    """What is it that is only described; then the question about that."""
    inner = point(asked, own.spans[INNER])
    if inner is None or _is_whole(asked, inner):
        return None
    rest = asked.text[: inner.start] + HOLDER + asked.text[inner.end :]
    if deep(rest, own):  # what is left describes somebody too: the decomposer goes on with it
        return what_is(inner.text), _tidy(rest.replace(HOLDER, FIRST))
    return what_is(inner.text), about(rest, own).replace(THING, FIRST)


def deep(question: str, own: Weights) -> bool:
    """Whether a part of a question is a multi-hop one itself."""
    return own.form(features(question))["single"] < 1 - NESTED


def kin(asked: Asked, own: Weights) -> tuple[str, ...] | None:
    """Two steps of kinship."""
    found = relative(asked.text)
    if found is None:
        return None
    return f"Who is the {found.first} of {found.whom}?", f"Who is the {found.second} of {FIRST}?"


def comparison(asked: Asked, own: Weights) -> tuple[str, ...] | None:
    """The same property of two things."""
    pair = point_two(asked, {role: own.spans[role] for role in (ONE, OTHER)})
    if pair is None:
        return None
    template = compared_by(without(asked.text, pair), own)
    return tuple(template.replace(THING, thing.text) for thing in pair)


def bridge_comparison(asked: Asked, own: Weights) -> tuple[str, ...] | None:
    """Who has the same part in two things; then the same property of those."""
    pair = point_two(asked, {role: own.spans[role] for role in (ONE, OTHER)})
    if pair is None:
        return None
    rest = without(asked.text, pair)
    role = _ROLE.search(rest.lower())
    if role is None:
        return comparison(asked, own)
    verb = "Who" if _PERSON.search(role[1]) else "What"
    template = compared_by(rest, own)
    inner = tuple(f"{verb} is the {role[1]} of {thing.text}?" for thing in pair)
    return (*inner, *(template.replace(THING, key) for key in (FIRST, "#2")))


def intersection(asked: Asked, own: Weights) -> tuple[str, ...] | None:
    """The question of each of two things; what answers both is wanted."""
    pair = point_two(asked, {role: own.spans[role] for role in (ONE, OTHER)})
    if pair is None:
        return None
    head = re.sub(r"\bboth\s+$", "", asked.text[: pair[0].start])
    tail = asked.text[pair[1].end :]
    return tuple(_tidy(head + thing.text + tail) for thing in pair)


def what_is(thing: str) -> str:
    """The question for a thing that is described: who for people, else what."""
    head = re.split(r" (?:of|who|which|that|where|whose|in|for|to|from|by)\b", thing)[0]
    verb = "Who" if _PERSON.search(head.rstrip()) else "What"
    article = "" if _ARTICLE.match(thing) else "the "
    named = _BARE_KIND.sub(r"\1 the \2 ", thing)
    return f"{verb} is {article}{named}?"


def about(rest: str, own: Weights) -> str:
    """A template for what `rest` (with HOLDER in the thing's place) asks."""
    chances = own.asked(features(rest))
    best = max(chances, key=chances.__getitem__)
    if best != UNKNOWN and chances[best] >= SURE:
        return best
    return _tidy(re.sub(rf"\b{HOLDER}\b", THING, rest))


def compared_by(rest: str, own: Weights) -> str:
    """A template for the property that a comparison is about."""
    chances = own.asked(features(rest))
    best = max(chances, key=chances.__getitem__)
    if best != UNKNOWN and chances[best] >= SURE:
        return best
    return by_words(rest)


def by_words(rest: str) -> str:
    """The property by rules, for what the weights never saw."""
    if polar := _BOTH_ARE.match(rest):
        verb = _ONE_IS.get(polar["verb"].lower(), polar["verb"])
        return f"{verb.capitalize()} {THING} {polar['what'].strip()}?"
    if more := _HAS_MORE.search(rest):
        return f"How {'much' if more[1] in _MASS else 'many'} {more[1]} does {THING} have?"
    for pattern, template in _COMPARED_BY:
        if found := pattern.search(rest):
            return template.format(found[0].lower(), _plain(found[found.lastindex or 0].lower()))
    return f"What is {THING}?"


def _plain(word: str) -> str:
    """longer -> long, bigger -> big."""
    known = {"higher": "high", "bigger": "big", "heavier": "heavy", "larger": "large"}
    return known.get(word, word.removesuffix("er"))


def without(text: str, pair: tuple[Pointed, Pointed]) -> str:
    """The question with HOLDER for both things."""
    one, other = pair
    return text[: one.start] + HOLDER + text[one.end : other.start] + HOLDER + text[other.end :]


def _is_whole(asked: Asked, span: Pointed) -> bool:
    """Whether no word but the question word is left outside."""
    return span.start == 0 or span.end - span.start > 0.9 * len(asked.text)


def _tidy(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith("?") else text.rstrip(" .,;:") + "?"


def differing(one: str, other: str) -> tuple[str, ...]:
    """The things of two sub-questions: what stands between their common beginning and end."""
    first, second = one.rstrip("?").split(), other.rstrip("?").split()
    head = 0
    while head < min(len(first), len(second)) - 1 and first[head] == second[head]:
        head += 1
    tail = 0
    room = min(len(first), len(second)) - head - 1
    while tail < room and first[-1 - tail] == second[-1 - tail]:
        tail += 1
    return tuple(" ".join(some[head : len(some) - tail]) for some in (first, second))
