"""Celery on Redis as a doorbell: the app, and a Bell over it.

The settings are those that survived kills in tests: late acknowledgement, prefetch of one, no
results, remote control on (without it a worker stops consuming after Redis restarts). Messages
carry ids, so FLUSHALL is harmless. Not here: what the tasks do (tasks.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from pilotfish.errors import SettingsError
from pilotfish.settings import Settings
from workers.bell import Kind, QueueUnreachable

# The public contract: any Celery client may send these, with one argument, the item's id.
TASKS: dict[Kind, str] = {"answer": "pilotfish.answer_item", "index": "pilotfish.index_document"}
QUEUES: dict[Kind, str] = {"answer": "answers", "index": "documents"}
CONNECT_SECONDS = 5
PRIORITIES = [0, 9]  # with Redis the least goes first; a message without one goes there too


def make_app(settings: Settings) -> Any:
    """The Celery application; SettingsError where no Redis is configured."""
    from celery import Celery, signals

    signals.setup_logging.connect(_our_own, dispatch_uid="pilotfish.logs")
    app = Celery("pilotfish", broker=_kombu_url(redis_url(settings)), set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        result_backend=None,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        accept_content=["json"],
        task_serializer="json",
        worker_enable_remote_control=True,
        worker_soft_shutdown_timeout=30,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": 3600,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": 30,
            "socket_timeout": 30,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 25,
            "global_keyprefix": f"{settings.service.queue}:",
            "priority_steps": PRIORITIES,  # a list each; the first is the queue's plain name
        },
        task_default_queue=QUEUES["answer"],
        task_routes={name: {"queue": QUEUES[kind]} for kind, name in TASKS.items()},
    )
    return app


def _our_own(**_: object) -> None:
    """That someone listens keeps Celery from setting up logging: logs.py has done it.

    What it prints at its end it does not print either: stdout is for data.
    """
    from celery.apps import worker

    worker.safe_say = lambda *_: None


def redis_url(settings: Settings) -> str:
    """Where Redis is, as redis-py spells it."""
    if settings.service.redis is None:
        mend = "set PILOTFISH_SERVICE__REDIS=redis://HOST:6379/0, or use pilotfish up"
        raise SettingsError(f"no Redis is configured: {mend}")
    return settings.service.redis


def _kombu_url(url: str) -> str:
    """Celery spells a unix socket its own way."""
    return "redis+socket://" + url.removeprefix("unix://") if url.startswith("unix://") else url


class RedisBell:
    """Rings through Celery, tells and hears through Redis' publish and subscribe. Thread-safe."""

    def __init__(self, settings: Settings, app: Any = None) -> None:
        import redis

        self._app = app or make_app(settings)
        self._redis = redis.Redis.from_url(
            redis_url(settings),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=CONNECT_SECONDS,
        )
        self._broken: type[Exception] = redis.RedisError
        self._channel = f"{settings.service.queue}:done"
        self._ears = Ears(self._listen)

    def ring(self, kind: Kind, ids: Sequence[int], *, first: bool = False) -> None:
        """One message an item; Celery reports every failure of its broker as one class."""
        from kombu.exceptions import OperationalError

        try:
            with self._app.producer_pool.acquire(block=True, timeout=CONNECT_SECONDS) as producer:
                for item_id in ids:
                    self._app.send_task(
                        TASKS[kind], args=[item_id], queue=QUEUES[kind], producer=producer,
                        retry=False, ignore_result=True, priority=PRIORITIES[not first],
                    )  # fmt: skip
        except (OperationalError, self._broken, OSError) as error:
            raise QueueUnreachable(f"Redis does not answer ({error}): is it running?") from None

    def tell(self, item_id: int) -> None:
        with suppress(self._broken, OSError):
            self._redis.publish(self._channel, item_id)

    def listening(self, item_id: int) -> AbstractContextManager[threading.Event]:
        return self._ears.listening(item_id)

    def ready(self) -> bool:
        try:
            return bool(self._redis.ping())
        except (self._broken, OSError):
            return False

    def age(self) -> str:
        try:
            return str(self._redis.info("server")["run_id"])
        except (self._broken, OSError) as error:
            raise QueueUnreachable(f"Redis does not answer ({error}): is it running?") from None

    def close(self) -> None:
        self._ears.close()
        self._redis.close()
        self._app.close()

    def _listen(self, heard: Callable[[int], None], stop: threading.Event) -> None:
        """Hear what workers tell until `stop`; a broken connection is opened again."""
        while not stop.is_set():
            try:
                subscribed = self._redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
                with subscribed as channel:
                    channel.subscribe(self._channel)
                    while not stop.is_set():
                        message = channel.get_message(timeout=0.5)
                        if message is not None:
                            heard(int(message["data"]))
            except (self._broken, OSError):
                stop.wait(0.5)


class Ears:
    """Lets threads wait for single ids of a stream that one thread listens to."""

    def __init__(self, listen: Callable[[Callable[[int], None], threading.Event], None]) -> None:
        self._listen = listen
        self._waiting: dict[int, list[threading.Event]] = {}
        self._mutex = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def listening(self, item_id: int) -> Iterator[threading.Event]:
        """An event that `heard` sets for this id."""
        event = threading.Event()
        with self._mutex:
            self._waiting.setdefault(item_id, []).append(event)
            self._start()
        try:
            yield event
        finally:
            with self._mutex:
                events = self._waiting[item_id]
                events.remove(event)
                if not events:
                    del self._waiting[item_id]

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._listen, args=(self.heard, self._stop), name="ears", daemon=True
            )
            self._thread.start()

    def heard(self, item_id: int) -> None:
        """Wake those who wait for this id."""
        with self._mutex:
            for event in self._waiting.get(item_id, ()):
                event.set()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)
