"""How the service's processes log: lines of text or of JSON on stderr, with secrets blanked.

A JSON line says when, how grave, who, what, and of which request, job, item, tenant and trace.
Questions, answers and documents are nobody's to log; as an error's own words may quote them, of
an error that is logged with its traceback a JSON line has the class and the places only.
Not here: what is logged, spans and metrics (telemetry.py).
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

from pilotfish.redact import redact
from pilotfish.settings_groups import ServiceSettings

ACCESS = "pilotfish.access"
FIELDS = "fields"  # what a record may carry beside its message: log.info(..., extra={FIELDS: {}})
_LOUD = ("celery", "kombu", "amqp")  # at INFO they tell of each message
_DEPTH = 8  # places of a traceback that are kept, the innermost
_ABOUT: ContextVar[dict[str, object] | None] = ContextVar("pilotfish.about", default=None)
log = logging.getLogger("pilotfish.threads")


@contextmanager
def about(**known: object) -> Iterator[None]:
    """Lines written in this block, also by threads that inherit its context, carry `known`."""
    token = _ABOUT.set({**(_ABOUT.get() or {}), **_given(known)})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def learn(**known: object) -> None:
    """What the innermost block is about, and nobody knew when it began: a request's job."""
    said = _ABOUT.get()
    if said is not None:
        said.update(_given(known))


def known() -> dict[str, object]:
    """What lines written here carry."""
    return dict(_ABOUT.get() or {})


def _given(known: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in known.items() if value not in (None, "")}


def tenant_hash(tenant: str) -> str:
    """Tells tenants apart in logs and spans without their names; "" for local use."""
    return hashlib.sha256(tenant.encode()).hexdigest()[:12] if tenant else ""


def places(traceback: TracebackType | None) -> list[str]:
    """The innermost places of a traceback: files, lines and names, no values."""
    found: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        name = code.co_filename.rpartition("/")[2]
        found.append(f"{name}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return found[-_DEPTH:]


class JsonLines(logging.Formatter):
    """One JSON object a line, in ASCII, whatever the message holds."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            **known(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = places(record.exc_info[2])
        return json.dumps(line, default=str)


class Redacted(logging.Formatter):
    """Lines as another formatter makes them, with secrets blanked, also those of an exception."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._inner.format(record))


def configure(service: ServiceSettings) -> None:
    """Set up this process's logging as the settings say; a second call changes nothing.

    As text, lines look as whoever started the process has set them up. Levels stay in any case.
    """
    if service.log_format == "json":
        _as_json(logging.getLogger())
    else:
        _as_text(logging.getLogger())
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(ACCESS).setLevel(logging.INFO if service.access_log else logging.WARNING)


def _as_text(root: logging.Logger) -> None:
    for handler in root.handlers:
        ours = type(handler) is logging.StreamHandler  # others are those of a test
        if ours and not isinstance(handler.formatter, Redacted):
            handler.setFormatter(Redacted(handler.formatter))


def _as_json(root: logging.Logger) -> None:
    if any(isinstance(handler.formatter, JsonLines) for handler in root.handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root.handlers[:] = [handler]
    logging.captureWarnings(True)
    threading.excepthook = _thread_ended


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    """What a thread died of, as a line like the others."""
    log.critical("thread %s ended", ended.thread.name if ended.thread else "?",
                 exc_info=(ended.exc_type, ended.exc_value or ended.exc_type(),
                           ended.exc_traceback))  # fmt: skip
