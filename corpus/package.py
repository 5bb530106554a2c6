"""The source files of an installed Python package, found without importing it.

Not here: reading them (corpus/formats/docstrings.py, in the parser's child).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from corpus.formats.docstrings import PREFIX

_PASSED_BY = frozenset(("test", "tests", "testing", "_vendor", "vendor", "__pycache__"))


def sources(typed: str) -> list[tuple[Path, str]] | str:
    """(file, name such as `py:json.decoder`) of each public module, or why there are none."""
    dotted = typed.removeprefix(PREFIX)
    top, *rest = dotted.split(".")
    if not all(part.isidentifier() for part in (top.replace("-", "_"), *rest)):
        return "no name of a Python package: write it like py:json"
    root = _place(top) or next((p for one in _imports(top) if (p := _place(one))), None)
    if root is None:
        return f"no package {top!r} with Python source is installed here: check the name"
    top = root.stem if root.is_file() else root.name
    for part in rest:  # by path: asking Python for a submodule would run its package
        inner = root / part
        root = inner if inner.is_dir() else inner.with_suffix(".py")
        if not root.exists():
            return f"no module {dotted!r} in it: check the name"
    found = list(_modules(root, ".".join((top, *rest))))
    return found or f"no Python source under {root}: a compiled package has none to read"


def _place(top: str) -> Path | None:
    """The folder or file of a top-level module; finding one does not run it."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def _imports(distribution: str) -> list[str]:
    """What a distribution of that name is imported as: `python-docx` is `docx`."""
    try:
        named = metadata.distribution(distribution).read_text("top_level.txt")
    except (metadata.PackageNotFoundError, ValueError):
        return []
    return (named or "").split()


def _modules(root: Path, dotted: str) -> Iterator[tuple[Path, str]]:
    if root.is_file():
        yield root, PREFIX + dotted
        return
    for path in sorted(root.rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        hidden = any(part.startswith("_") or part in _PASSED_BY for part in parts)
        if not hidden and path.stat().st_size and all(part.isidentifier() for part in parts):
            yield path, PREFIX + ".".join((dotted, *parts))
