"""Puts the engine's folders (store, models, corpus, ...) on the import path.

Called only in processes we own: the command line, workers, the embedded engine. In a
checkout the folders lie beside the package; in a wheel they lie in `pilotfish/_engine`.
A user's own `models.py` must never win, so the engine's place goes first.
"""

from __future__ import annotations

import sys
from pathlib import Path


def attach() -> Path:
    """Put the engine's folder first on sys.path, once; give it."""
    package = Path(__file__).resolve().parent
    inside = package / "_engine"
    root = inside if inside.is_dir() else package.parent
    if str(root) in sys.path:
        sys.path.remove(str(root))
    sys.path.insert(0, str(root))
    return root
