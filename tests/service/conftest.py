"""Fleets for the tests of this folder: on a copy of the shared collection, or on Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Pilotfish
from tests.service.fleet import Fleet

Build = Callable[..., Fleet]


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
