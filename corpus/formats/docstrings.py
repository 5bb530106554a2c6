"""Python source as documentation: one document a public object, its signature and its docstring.

Read as a tree, never imported or run. Ids are `py:json.dumps`; a module's page names what it
holds. Always manuals. Not here: which files a package has (corpus/package.py), comments, types
that only running code would know.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

from corpus.formats.canvas import Canvas
from corpus.formats.decode import decode
from corpus.limits import DEFAULT, Limits
from corpus.parsed import MANUAL, Parsed, ParseFailure

PREFIX = "py:"
_TITLE = re.compile(r"^([A-Z][\w ]{2,40})\n[-=~]{3,}$|^([A-Z][a-z]+( [A-Z]?[a-z]+)?):$", re.M)
Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def parse(data: bytes, name: str, limits: Limits = DEFAULT) -> Iterator[Parsed | ParseFailure]:
    """A module's page, then one of each public class, method and function with a docstring."""
    decoded = decode(data)
    if isinstance(decoded, str):
        yield ParseFailure(name, decoded)
        return
    module = name.removeprefix(PREFIX)
    try:
        tree = ast.parse(decoded.text)
    except (SyntaxError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split())[:120]
        yield ParseFailure(name, f"not Python of this version ({why}): leave it out")
        return
    held = _public(tree)
    names = ", ".join(one.name for one in held)
    yield _page(module, f"import {module}", ast.get_docstring(tree) or "", names)
    for one in held:
        yield from _defined(one, f"{module}.{one.name}")


def _defined(node: Defined, name: str) -> Iterator[Parsed]:
    """The page of a function or class, and those of a class's methods."""
    doc = ast.get_docstring(node)
    if doc or isinstance(node, ast.ClassDef):
        held = ""
        if isinstance(node, ast.ClassDef):
            held = ", ".join(one.name for one in _public(node))
        yield _page(name, _signature(node, name), doc or "", held)
    if isinstance(node, ast.ClassDef):
        for one in _public(node):
            yield from _defined(one, f"{name}.{one.name}")


def _public(tree: ast.Module | ast.ClassDef) -> list[Defined]:
    """What is defined there under a name that is not private, each name once."""
    found = {node.name: node for node in tree.body
             if isinstance(node, Defined) and not node.name.startswith("_")}  # fmt: skip
    return list(found.values())


def _signature(node: Defined, name: str) -> str:
    if isinstance(node, ast.ClassDef):
        made = next((one for one in node.body if isinstance(one, ast.FunctionDef)
                     and one.name == "__init__"), None)  # fmt: skip
        if made is None:
            return f"class {name}({', '.join(ast.unparse(base) for base in node.bases)})"
        return f"class {name}({_arguments(made)})"
    back = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    kind = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{kind}{name}({_arguments(node)}){back}"


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """As written, without `self`."""
    written = ast.unparse(node.args)
    return re.sub(r"^(self|cls)(, |$)", "", written)


def _page(name: str, signature: str, doc: str, held: str) -> Parsed:
    """Signature and summary, then the docstring's own sections (numpy and Google style)."""
    canvas = Canvas()
    canvas.block(f"`{signature}`")
    doc = inspect.cleandoc(doc)
    at = 0
    for found in _TITLE.finditer(doc):
        canvas.block(doc[at : found.start()])
        canvas.heading(1, found[1] or found[2])
        at = found.end()
    canvas.block(doc[at:].lstrip("\n"))
    if held:
        canvas.heading(1, "Contents")
        canvas.block(held)
    return Parsed(
        PREFIX + name, name, canvas.text, MANUAL, canvas.sections(), metadata={"language": "python"}
    )
