"""Fleets for the tests of this folder: on a copy of the shared collection, or on Postgres."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Pilotfish
from tests.service.fleet import Fleet

Build = Callable[..., Fleet]


@pytest.fixture(scope="session", autouse=True)
def _told_to_end() -> Iterator[None]:
    """SIGTERM ends the tests as Ctrl-C does: fixtures end their processes first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def fleets(mine: Pilotfish, documents: Path, tmp_path: Path) -> Iterator[Build]:
    """Makes fleets whose collection `default` holds the shared documents; ends them all."""
    with ExitStack() as stack:

        def build(*, postgres: bool = False, latency: float = 0.0, **settings: object) -> Fleet:
            workspace = tmp_path / "on-postgres" if postgres else mine.workspace
            made = Fleet(
                tmp_path / "fleet", workspace, latency=latency, postgres=postgres, **settings
            )
            fleet = stack.enter_context(made)
            if postgres:
                fleet.run("add", documents)
            return fleet

        yield build


@pytest.fixture(params=["sqlite", "postgres"])
def on_both(request: pytest.FixtureRequest) -> bool:
    """Whether on Postgres: a test that takes it runs on both."""
    return bool(request.param == "postgres")
