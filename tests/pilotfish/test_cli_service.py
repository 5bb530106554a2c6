"""The service's processes end when they are told to, however often they are told."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.conftest import ROOT

TOLD_WITHIN_THE_HANDLER = """
import os, signal
from pilotfish.cli.service import _stopped_by_signals
stop = _stopped_by_signals()
with stop._cond:  # as if the first signal's handler were at it
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
assert stop.wait(10)
"""


def test_a_second_signal_within_the_first_ones_handler_does_not_hang() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOLD_WITHIN_THE_HANDLER], cwd=ROOT, timeout=30, check=False
    )
    assert done.returncode == 0, signal.Signals(-done.returncode) if done.returncode < 0 else done
