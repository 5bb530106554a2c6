"""Man pages (roff source, also gzipped) as text: one section a heading, code with its lines kept.

The page's name is what NAME says; each option is a paragraph of its own. Always a manual.
Not here: the escapes and macros (roff.py), tables (tbl) and equations, of which the words remain.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from corpus.formats.canvas import Canvas, stem
from corpus.formats.decode import decode
from corpus.formats.roff import alternating, arguments, characters, effective, mdoc
from corpus.limits import DEFAULT, MB, Limits
from corpus.parsed import MANUAL, Parsed, ParseFailure

GZIP = b"\x1f\x8b"
_FONTS = frozenset("B I BI BR IB IR RB RI SB SM R".split())
_BREAKS = frozenset("PP P LP Pp sp br Sp HP RS RE Bl El ti in".split())
_CODE_ON, _CODE_OFF = frozenset("nf EX Vb Bd DS".split()), frozenset("fi EE Ve Ed DE".split())
_WORDS = frozenset(
    "Nm Fl Ar Op Xr Ic Cm Pa Ev Li Ql Dq Sq Em Sy Dl D1 Oo Oc Pq Qq Aq Ao Ac Bq Brq No Ns Fn Ft Fa "
    "Va Vt Er Dv Tn An Lk Mt Sx Ad In Cd Po Pc Bo Bc Do Dc So Sc Ux Pf Ms".split()
)


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """One page."""
    raw = _unpacked(data, limits.file_mb * MB)
    decoded = raw if isinstance(raw, str) else decode(raw)
    if isinstance(decoded, str):
        yield ParseFailure(name, decoded)
        return
    lines = decoded.text.split("\n")
    pointer = next((line for line in lines if line.startswith(".so ")), None)
    reader = _Reader(stem(name.removesuffix(".gz")))
    reader.read(lines)
    text = reader.canvas.text
    if not text.strip():
        why = f"only a pointer to {pointer[4:].strip()}: add that page" if pointer else "no words"
        yield ParseFailure(name, why)
        return
    metadata: dict[str, object] = {"section": reader.section} if reader.section else {}
    yield Parsed(
        None, reader.name, text, MANUAL, reader.canvas.sections(), metadata=metadata,
        warnings=decoded.warnings,
    )  # fmt: skip


def _unpacked(data: bytes, most: int) -> bytes | str:
    """The bytes behind gzip, or why there are none."""
    if not data.startswith(GZIP):
        return data
    try:
        inflate = zlib.decompressobj(31)
        raw = inflate.decompress(data, most)
    except zlib.error:
        return "damaged gzip data: pack the file anew"
    return "unpacked it is over the cap on file size" if inflate.unconsumed_tail else raw


class _Reader:
    """Goes through the lines once; `canvas`, `name` and `section` hold the outcome."""

    def __init__(self, name: str) -> None:
        self.canvas, self.name, self.section = Canvas(), name, ""
        self._words: list[str] = []  # of the open paragraph
        self._tag = ""  # of an option whose description follows
        self._code: list[str] | None = None
        self._awaits = ""  # the macro whose text is the next line
        self._heading = ""

    def read(self, lines: list[str]) -> None:
        """All lines of a page."""
        for line in effective(lines):
            found = re.match(r"[.']\s*(\w+)\s*(.*)", line)
            if found:
                self._macro(found[1], found[2])
            elif line[:1] not in ".'":
                self._text(characters(line))
        self._end()

    def _macro(self, macro: str, rest: str) -> None:
        if macro in ("TH", "Dt"):
            self._page([characters(a) for a in arguments(rest)])
        elif macro in ("SH", "Sh", "SS", "Ss"):
            self._end()
            self._awaits = "" if rest else macro
            if rest:
                self._head(macro, " ".join(characters(a) for a in arguments(rest)))
        elif macro in ("TP", "TQ"):
            self._end()
            self._awaits = "TP"
        elif macro in ("IP", "It"):
            self._end()
            given = mdoc("No", rest, self.name) if macro == "It" else _first(rest)
            self._tag = given if given not in ("•", "-", "*", "o") else ""
        elif macro in _CODE_ON or macro in _CODE_OFF:
            self._end()
            self._code = [] if macro in _CODE_ON else None
        elif macro in _BREAKS:
            self._break(macro)
        else:
            self._inline(macro, rest)

    def _inline(self, macro: str, rest: str) -> None:
        """Words that a macro sets; what we do not know prints nothing."""
        if macro in _FONTS:
            if rest:
                self._text(alternating(macro, rest))
        elif macro == "Nd":
            self._text("- " + characters(rest))
        elif macro in ("UR", "MT"):
            self._text(characters(rest))
        elif macro in _WORDS:
            if macro == "Nm" and self._heading == "NAME" and rest:
                self.name = characters(rest).split(" ,")[0].strip()
            self._text(mdoc("No" if macro in ("Dl", "D1") else macro, rest, self.name))

    def _page(self, given: list[str]) -> None:
        if given:
            self.name = given[0].lower() if given[0].isupper() else given[0]
        self.section = given[1] if len(given) > 1 else ""

    def _head(self, macro: str, title: str) -> None:
        self._heading = title.upper()
        self.canvas.heading(1 if macro in ("SH", "Sh") else 2, title)

    def _text(self, words: str) -> None:
        if self._awaits in ("SH", "Sh", "SS", "Ss"):
            self._head(self._awaits, words)
            self._awaits = ""
        elif self._awaits == "TP":
            self._tag, self._awaits = words.strip(), ""
        elif self._code is not None:
            self._code.append(words.rstrip())
        elif not words.strip():
            self._end()
        elif words[0] in " \t":  # roff breaks here: lines that are to be seen as they are
            self._words.append("\n" + words.rstrip())
        else:
            self._words.append(words.strip())

    def _break(self, macro: str) -> None:
        if self._code is not None:
            self._code += [""] if macro in ("sp", "Sp", "Pp", "PP") else []
        elif macro not in ("RS", "RE", "ti", "in") or self._words:
            self._end()

    def _end(self) -> None:
        """Write the open paragraph, its option before it on a line of its own."""
        code = "\n".join(self._code).strip("\n") if self._code else ""
        words = code or " ".join(self._words).replace(" \n", "\n").strip("\n")
        if self._heading == "NAME" and (named := re.match(r"([^\s,]+).*?\s[-–—]+\s", words)):
            self.name = named[1]
        lines = [line for line in (self._tag, words) if line.strip()]
        if lines:
            self.canvas.block("\n".join(lines))
        self._words, self._tag = [], ""
        if self._code:
            self._code = []


def _first(rest: str) -> str:
    given = arguments(rest)
    return characters(given[0]).strip() if given else ""
