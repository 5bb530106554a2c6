"""The evaluation report in a browser: fetches nothing, fits a phone, and can be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import Pilotfish
from tests.page.test_page_looks import FAINT

pytestmark = pytest.mark.slow
LONG = "Rheinhauptdeichverbandsvorsteherin" * 8


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything on it: another run, long words, right-to-left text, wrong answers."""
    folder = tmp_path_factory.mktemp("report")
    texts = ["Seine", "The Loire, they say.", LONG, "<b>not bold</b>", "القدس", None]
    cited = [{"document": LONG, "start": 0, "end": 5, "quote": LONG, "sentence": [0, 5]}]
    for name, shift in (("a", 0), ("b", 2)):
        lines = [
            {"id": str(n), "answer": texts[(n + shift) % 6], "support": (n % 10) / 10,
             "status": "answered" if texts[(n + shift) % 6] else "abstained", "citations": cited,
             "receipt": {"llm_calls": n % 2, "cost_usd": 0.01 * n, "seconds": 1.0,
                         "prompt_tokens": 5, "completion_tokens": 5}}
            for n in range(36)
        ]  # fmt: skip
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    gold = [{"id": str(n), "question": f"{LONG}?", "answers": [texts[0], LONG] if n % 5 else []}
            for n in range(36)]  # fmt: skip
    (folder / "gold.jsonl").write_text("".join(json.dumps(one) + "\n" for one in gold))
    pilotfish = Pilotfish(folder, folder / "workspace")
    pilotfish("eval", "a.jsonl", "gold.jsonl", "--against", "b.jsonl", "--no-models",
              "--html", "report.html")  # fmt: skip
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_fetches_nothing_and_can_be_read(
    chromium: Browser, report: Path, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(report.as_uri())
    page.locator("summary").first.click()
    assert asked == [report.as_uri()] and not said
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(FAINT) == []
    assert page.locator("h1").count() == 1 and page.locator("svg[role=img]").count() == 2
    assert page.locator("td b").count() == 0 and page.locator("text=<b>not bold</b>").count() > 0
    context.close()
