"""Fleets for the tests of this folder: on copies of the shared collection, or on Postgres.

Processes are forked from one that has imported the libraries (tests/warm.py), and leases are
short, so that a fleet is up within seconds and a kill is soon felt.
"""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.service.fleet import Fleet

Build = Callable[..., Fleet]
LEASE = 2.0
POSTGRES = pytest.param("postgres", marks=pytest.mark.long)


@pytest.fixture(scope="session", autouse=True)
def _told_to_end() -> Iterator[None]:
    """SIGTERM ends the tests as Ctrl-C does: fixtures end their processes first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@contextmanager
def building(folder: Path, pristine: Path) -> Iterator[Build]:
    """Makes fleets whose collection `default` holds the shared documents; ends them all."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def build(*, postgres: bool = False, latency: float = 0.0, **settings: object) -> Fleet:
            place = folder / f"fleet-{next(numbers)}"
            if not postgres:
                shutil.copytree(pristine, place / "workspace")
            given = {"service__lease": LEASE} | settings
            fleet = Fleet(
                place, place / "workspace", latency=latency, postgres=postgres, warm=True, **given
            )
            stack.enter_context(fleet)
            if postgres:
                fleet.run("add", pristine.with_name("docs"))
            return fleet

        yield build


@pytest.fixture
def fleets(pristine: Path, tmp_path: Path) -> Iterator[Build]:
    with building(tmp_path, pristine) as build:
        yield build


@pytest.fixture(scope="module")
def fleets_of_module(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    with building(tmp_path_factory.mktemp("fleets"), pristine) as build:
        yield build


@pytest.fixture(params=["sqlite", POSTGRES])
def on_both(request: pytest.FixtureRequest) -> bool:
    """Whether on Postgres: a test that takes it runs on both."""
    return bool(request.param == "postgres")
