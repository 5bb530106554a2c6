"""Damaged documents end in a document or a typed failure, never in anything else."""

from __future__ import annotations

import random
from collections.abc import Callable

import made_documents as made
import pytest

from corpus.parsed import Parsed, ParseFailure
from corpus.sandbox import Sandbox
from tests.corpus.conftest import check_offsets

WHOLE: dict[str, Callable[[], bytes]] = {
    "a.pdf": lambda: made.pdf("Some words here.", "More words there.", "Last."),
    "a.docx": made.word,
    "a.pptx": made.slides,
    "a.xlsx": made.workbook,
    "a.html": lambda: made.HTML,
    "a.md": lambda: made.MARKDOWN,
    "a.csv": lambda: b"City,Q1\nRome,1\nOslo,2\n" * 5,
    "a.jsonl": lambda: b'{"id": "a", "text": "some text", "n": 1}\n' * 5,
    "a.json": lambda: b'[{"id": "a", "text": "some text"}]',
    "a.rst": lambda: b"Title\n=====\n\nWords.\n",
}
EACH = 20


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Flipped, cut, doubled or overwritten somewhere."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 3, 10, 40))):
        at = dice.randrange(len(out) + 1)
        piece = out[at : at + dice.randrange(1, 40)]
        match dice.randrange(5):
            case 0 if piece:
                out[at] ^= 1 << dice.randrange(8)
            case 1:
                del out[at : at + len(piece)]
            case 2:
                out[at:at] = piece * dice.randrange(1, 5)
            case 3:
                out[at : at + len(piece)] = dice.randbytes(len(piece))
            case _ if len(out) > 50 and dice.random() < 0.2:
                del out[at:]
    return bytes(out)


@pytest.mark.parametrize("name", WHOLE)
def test_mutated_documents_end_in_a_document_or_a_failure(sandbox: Sandbox, name: str) -> None:
    dice = random.Random(f"7 {name}")
    whole = WHOLE[name]()
    for _ in range(EACH):
        found = list(sandbox.parse(None, mutated(whole, dice), name))
        assert found
        for one in found:
            assert isinstance(one, Parsed | ParseFailure)
            if isinstance(one, Parsed):
                check_offsets(one)
            else:
                assert one.reason and "\n" not in one.reason
