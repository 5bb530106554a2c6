"""Result lines in OpenAI's shapes: completions, their chunks, marked text with its citations.

Each cited sentence is followed by [n], the n-th of the line's citations, and has an annotation
whose indexes are its own characters in the content. Not here: asking (openai_chat.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

CANNOT = "I cannot answer this from the documents."


@dataclass(frozen=True, slots=True)
class Marked:
    """Content in pieces of a sentence each, and its annotations."""

    pieces: tuple[str, ...]
    annotations: tuple[dict[str, Any], ...] = ()

    @property
    def content(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Shaper:
    """Shapes the lines of one request or batch. `base`: the service's own address."""

    model: str
    collection: str
    base: str
    ignored: tuple[str, ...] = ()

    def completion(self, line: Mapping[str, Any], name: str, created: float) -> dict[str, Any]:
        """The whole reply."""
        marked = self.marked(line)
        message = {"role": "assistant", "content": marked.content, "refusal": None,
                   "annotations": list(marked.annotations)}  # fmt: skip
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return self._head("chat.completion", name, created) | {
            "choices": [choice], "usage": usage(line), "pilotfish": self._ours(line),
        }  # fmt: skip

    def chunks(
        self, line: Mapping[str, Any], name: str, created: float, with_usage: bool
    ) -> Iterator[dict[str, Any]]:
        """The reply as a stream: verified sentences only, then what belongs to all of it."""
        marked = self.marked(line, verified_only=True)
        head = self._head("chat.completion.chunk", name, created)
        if with_usage:
            head["usage"] = None
        yield head | _choice({"role": "assistant", "content": "", "refusal": None})
        for piece in marked.pieces:
            yield head | _choice({"content": piece})
        last = _choice({"annotations": list(marked.annotations)}, "stop")
        yield head | last | {"pilotfish": self._ours(line)}
        if with_usage:
            yield head | {"choices": [], "usage": usage(line)}

    def marked(self, line: Mapping[str, Any], *, verified_only: bool = False) -> Marked:
        """The answer with [n] behind each cited sentence; `verified_only`: nothing but those."""
        if line["status"] != "answered":
            return Marked((CANNOT,))
        text, at, length = str(line["answer"]), 0, 0
        pieces: list[str] = []
        annotations: list[dict[str, Any]] = []
        for (start, end), numbers in _by_sentence(line["citations"]):
            between = text[at:start]
            if verified_only:
                between = _gap(between) if pieces else ""
            marks = "".join(f"[{number}]" for number in numbers)
            begin = length + len(between)
            for number in numbers:
                found = line["citations"][number - 1]
                annotations.append(self._annotation(found, begin, begin + end - start))
            pieces.append(f"{between}{text[start:end]} {marks}")
            length, at = length + len(pieces[-1]), end
        if not verified_only and text[at:]:
            pieces.append(text[at:])
        return Marked(tuple(pieces), tuple(annotations))

    def _annotation(self, citation: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
        found = {"start_index": start, "end_index": end, "url": self._url(citation),
                 "title": _title(citation)}  # fmt: skip
        return {"type": "url_citation", "url_citation": found}

    def _url(self, citation: Mapping[str, Any]) -> str:
        """The document, and its cited characters as RFC 5147 writes them."""
        document = quote(str(citation["document"]), safe="")
        url = f"{self.base}/v1/collections/{quote(self.collection, safe='')}/documents/{document}"
        place = f"#char={citation['start']},{citation['end']}" if "start" in citation else ""
        return url + place

    def _head(self, kind: str, name: str, created: float) -> dict[str, Any]:
        made = int(created)
        return {"id": f"chatcmpl-{name}", "object": kind, "created": made, "model": self.model}

    def _ours(self, line: Mapping[str, Any]) -> dict[str, Any]:
        return {**line, "ignored": list(self.ignored)}


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"choices": [choice]}


def _by_sentence(citations: Any) -> list[tuple[tuple[int, int], list[int]]]:
    """((start, end), numbers of its citations from 1) of each cited sentence, in order."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, citation in enumerate(citations, start=1):
        start, end = citation["sentence"]
        found.setdefault((start, end), []).append(number)
    return sorted(found.items())


def _gap(between: str) -> str:
    """What stands between two sentences when what was there is left out."""
    if not between.strip():
        return between
    return "\n" if "\n" in between else " "


def _title(citation: Mapping[str, Any]) -> str:
    parts = [str(citation["document"]), *map(str, citation.get("heading") or ())]
    if citation.get("page") is not None:
        parts.append(f"page {citation['page']}")
    return " > ".join(parts)


def usage(line: Mapping[str, Any]) -> dict[str, int]:
    """Tokens as the receipt has them."""
    receipt = line.get("receipt") or {}
    read, written = int(receipt.get("prompt_tokens", 0)), int(receipt.get("completion_tokens", 0))
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def event(data: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
