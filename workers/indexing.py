"""One uploaded file of an index job, from its item's id to its one terminal row.

The file lies in the workspace under its upload's id until it was read. Not here: parsing
(corpus/), indexes (retrievers/).
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from corpus.add import Report
from corpus.walk import Source
from pilotfish.errors import NotFound, PilotfishError, SettingsError, Unavailable
from pipeline.outputs import failed_line
from store import items, uploads
from store.items import Taken
from workers import logs, telemetry_items
from workers.hands import AWAY_SECONDS, Hands

log = logging.getLogger("pilotfish.index")


@dataclass(frozen=True, slots=True)
class Indexing(Hands):
    """Does items of kind `index`."""

    def guarded(self, taken: Taken) -> None:
        """No file may end the worker: what breaks it is put back, and dies after three."""
        started = time.perf_counter()
        try:
            report = self._add(taken)
        except SettingsError as error:
            self.pause(taken, str(error))
        except Unavailable:  # the database was away for a moment: nobody's fault
            self.later(taken, AWAY_SECONDS)
        except PilotfishError as error:
            self._finish(taken, "failed", failed_line(taken.custom_id, error.code, str(error)))
        except BaseException as error:  # noqa: BLE001 the task's boundary
            name, (*_, place) = type(error).__name__, logs.places(error.__traceback__)
            log.error("item %d broke: %s at %s", taken.id, name, place)
            with self.process.database.write(lock=None, durable=False) as connection:
                items.put_back(connection, taken, 1.0)
        else:
            self._report(taken, report, time.perf_counter() - started)

    def _add(self, taken: Taken) -> Report:
        library = self.process.library(taken.collection)
        asked = taken.question
        path = uploads.place(self.process.workspace.root, str(asked["file"]))
        if not path.is_file():
            raise NotFound("the uploaded file was removed since: upload it again")
        name = str(asked["name"])
        with telemetry_items.watched(self.process.telemetry, taken):
            return library.add([Source(path, name, place=f"upload:{name}")])

    def _report(self, taken: Taken, report: Report, seconds: float) -> None:
        line: dict[str, object] = {
            "custom_id": taken.custom_id,
            "status": "failed" if report.failed else "answered",
            "added": report.added,
            "updated": report.updated,
            "removed": report.removed,
            "unchanged": report.unchanged,
            "passages": report.passages,
            "failed": [asdict(one) for one in report.failed],
            "warnings": [list(one) for one in report.warnings],
            "seconds": round(seconds, 3),
            "error": None,
        }
        if report.failed:
            reason = report.failed[0].reason
            line["error"] = {"type": "failed", "code": "unreadable", "message": reason}
        self._finish(taken, str(line["status"]), line)
        if not report.failed:
            self._done_with(taken)

    def _done_with(self, taken: Taken) -> None:
        """The text is in the database now; the upload would outlive its removal."""
        root, file_id = self.process.workspace.root, str(taken.question["file"])
        with suppress(NotFound), self.process.database.write() as connection:
            uploads.drop(connection, root, file_id, taken.tenant)

    def _finish(self, taken: Taken, state: str, line: dict[str, object]) -> None:
        with self.process.database.write(lock=None, durable=False) as connection:
            items.finish(connection, taken, state, line, line["error"])
