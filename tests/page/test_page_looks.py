"""What every page must be: small, named, wide enough for a phone; and pictures of it for docs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.conftest import ASKED, BLOCK, ROOT, UNANSWERABLE, Pilotfish
from tests.llm_server import LLMServer
from tests.page.conftest import UNNAMED, Visit
from tests.workers.conftest import Service, serving
from workers.page.shown import FOLDER

pytestmark = pytest.mark.slow
SCREENSHOTS = ROOT / "docs" / "screenshots"
# Contrast of all texts against what lies behind them, as WCAG reckons it.
FAINT = """() => {
  const parts = text => { const c = document.createElement('canvas').getContext('2d');
    c.fillStyle = text; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data] };
  const light = rgb => rgb.slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [.2126, .7152, .0722][n], 0);
  const behind = one => { for (; one; one = one.parentElement) {
    const colour = parts(getComputedStyle(one).backgroundColor);
    if (colour[3] === 255) return colour }
    return [255, 255, 255] };
  return [...document.querySelectorAll('main *, header *')]
    .filter(one => one.checkVisibility() && !one.closest('[disabled], svg') &&
      [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(one => { const [a, b] = [light(parts(getComputedStyle(one).color)), light(behind(one))];
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), one.outerHTML.slice(0, 100)] })
    .filter(([ratio]) => ratio < 4.5) }"""


@pytest.fixture(scope="session")
def addresses(site: Service) -> list[str]:
    """Every kind of page, with something on it."""
    asked = site.post("/v1/answers", {"question": ASKED}).json["job"]
    nothing = site.post("/v1/answers", {"question": UNANSWERABLE}).json["job"]
    row = site.post("/v1/answers", {"question": "What is the price of the lantern?"}).json["job"]
    body = {"questions": [ASKED, {"question": " "}, "x" * 300], "skip_invalid": True}
    job = site.post("/v1/jobs", {**body, "name": "long_name_" * 15}).json["id"]
    site.ended(job)
    return ["/", f"/answers/{asked}/0", f"/answers/{nothing}/0", f"/answers/{row}/0",
            f"/answers/{job}/1", "/documents/default", "/documents/empty", "/jobs", "/jobs/new",
            f"/jobs/{job}", "/usage", "/login",
            "/documents/default/view/docs/returns.md?start=11&end=60"]  # fmt: skip


def test_no_page_scrolls_sideways_on_a_phone(
    site: Service, visit: Callable[..., Visit], addresses: list[str]
) -> None:
    one = visit(site, width=360, height=740)
    wide = {
        path: width
        for path in addresses
        if (width := one.open(path).evaluate("document.documentElement.scrollWidth")) > 360
    }
    assert not wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_control_has_a_name_and_every_text_can_be_read(
    site: Service, visit: Callable[..., Visit], addresses: list[str], scheme: str
) -> None:
    one = visit(site, color_scheme=scheme)
    for path in addresses:
        page = one.open(path)
        assert page.evaluate(UNNAMED) == [], path
        assert page.evaluate(FAINT) == [], path
        assert page.locator("h1").count() == 1 and page.locator("main").count() == 1, path
        assert page.locator("html").get_attribute("lang") == "en"
        doubled = "() => { const all = [...document.querySelectorAll('[id]')].map(one => one.id);"
        assert (
            page.evaluate(doubled + "return all.filter((id, n) => all.indexOf(id) !== n) }") == []
        )


def test_the_keyboard_alone_asks_and_opens_a_source(
    site: Service, visit: Callable[..., Visit]
) -> None:
    page = visit(site).open("/")
    page.keyboard.type(ASKED)  # the box has the focus already
    page.keyboard.press("Enter")
    page.wait_for_url("**/answers/**", timeout=60_000)
    page.locator("#source").evaluate("pane => pane.replaceChildren()")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.answer .chip')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#source mark.quote")


def test_all_of_it_weighs_under_300_kilobytes(
    site: Service, visit: Callable[..., Visit], addresses: list[str]
) -> None:
    one = visit(site)
    sizes: list[int] = []
    one.page.on("response", lambda reply: sizes.append(len(reply.body())))
    one.open(addresses[1])
    one.page.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) < 100_000
    files = [path for path in FOLDER.rglob("*") if path.suffix in {".html", ".css", ".js", ".svg"}]
    assert sum(path.stat().st_size for path in files) < 300_000


def test_templates_hold_no_script_no_style_and_no_other_host() -> None:
    for path in (FOLDER / "templates").glob("*.html"):
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|https?:|javascript:|\|\s*safe", text), path
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), path


FACTS = ("2,150 a month", "Nerys Calloway will sign")


def told(messages: Sequence[Mapping[str, str]]) -> str:
    """An LLM that repeats the sentences with the facts; else the first sentence of what it got."""
    blocks = BLOCK.findall(messages[-1]["content"])
    found = []
    for key, text in blocks:
        flat = " ".join(text.split())
        found += [f"{one.rstrip('.')} [{key}]." for one in re.split(r"(?<=[.!?]) ", flat)
                  if any(fact in one for fact in FACTS)]  # fmt: skip
    if found and "Dunskerrow" in messages[-1]["content"].rpartition("]")[2]:
        return " ".join(dict.fromkeys(found))
    key, text = blocks[0]
    return f"{' '.join(text.split()).split('. ')[0].rstrip('.')} [{key}]."


@pytest.fixture(scope="module")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, LLMServer]]:
    """The example company's documents, and an LLM of a known price."""
    folder = tmp_path_factory.mktemp("showcase")
    shutil.copytree(ROOT / "examples" / "documents", folder / "documents")
    with LLMServer(respond=told, latency=0.8) as server:
        pilotfish = Pilotfish(folder, folder / "workspace").asking(
            server, PILOTFISH_LLM__MODEL="openai/gpt-4o-mini", PILOTFISH_SERVICE__THREADS=4
        )
        pilotfish("--json", "add", "documents")
        with serving(pilotfish, folder) as service:
            yield service, server


def taken(page: Page, name: str, folder: Path) -> None:
    """A picture of what is seen. It goes into docs/ when it is missing there, or SCREENSHOTS is
    set, so that a run of the tests leaves the tree as it was.
    """
    path = folder / name
    page.screenshot(path=path)
    assert 10_000 < path.stat().st_size < 200_000
    if os.environ.get("SCREENSHOTS") or not (SCREENSHOTS / name).exists():
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, SCREENSHOTS / name)


def test_pictures_for_the_readme(
    showcase: tuple[Service, LLMServer], visit: Callable[..., Visit], tmp_path: Path
) -> None:
    service, server = showcase
    one = visit(service, height=760)
    page = one.ask("What was decided about the lease of the depot at Dunskerrow?")
    address = page.url
    page.locator(".answer .chip").first.click()
    page.wait_for_selector("#source mark.quote")
    page.mouse.move(0, 0)
    taken(page, "ask-light.png", tmp_path)
    dark = visit(service, height=760, color_scheme="dark").page
    dark.goto(address)
    dark.wait_for_selector("#source mark.quote")
    taken(dark, "ask-dark.png", tmp_path)
    taken(one.open("/documents"), "documents.png", tmp_path)
    page = one.open("/jobs/new")
    page.set_input_files("#file", ROOT / "examples" / "questions.jsonl")
    page.fill("[name=name]", "Questions of the week")
    page.select_option("[name=recipe]", "plain")  # there, what the LLM refuses has failed
    page.fill("[name=budget_usd]", "0.25")
    page.wait_for_selector("#estimate dl", timeout=30_000)
    server.script(*["ok"] * 3, "policy", "ok", "policy", "ok", "ok", "context")
    page.click("text=Start")
    page.wait_for_selector("tbody tr:nth-child(8)", timeout=90_000)
    page.wait_for_selector(".reasons li:nth-child(2)", timeout=90_000)
    assert "running" in page.inner_text(".state .badge")
    taken(page, "job-running.png", tmp_path)
