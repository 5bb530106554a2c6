"""The meter counts right, whoever tells it."""

from __future__ import annotations

import sys
import threading

import pytest

from pilotfish.cli.context import Context
from pilotfish.cli.progress import Meter


def test_two_threads_may_count_while_the_note_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilotfish.cli.progress._EVERY", 0.0)  # a note at every tick
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    meter = Meter(Context(), "documents")
    broken: list[RuntimeError] = []

    def work(name: str) -> None:
        try:
            for number in range(400):
                meter.beside(f"{name} {number}", 1)
                meter.tick(dollars=1.0)
        except RuntimeError as error:  # a thread's error would not fail the test
            broken.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert not broken and meter.done == meter.dollars == 800
    assert sum(meter.others.values()) == 800
