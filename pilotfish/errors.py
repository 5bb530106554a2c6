"""Every error a user can meet. A message names the value and the mend, in one line.

Not here: handling. `pilotfish.step.run` holds the failure policy; the command line
turns a class into an exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilotfish.types import Event


class PilotfishError(Exception):
    """Base of all our errors. `code` is stable and machine-readable."""

    code = "error"
    trace: tuple[Event, ...] = ()  # what the item did until it failed; written by `run`


class SettingsError(PilotfishError):
    """A setting, a credential, a weights file or a workspace is not usable as configured."""

    code = "configuration"


class InputError(PilotfishError):
    """What the user handed in (a file, a question, a batch line) cannot be used."""

    code = "invalid_input"


class NotFound(PilotfishError):
    """A document, collection or file that was named does not exist."""

    code = "not_found"


class IndexCorrupt(PilotfishError):
    """Index files do not match their manifest; they can be rebuilt from the database."""

    code = "index_corrupt"


class ModelError(PilotfishError):
    """The hosted LLM did not give a usable reply. Ends its tier, not the item."""

    code = "model_error"

    def __init__(
        self,
        message: str,
        *,
        code: str = "model_error",
        retryable: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.wait = wait  # seconds after which another try makes sense, if the provider said so


class Unavailable(PilotfishError):
    """Something we stand on (the database, the queue) is away; nothing is lost: try again."""

    code = "unavailable"


class BudgetExceeded(PilotfishError):
    """The next call does not fit the budget; nothing was spent on it. Fails the item."""

    code = "budget_exceeded"


class RetrievalFailed(PilotfishError):
    """No retriever succeeded. The item has failed; that is never an abstention."""

    code = "retrieval_failed"
