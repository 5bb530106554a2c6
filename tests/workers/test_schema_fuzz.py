"""Schemathesis makes requests out of the OpenAPI document: none of them is answered with a 5xx.

Its examples, its coverage of every constraint, and random ones, valid and not. Run as a program of
its own, for SECONDS at most in the suite; longer by FUZZ_SECONDS=3600.
"""

from __future__ import annotations

import os
import re
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
SECONDS = int(os.environ.get("FUZZ_SECONDS", "45"))


@pytest.fixture(scope="module")
def fuzzed(
    pristine: Path, player: LLMServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service of its own: what it is told to do is random. By a key that may not name an LLM
    that is not configured: that one cannot be called is the service's trouble, a 503.
    """
    folder = tmp_path_factory.mktemp("fuzzed")
    shutil.copytree(pristine, folder / "workspace")
    pilotfish = Pilotfish(folder, folder / "workspace").asking(player)
    with serving(pilotfish, folder, PILOTFISH_SERVICE__BODY_MB=2) as made:
        yield made.made_key()


def test_no_request_that_schemathesis_thinks_of_is_answered_with_a_5xx(
    fuzzed: Service, tmp_path: Path
) -> None:
    document = f"http://{fuzzed.host}:{fuzzed.port}/openapi.json"
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", document,
        "--header", f"Authorization: Bearer {fuzzed.key}", "--checks", "not_a_server_error",
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(SECONDS // 3),
        "--max-time", str(SECONDS), "--continue-on-failure", "--request-timeout", "30",
        "--workers", "2", "--seed", "7", "--suppress-health-check", "all", "--no-color",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=3 * SECONDS
    )
    print(done.stdout[-2000:])  # how many requests of which phase
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    said = fuzzed.log.read_text()  # where a bug of ours was, as access.py notes it
    assert not re.search(r"req_[0-9a-f]+: \w+ at ", said), said
