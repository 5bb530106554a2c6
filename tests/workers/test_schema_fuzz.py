"""Schemathesis makes requests out of the OpenAPI document: none of them is answered with a 5xx.

Its examples, its coverage of every constraint, and random ones, valid and not. Run as a program of
its own. EXAMPLES random requests a route in the suite; more by FUZZ_EXAMPLES=500.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Pilotfish
from tests.llm_server import LLMServer
from tests.workers.conftest import Service, serving

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))


@pytest.fixture(scope="module")
def fuzzed(
    pristine: Path, player: LLMServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service of its own: what it is told to do is random."""
    folder = tmp_path_factory.mktemp("fuzzed")
    shutil.copytree(pristine, folder / "workspace")
    pilotfish = Pilotfish(folder, folder / "workspace").asking(player)
    with serving(pilotfish, folder, PILOTFISH_SERVICE__BODY_MB=2) as made:
        yield made.made_key("", admin=True)


def test_no_request_that_schemathesis_thinks_of_is_answered_with_a_5xx(
    fuzzed: Service, tmp_path: Path
) -> None:
    document = f"http://{fuzzed.host}:{fuzzed.port}/openapi.json"
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", document,
        "--header", f"Authorization: Bearer {fuzzed.key}", "--checks", "not_a_server_error",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES),
        "--continue-on-failure", "--request-timeout", "30", "--workers", "2", "--seed", "7",
        "--suppress-health-check", "all", "--no-color",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "bug" not in fuzzed.log.read_text()
