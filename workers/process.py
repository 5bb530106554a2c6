"""What a process of the service holds: settings, the database, an opened library a collection,
its logging and its telemetry.

Shared by all its threads. Not here: the work (answering.py, indexing.py).
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict

from models.encoders import Encoders
from pilotfish.errors import PilotfishError
from pilotfish.settings import Settings
from pipeline.library import Library
from pipeline.llm import preload
from store import ledger
from store.database import Database
from store.workspace import Workspace, open_workspace
from workers import logs
from workers.telemetry import telemetry

KEPT = 64  # opened collections


class Process:
    """One process. Libraries are opened when first asked for and kept, the latest KEPT."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        logs.configure(settings.service)
        self.workspace: Workspace = open_workspace(
            settings.workspace, create=True, url=settings.database
        )
        self.database: Database = self.workspace.database
        self.owner = ledger.owner()
        self.telemetry = telemetry(self.owner)
        self.encoders = Encoders(settings.threads)
        self._libraries: OrderedDict[str, Library] = OrderedDict()
        self._mutex = threading.Lock()

    def library(self, collection: str, *, create: bool = False) -> Library:
        """The collection of that stored name; NotFound when there is none."""
        with self._mutex:
            found = self._libraries.get(collection)
            if found is None:
                settings = self.settings.model_copy(update={"collection": collection})
                found = Library(
                    settings, create=create, encoders=self.encoders, workspace=self.workspace
                )
                self._libraries[collection] = found
            self._libraries.move_to_end(collection)
            while len(self._libraries) > KEPT:
                self._libraries.popitem(last=False)
        return found

    def warm(self) -> None:
        """Load what the first question would wait for; what is missing, it will say itself."""
        with contextlib.suppress(PilotfishError):
            if self.settings.llm.models:
                preload()
            library = self.library(self.settings.collection)
            _ = library.parts, library.shelf.opened()

    def forget(self, collection: str) -> None:
        """Close a collection that is gone."""
        with self._mutex:
            self._libraries.pop(collection, None)

    def close(self) -> None:
        self.telemetry.close()
        self.database.close()
