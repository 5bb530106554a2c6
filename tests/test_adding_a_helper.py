"""The example of docs/adding-a-helper.md is code that runs as the page says."""

from __future__ import annotations

import re
from typing import Any

from pilotfish.step import run
from pilotfish.types import Case, Question
from prompters.render import Render
from tests.conftest import ROOT


def made() -> Any:
    text = (ROOT / "docs" / "adding-a-helper.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    space: dict[str, Any] = {"__name__": "units"}
    exec(compile(code, "adding-a-helper.md", "exec"), space)
    return space["Units"]()


def test_the_example_adds_its_hint_and_says_why_not() -> None:
    step = made()
    asked = run(step, Case(Question("How long is the seal?")))
    assert [hint.kind for hint in asked.hints] == ["units"] and asked.trace[-1].error is None
    other = run(step, Case(Question("Who made it?")))
    assert not other.hints and other.trace[-1].detail["why"] == "no measure is asked for"


def test_its_hint_reaches_the_prompt_as_no_source() -> None:
    case = run(made(), Case(Question("How long is the seal?")))
    done = run(Render(b"secret", lambda texts: [1 for _ in texts]), case)
    assert done.prompt is not None
    assert "Hint (units, not a source): give metric units" in done.prompt.messages[-1].content
