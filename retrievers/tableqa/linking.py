"""What a question mentions of a table: cells, columns, numbers.

Runs of words are matched on stems: a run may be a whole cell or part of one; a word that is nowhere
in the table may be a misspelt one. Nothing is required to be mentioned. Not here: what the mentions
are used for (candidates.py), how much they are worth (features.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from retrievers.tableqa.frame import Frame, Place
from retrievers.tableqa.programs import Where
from retrievers.tableqa.words import NUMBERS, ORDINALS, STOP, spoken_number, stem, stems, words

LONGEST_RUN = 10  # words
MOST_LINKS = 10
MOST_NUMBERS = 4
# Words of operations: alone they name no cell unless the cell is just that word.
OPERATIVE = STOP | set(ORDINALS) | set(NUMBERS) | frozenset(
    "most least more less fewer number total last next previous before after top highest lowest "
    "larger largest smallest longest shortest amount difference average same different year time "
    "name list total between above below over under win first".split()
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """A run of words [start, end) that stands in `rows` of a column.

    how: whole (the cell is the run), part (the cell holds it), near (one misspelt word).
    """

    where: Where
    rows: tuple[int, ...]
    start: int
    end: int
    how: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A column's header in the question: words [start, end), the share of the header they are."""

    column: int
    start: int
    end: int
    share: float


@dataclass(frozen=True)
class Question:
    """A question beside one frame. numbers: (value, word position)."""

    words: tuple[str, ...]
    stems: tuple[str, ...]
    links: tuple[Link, ...]
    mentions: tuple[Mention, ...]
    numbers: tuple[tuple[float, int], ...]
    title: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str, frame: Frame, title: str = "") -> Question:
        """Links the text's words to the frame; stems of the table's title are known words."""
        found = words(text)[:60]
        roots = tuple(stem(word) for word in found)
        links = tuple(_links(found, roots, frame))
        mentions = tuple(_mentions(roots, frame))
        return cls(found, roots, links, mentions, tuple(_numbers(found)), frozenset(stems(title)))

    @cached_property
    def linked(self) -> frozenset[int]:
        """The positions of words that some link covers."""
        return frozenset(i for link in self.links for i in range(link.start, link.end))

    @cached_property
    def best(self) -> dict[int, Mention]:
        """The fullest mention of each column."""
        found: dict[int, Mention] = {}
        for mention in self.mentions:
            known = found.get(mention.column)
            if known is None or mention.share > known.share:
                found[mention.column] = mention
        return found


def _links(found: Sequence[str], roots: Sequence[str], frame: Frame) -> list[Link]:
    runs = sorted(_runs(roots, frame), key=lambda run: (run[0] - run[1], run[0]))
    links: list[Link] = []
    taken: list[tuple[int, int]] = []
    for start, end, places in runs:
        if any(s <= start and end <= e and (s, e) != (start, end) for s, e in taken):
            continue
        made = list(_of_run(found, roots, (start, end), places, frame))
        if made:
            taken.append((start, end))
            links.extend(made)
    covered = {i for s, e in taken for i in range(s, e)}
    links.extend(_near(found, roots, covered, frame))
    links.sort(key=lambda link: (-_worth(link), link.start, link.where.column))
    return links[:MOST_LINKS]


def _worth(link: Link) -> float:
    length = link.end - link.start
    return length + (1.0 if link.how == "whole" else 0.0) - 0.02 * min(len(link.rows), 20)


def _runs(roots: Sequence[str], frame: Frame) -> Iterator[tuple[int, int, set[Place]]]:
    """Every run of words that stands somewhere in the table, with its places."""
    places, joined = frame.places, frame.joined
    for start in range(len(roots)):
        held = places.get(roots[start], set())
        for end in range(start + 1, min(start + LONGEST_RUN, len(roots)) + 1):
            if end > start + 1:
                wanted = f" {' '.join(roots[start:end])} "
                both = held & places.get(roots[end - 1], set())
                held = {(i, j) for i, j in both if wanted in joined[i][j]}
            if not held:
                break
            yield start, end, held


def _of_run(
    found: Sequence[str], roots: Sequence[str], span: tuple[int, int], places: set[Place],
    frame: Frame,
) -> Iterator[Link]:  # fmt: skip
    start, end = span
    run = f" {' '.join(roots[start:end])} "
    plain = all(word in OPERATIVE for word in found[start:end])
    for column in sorted({j for _, j in places}):
        rows = sorted(i for i, j in places if j == column)
        whole = [i for i in rows if frame.joined[i][column] == run]
        texts = {frame.text(i, column) for i in whole}
        for text in sorted(texts)[:2]:
            same = tuple(i for i in whole if frame.text(i, column) == text)
            yield Link(Where(column, "is", text), same, start, end, "whole")
        if len(whole) < len(rows) and not plain:
            yield Link(Where(column, "has", run.strip()), tuple(rows), start, end, "part")


def _near(
    found: Sequence[str], roots: Sequence[str], covered: set[int], frame: Frame
) -> Iterator[Link]:
    """Words of five letters and more that are nowhere, but one letter from a word that is."""
    heads = {root for column in frame.columns for root in column.stems}
    for i, root in enumerate(roots):
        if i in covered or len(root) < 5 or root in heads or found[i] in OPERATIVE:
            continue
        close = [known for known in frame.places if _one_letter(root, known)]
        for known in sorted(close)[:1]:
            for column in sorted({j for _, j in frame.places[known]}):
                rows = tuple(sorted(r for r, j in frame.places[known] if j == column))
                yield Link(Where(column, "has", known), rows, i, i + 1, "near")


def _one_letter(one: str, two: str) -> bool:
    """Whether one edit, a swap of neighbours or a shared long beginning separates two words."""
    if abs(len(one) - len(two)) > 1 or one[0] != two[0]:
        return len(one) > 5 and len(two) > 5 and one[:5] == two[:5] and abs(len(one) - len(two)) < 4
    at = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), len(one))
    rest, other = one[at:], two[at:]
    swapped = len(rest) > 1 and rest[1] + rest[0] + rest[2:] == other
    return rest[1:] == other[1:] or rest[1:] == other or rest == other[1:] or swapped


def _mentions(roots: Sequence[str], frame: Frame) -> Iterator[Mention]:
    """Runs of header words; a header word that is no stop word is enough."""
    for number, column in enumerate(frame.columns):
        heads = [root for root in column.stems if root not in STOP]
        start = 0
        while start < len(roots):
            end = start
            while end < len(roots) and _names(roots[end], heads):
                end += 1
            if end > start:
                share = len({*roots[start:end]} & set(heads)) / len(set(heads)) if heads else 0.0
                yield Mention(number, start, end, share or 0.5)
            start = max(end, start + 1)


def _names(root: str, heads: Sequence[str]) -> bool:
    if root in heads:
        return True
    return len(root) > 4 and any(len(h) > 4 and h[:5] == root[:5] for h in heads)


def _numbers(found: Sequence[str]) -> list[tuple[float, int]]:
    said = ((spoken_number(word), i) for i, word in enumerate(found))
    return [(value, i) for value, i in said if value is not None and abs(value) < 1e15][
        :MOST_NUMBERS
    ]
