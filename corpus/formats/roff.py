"""Roff as text: escapes to characters, macro lines to words. Not here: sections (man.py).

Knows what man pages use of man(7) and mdoc(7). Conditionals and macros that a page defines for
itself are left out rather than run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_NAMED = {
    "lq": "“", "rq": "”", "oq": "‘", "cq": "’", "aq": "'", "dq": '"', "em": "—", "en": "–",
    "bu": "•", "co": "©", "rg": "®", "tm": "™", "ha": "^", "ti": "~", "rs": "\\", "bv": "|",
    "ga": "`", "la": "<", "ra": ">", "mu": "×", "->": "→", "<-": "←", ">=": "≥", "<=": "≤",
    "hy": "-", "mi": "-", "sc": "§", "de": "°", "at": "@", "sh": "#", "Do": "$", "sl": "/",
    "lB": "[", "rB": "]", "lC": "{", "rC": "}", "L\"": "“", "R\"": "”", "C'": "'", "C`": "`",
    "Tm": "™", "R": "®",
}  # fmt: skip
_ESCAPE = re.compile(
    r"""\\(?:
    (?P<comment>["\#].*)
    |f(?:\(..|\[[^\]]*\]|.)                   # a font
    |s(?:[+-]?\(\d\d|[+-]?\[[^\]]*\]|[+-]?\d) # a size
    |[mM](?:\(..|\[[^\]]*\]|.)                # a colour
    |\*?\((?P<two>..)                         # \(xx, \*(xx
    |\*?\[(?P<long>[^\]]*)\]
    |\*(?P<short>.)
    |n(?:[+-]?\(..|[+-]?\[[^\]]*\]|.)         # a number register
    |[bDhHlLNoRSvwxXZ]'[^']*'                 # motions, drawings
    |(?P<one>.)
    )""",
    re.X,
)
_ONE = {"-": "-", "e": "\\", " ": " ", "~": " ", "0": " ", "'": "'", "`": "`", ".": ".",
        "\\": "\\", "t": "\t"}  # fmt: skip
_ARGUMENT = re.compile(r'"((?:[^"]|"")*)"?|(\S+)')
_OPEN, _CLOSE = frozenset("(["), frozenset(".,:;)]?!|")
_DEFINES = re.compile(r"[.']\s*(?:de1?|am|ig)\b\s*(\S*)\s*(\S*)")
_CONDITION = re.compile(r"[.']\s*(?:if|ie|el|while)\b")
_INLINE = frozenset(
    "Ac Ad Ao An Ap Aq Ar Bc Bo Bq Brq Cd Cm Dc Do Dq Dv Ec Em En Eo Er Ev Fa Fc Fl Fn Fo Ft Ic In "
    "Li Lk Ms Mt Nm No Ns Oc Oo Op Pa Pc Pf Po Pq Ql Qq Sc So Sq Sx Sy Tn Ux Va Vt Xc Xo Xr".split()
)
_AROUND = {"Op": "[]", "Oo": "[", "Oc": "]", "Aq": "<>", "Ao": "<", "Ac": ">", "Bq": "[]",
           "Bo": "[", "Bc": "]", "Pq": "()", "Po": "(", "Pc": ")", "Dq": "“”", "Do": "“",
           "Dc": "”", "Sq": "‘’", "Ql": "‘’", "Qq": '""', "Brq": "{}"}  # fmt: skip


def characters(text: str) -> str:
    """The text with its escapes as what they print; a line that goes on by `\\c` as it is."""
    return _ESCAPE.sub(_printed, text)


def _printed(found: re.Match[str]) -> str:
    if found["one"] is not None:
        return _ONE.get(found["one"], "")
    name = found["two"] or found["long"] or found["short"] or ""
    if re.fullmatch(r"u[0-9A-Fa-f]{4,5}", name):
        return chr(int(name[1:], 16)) if not 0xD7FF < int(name[1:], 16) < 0xE000 else ""
    return _NAMED.get(name, "")


def arguments(rest: str) -> list[str]:
    """The arguments of a macro, quoted ones whole, escapes still in them."""
    return [quoted.replace('""', '"') if whole.startswith('"') else plain
            for whole, quoted, plain in
            ((f[0], f[1] or "", f[2] or "") for f in _ARGUMENT.finditer(rest))]  # fmt: skip


def alternating(macro: str, rest: str) -> str:
    """What a font macro prints: `.BR` and its like set their arguments close, `.B` apart."""
    return ("" if len(macro) == 2 else " ").join(characters(a) for a in arguments(rest))


def mdoc(macro: str, rest: str, name: str) -> str:
    """What an inline macro of mdoc(7) prints; `name`: of the page, for `.Nm` alone."""
    words = [macro, *arguments(rest)]
    out: list[str] = []
    closing: list[str] = []
    glue = False
    while words:
        word = words.pop(0)
        if word not in _INLINE or word != characters(word):
            _put(out, characters(word), glue)
            glue = False
            continue
        after = words[0] if words and words[0] not in _INLINE else None
        if word in _AROUND:
            marks = _AROUND[word]
            _put(out, marks[0], glue or marks[0] in "])>”")
            closing += [marks[1]] if len(marks) == 2 else []
            glue = marks[0] not in "])>”"
        elif word == "Fl":
            _put(out, "-" + (characters(words.pop(0)) if after is not None else ""), glue)
            glue = after is None
        elif word == "Xr" and len(words) > 1:
            _put(out, f"{characters(words.pop(0))}({characters(words.pop(0))})", glue)
            glue = False
        elif word == "Nm" and after is None:
            _put(out, name, glue)
        elif word == "Ar" and after is None:
            _put(out, "file ...", glue)
            glue = False
        else:
            glue = glue or word in ("Ns", "Ap", "Pf")
    return " ".join(out) + "".join(reversed(closing))


def _put(out: list[str], word: str, glue: bool) -> None:
    """Add a word; punctuation, and what is glued, joins the word before."""
    if out and (glue or word in _CLOSE or out[-1] in _OPEN):
        out[-1] += word
    elif word:
        out.append(word)


def effective(lines: Sequence[str]) -> Iterator[str]:
    """The lines that print something: no comments, no definitions, no conditionals."""
    depth, until = 0, ""
    for line in lines:
        if until:
            until = "" if re.fullmatch(rf"[.']\s*{re.escape(until)}\s*", line) else until
            continue
        if depth or _CONDITION.match(line):
            depth = max(0, depth + line.count("\\{") - line.count("\\}"))
            continue
        if re.match(r"""[.']\s*\\["#]|[.']\s*$|\\["#]""", line):
            continue
        defined = _DEFINES.match(line)
        if defined:
            ignores = line.lstrip(".' ").startswith("ig")
            until = (defined[1] if ignores else defined[2]) or "."
            continue
        yield line
