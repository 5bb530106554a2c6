"""The example of docs/adding-a-helper.md is code that runs as the page says."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from pilotfish.step import run
from pilotfish.types import Case, Question
from prompters.render import Render
from tests.conftest import ROOT


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page's step, imported as a module of its own."""
    text = (ROOT / "docs" / "adding-a-helper.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    (tmp_path / "units_of_the_page.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return importlib.import_module("units_of_the_page").Units()


def test_the_example_adds_its_hint_and_says_why_not(units: Any) -> None:
    asked = run(units, Case(Question("How long is the seal?")))
    assert [hint.kind for hint in asked.hints] == ["units"] and asked.trace[-1].error is None
    other = run(units, Case(Question("Who made it?")))
    assert not other.hints and other.trace[-1].detail["why"] == "no measure is asked for"


def test_its_hint_reaches_the_prompt_as_no_source(units: Any) -> None:
    case = run(units, Case(Question("How long is the seal?")))
    done = run(Render(b"secret", lambda texts: [1 for _ in texts]), case)
    assert done.prompt is not None
    assert "Hint (units, not a source): give metric units" in done.prompt.messages[-1].content
