"""Pilotfish: small models around one hosted LLM. The light package: nouns and errors.

Importing it pulls in nothing heavy; the engine is attached only in processes we own, and the
SDK is loaded with the first look at `Client`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotfish.errors import PilotfishError
from pilotfish.types import Answer, Case, Citation, Question

if TYPE_CHECKING:
    from pilotfish.client import Client

__version__ = "0.1.0"

__all__ = ["Answer", "Case", "Citation", "Client", "PilotfishError", "Question", "__version__"]


def __getattr__(name: str) -> object:
    if name == "Client":
        from pilotfish.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
