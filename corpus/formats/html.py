"""HTML by selectolax: the main text under its headings, data tables, meta tags.

Navigation, footers, scripts and the like are dropped; nothing is fetched. Not here: rendering.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpus.formats.canvas import Canvas, stem
from corpus.formats.decode import decode
from corpus.formats.grid import clean
from corpus.formats.htmltable import is_data, read_table
from corpus.limits import DEFAULT, Limits
from corpus.parsed import Parsed, ParseFailure

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_NEVER = frozenset(
    (
        "head script style noscript template iframe object embed svg canvas audio video button "
        "select textarea input datalist map dialog math -comment"
    ).split()
)
_BOILERPLATE = frozenset(["nav", "footer", "aside", "menu"])
_ROLES = frozenset(("navigation banner contentinfo search complementary dialog menu").split())
_CLASSES = frozenset(
    (
        "nav navbar navigation menu sidebar footer site-footer breadcrumb breadcrumbs cookie "
        "cookies cookie-banner cookie-consent advert advertisement ads share social skip-link "
        "pagination navbox noprint mw-editsection headerlink"
    ).split()
)
_BLOCKS = frozenset(
    (
        "html body div p section article main header li ul ol dl dt dd blockquote pre figure "
        "figcaption address details summary form fieldset table thead tbody tfoot tr td th "
        "caption hr center h1 h2 h3 h4 h5 h6 nav footer aside menu option"
    ).split()
)
_META = {
    "description": "description",
    "og:description": "description",
    "author": "author",
    "keywords": "keywords",
    "date": "date",
    "dc.date": "date",
    "article:published_time": "date",
}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One document."""
    named = _CHARSET.search(data[:4096])
    decoded = decode(data, named[1].decode("ascii") if named else None)
    if isinstance(decoded, str):
        yield ParseFailure(name, decoded)
        return
    tree = LexborHTMLParser(decoded.text)
    canvas = Canvas()
    for root, strict in _roots(tree):
        canvas = Canvas()
        _Walk(canvas, strict).walk(root)
        if canvas.sections():
            break
    heading = tree.css_first("head > title") or tree.css_first("title")
    title = clean(heading.text()) if heading is not None else ""
    yield Parsed(
        None,
        title or canvas.first_heading or stem(name),
        canvas.text,
        "text/html",
        canvas.sections(),
        tuple(canvas.tables),
        _metadata(tree),
        decoded.warnings,
    )


def _roots(tree: LexborHTMLParser) -> Iterator[tuple[LexborNode, bool]]:
    """Where the main text may be, best guess first; last the body with nothing held back."""
    for selector in ("main, [role=main]", "article"):
        found = tree.css(selector)
        if len(found) == 1:
            yield found[0], True
    if tree.body is not None:
        yield tree.body, True
        yield tree.body, False


def _metadata(tree: LexborHTMLParser) -> dict[str, object]:
    found: dict[str, object] = {}
    if tree.root is not None and (language := tree.root.attributes.get("lang")):
        found["language"] = language
    for meta in tree.css("meta[content]"):
        named = (meta.attributes.get("name") or meta.attributes.get("property") or "").lower()
        content = clean(meta.attributes.get("content") or "")
        if named in _META and content:
            found.setdefault(_META[named], content)
    return found


class _Walk:
    """Depth first without recursion: pages nest as deep as they like."""

    def __init__(self, canvas: Canvas, strict: bool) -> None:
        self._canvas, self._strict = canvas, strict
        self._words: list[str] = []
        self._item = 0  # how many list items are open
        self._bullet = False
        self._pre = 0

    def walk(self, root: LexborNode) -> None:
        """Everything under `root` onto the canvas."""
        waiting: list[tuple[LexborNode, bool]] = [(root, False)]
        while waiting:
            node, leaving = waiting.pop()
            if leaving:
                self._leave(node.tag or "")
            elif node.tag == "-text":
                self._words.append(node.text_content or "")
            elif self._enter(node, node is root):
                waiting.append((node, True))
                waiting += [(one, False) for one in reversed(_children(node))]
        self._flush()

    def _enter(self, node: LexborNode, root: bool) -> bool:
        """Whether to go into `node`; what is written whole is written here."""
        tag = node.tag or ""
        if tag in _NEVER or (not root and self._strict and _is_boilerplate(node)):
            return False
        if tag == "br":
            self._words.append("\n" if self._pre else "\v")
            return False
        if tag in _BLOCKS:
            self._flush()
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._canvas.heading(int(tag[1]), node.text())
            return False
        if tag == "table" and is_data(node):
            caption, grid = read_table(node)
            title = caption or self._canvas.heading_line
            if grid is not None:
                self._canvas.table(f"table {len(self._canvas.tables) + 1}", title, grid)
            return False
        self._item += tag == "li"
        self._bullet = tag == "li" or self._bullet
        self._pre += tag == "pre"
        return True

    def _leave(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._flush()
        self._item -= tag == "li"
        self._pre -= tag == "pre"

    def _flush(self) -> None:
        text = "".join(self._words)
        self._words.clear()
        if self._pre:
            self._canvas.block(text)
            return
        lines = (clean(line) for line in text.split("\v"))
        text = "\n".join(line for line in lines if line)
        if text and self._item:
            self._canvas.block(f"- {text}" if self._bullet else text, tight=True)
            self._bullet = False
        elif text:
            self._canvas.block(text)


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))


def _is_boilerplate(node: LexborNode) -> bool:
    if node.tag in _BOILERPLATE:
        return True
    if node.tag == "header":
        return node.parent is not None and node.parent.tag == "body" and not node.css("h1")
    found = node.attributes
    if not found or node.tag == "body":
        return False
    if "hidden" in found or found.get("aria-hidden") == "true" or found.get("role") in _ROLES:
        return True
    names = f"{found.get('class') or ''} {found.get('id') or ''}".lower().split()
    return not _CLASSES.isdisjoint(names) or bool(_HIDDEN.search(found.get("style") or ""))
