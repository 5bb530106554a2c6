"""The one way to the service: httpx2 over TCP or a unix socket, with time-outs and retries.

A POST carries one idempotency key through all its attempts, so that it is done once. Not here:
routes (client.py, job.py), the engine's process (engine.py).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

import pilotfish
from pilotfish.client.engine import Engine
from pilotfish.client.errors import Missing, ServiceError, TimedOut, Unreachable, of_reply
from pilotfish.client.pauses import pause_after
from pilotfish.errors import InputError, SettingsError

CONNECT_SECONDS = 10.0
MOST_PATIENCE = 60.0  # a longer Retry-After is for the caller to wait
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)

File = tuple[str, Path | bytes]  # its name, and where it lies or what is in it


@dataclass(frozen=True, slots=True)
class Send:
    """A request; `body` goes as JSON, or as fields beside `files`. `key`: of idempotency."""

    method: str
    path: str
    params: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    files: Sequence[File] = ()
    key: str | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no error."""

    status: int
    json: Any


class Transport:
    """Shared by a client and its jobs; may be used from several threads.

    timeout: seconds in which the service must say something. retries: attempts after the first.
    """

    def __init__(
        self, url: str | None, *, api_key: str | None = None, timeout: float = 60.0,
        retries: int = 3, engine: Engine | None = None,
    ) -> None:  # fmt: skip
        self.timeout, self.retries = timeout, retries
        self.engine = engine
        self.where = "the embedded engine" if url is None else _checked(url)
        headers = {"user-agent": f"pilotfish/{pilotfish.__version__}"}
        if api_key is not None:
            headers["authorization"] = f"Bearer {_sendable(api_key)}"
        limits = httpx2.Limits(max_connections=200, keepalive_expiry=4.0)  # servers close after 5
        socket = httpx2.HTTPTransport(uds=engine.socket, limits=limits) if engine else None
        self._http = httpx2.Client(
            base_url="http://pilotfish" if url is None else self.where, headers=headers,
            limits=limits, transport=socket,
            trust_env=url is not None and urlsplit(url).hostname not in _LOCAL,
        )  # fmt: skip

    def close(self) -> None:
        self._http.close()
        if self.engine is not None:
            self.engine.close()

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> Any:
        """The JSON of a GET."""
        return self.send(Send("GET", path, params, timeout=timeout)).json

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> Any:
        """The JSON of a POST."""
        return self.send(Send("POST", path, body=body, timeout=timeout)).json

    def delete(self, path: str) -> int:
        """How many a DELETE removed. What is gone at the second attempt, the first removed."""
        broken = False
        for attempt in range(self.retries + 1):
            try:
                return int(self._sent(Send("DELETE", path), None).json["removed"])
            except Missing:
                if broken:
                    return 1
                raise
            except ServiceError as error:
                broken = broken or error.status is None
                if not self._again(error, attempt):
                    raise
        raise AssertionError("the last attempt raises")

    def send(self, asked: Send) -> Reply:
        """Send until it is answered, refused for good, or the retries are used up."""
        key = asked.key or (uuid.uuid4().hex if asked.method == "POST" else None)
        for attempt in range(self.retries + 1):
            try:
                return self._sent(asked, key)
            except ServiceError as error:
                if not self._again(error, attempt):
                    raise
        raise AssertionError("the last attempt raises")

    def _again(self, error: ServiceError, attempt: int) -> bool:
        """Pause before the next attempt; False when there is to be none."""
        pause = pause_after(attempt) if error.retry_after is None else error.retry_after
        if not error.retryable or attempt >= self.retries or pause > MOST_PATIENCE:
            return False
        time.sleep(pause)
        return True

    def _sent(self, asked: Send, key: str | None) -> Reply:
        """One attempt."""
        if self.engine is not None:
            self.engine.ensure()
        headers = {"idempotency-key": key} if key else {}
        with self._told(), ExitStack() as opened:
            request = self._http.build_request(
                asked.method, asked.path, params=_params(asked.params), headers=headers,
                timeout=self._timeout(asked.timeout), **_body(asked, headers, opened),
            )  # fmt: skip
            answer = self._http.send(request)
        if answer.status_code >= 300:
            raise of_reply(answer.status_code, _parsed(answer), answer.headers)
        return Reply(answer.status_code, _parsed(answer))

    @contextmanager
    def lines(
        self, path: str, params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, timeout: float | None = None,
    ) -> Iterator[Iterator[str]]:  # fmt: skip
        """The lines of an answer as they come; Unreachable when it breaks off. No retries."""
        if self.engine is not None:
            self.engine.ensure()
        with self._told():
            request = self._http.build_request(
                "GET", path, params=_params(params), headers=dict(headers or {}),
                timeout=self._timeout(timeout),
            )  # fmt: skip
            answer = self._http.send(request, stream=True)
        try:
            if answer.status_code >= 300:
                with self._told():
                    answer.read()
                raise of_reply(answer.status_code, _parsed(answer), answer.headers)
            yield self._listened(answer)
        finally:
            answer.close()

    def _listened(self, answer: httpx2.Response) -> Iterator[str]:
        with self._told():
            yield from answer.iter_lines()

    def _timeout(self, seconds: float | None) -> httpx2.Timeout:
        given = self.timeout if seconds is None else seconds
        return httpx2.Timeout(given, connect=min(given, CONNECT_SECONDS))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """httpx2's errors as ours. What took too long after it was sent is not sent again."""
        try:
            yield
        except httpx2.TransportError as error:
            late = isinstance(error, httpx2.TimeoutException)
            if late and not isinstance(error, _NEVER_SENT):
                raise TimedOut(f"{self.where} did not answer in time") from error
            what = str(error) or type(error).__name__
            raise Unreachable(f"{self.where}: {what}", retryable=True) from error
        except (httpx2.DecodingError, httpx2.InvalidURL) as error:
            raise ServiceError(f"{self.where}: {error}") from error


def _checked(url: str) -> str:
    """The service's address without a path of OpenAI's kind."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"url {url!r} is no address: give http://HOST:PORT")
    if parts.username or parts.password:
        raise SettingsError("the url holds a password: give the key as api_key=")
    return url.rstrip("/").removesuffix("/v1")


def _sendable(api_key: str) -> str:
    if not api_key or not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        raise SettingsError("api_key is empty, or holds what no key holds: check how it is read")
    return api_key


def _params(given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (given or {}).items() if v is not None}


def _body(asked: Send, headers: dict[str, str], opened: ExitStack) -> dict[str, Any]:
    """Files are opened anew for each attempt."""
    fields = {k: v for k, v in (asked.body or {}).items() if v is not None}
    if asked.files:
        data = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        return {"data": data, "files": [("file", _part(one, opened)) for one in asked.files]}
    if asked.body is None:
        return {}
    headers["content-type"] = "application/json"
    try:
        return {"content": json.dumps(fields, allow_nan=False).encode()}
    except (TypeError, ValueError) as error:
        raise InputError(f"cannot be sent as JSON: {error}: send texts and numbers") from None


def _part(file: File, opened: ExitStack) -> tuple[str, Any]:
    name, data = file
    if isinstance(data, bytes):
        return name, data
    try:
        return name, opened.enter_context(data.open("rb"))
    except OSError as error:
        raise InputError(f"{data} cannot be read ({error.strerror}): check it") from None


def _parsed(answer: httpx2.Response) -> Any:
    """The JSON of the answer; None for what is none, such as a proxy's page."""
    try:
        return answer.json()
    except ValueError:
        return None
