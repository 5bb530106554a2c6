"""Pilotfish: small models around one hosted LLM. The light package: nouns and errors.

Importing it pulls in nothing heavy; the engine is attached only in processes we own.
"""

from pilotfish.errors import PilotfishError
from pilotfish.types import Answer, Case, Citation, Question

__version__ = "0.1.0"

__all__ = ["Answer", "Case", "Citation", "PilotfishError", "Question", "__version__"]
