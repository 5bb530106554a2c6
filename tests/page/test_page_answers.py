"""Ask in a real browser: the answer, its sources lit, the trace, an honest abstention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.conftest import ASKED, UNANSWERABLE, quoted_by
from tests.llm_server import LLMServer
from tests.page.conftest import Visit
from tests.workers.conftest import Service

pytestmark = pytest.mark.slow
QUOTE = "Goods may be returned within 30 days of delivery."
IN_VIEW = """one => { const a = one.getBoundingClientRect(),
  b = document.getElementById('source').getBoundingClientRect();
  return a.top >= b.top && a.bottom <= b.bottom && a.top >= 0 && a.bottom <= innerHeight }"""


def test_a_click_on_a_citation_lights_the_very_words(
    site: Service, visit: Callable[..., Visit]
) -> None:
    page = visit(site).ask(ASKED)
    assert page.inner_text("h1") == ASKED
    sentence = page.locator(".answer .sentence")
    assert "Supported" in sentence.inner_text() and sentence.locator("svg").count()
    page.locator("#source").evaluate("pane => pane.replaceChildren()")
    page.click(".answer a.chip")
    quote = page.locator("#source mark.quote")
    quote.wait_for()
    assert quote.inner_text() == QUOTE and quote.evaluate(IN_VIEW)
    around = page.locator("#source mark.passage").first.inner_text()
    assert "Opened software cannot be returned." in around
    assert "Refunds are paid" in page.inner_text("#source .text")
    assert colour(page, "mark.quote") != colour(page, "mark.passage")
    assert page.locator(".answer a.chip").get_attribute("aria-current") == "true"


def colour(page: Page, selector: str) -> Any:
    script = "one => getComputedStyle(one).backgroundColor"
    return page.locator(selector).first.evaluate(script)


def test_a_citation_of_a_table_shows_its_row(site: Service, visit: Callable[..., Visit]) -> None:
    page = visit(site).ask("What is the price of the lantern?")
    page.click(".answer a.chip")
    lit = page.locator("#source tr.lit")
    lit.wait_for()
    assert lit.count() == 1 and "lantern" in lit.inner_text() and "8.75" in lit.inner_text()
    assert "anvil" in page.inner_text("#source table")
    assert "lantern" in page.inner_text("#source mark.quote")


def test_a_source_has_an_address_and_needs_no_script(
    site: Service, visit: Callable[..., Visit]
) -> None:
    address = visit(site).ask(ASKED).url
    page = visit(site, java_script_enabled=False).page
    page.goto(f"{address.partition('?')[0]}?cite=1#source")
    assert page.inner_text("mark.quote") == QUOTE


def test_asking_works_without_a_script(site: Service, visit: Callable[..., Visit]) -> None:
    page = visit(site, java_script_enabled=False).ask(ASKED)
    assert QUOTE.rstrip(".") in page.inner_text(".answer")


def test_an_abstention_says_so_and_shows_the_nearest_evidence(
    site: Service, visit: Callable[..., Visit]
) -> None:
    page = visit(site).ask(UNANSWERABLE)
    assert "do not carry an answer" in page.inner_text(".abstained")
    assert not page.locator(".answer, mark.quote").count()
    page.locator(".places a").last.click()
    page.wait_for_selector(".places li:last-child a[aria-current]")
    assert page.locator("#source mark.passage").count() == 1


def test_receipt_and_trace_say_what_it_took(site: Service, visit: Callable[..., Visit]) -> None:
    asked = "Within how many days after delivery may goods be returned?"
    page = visit(site).ask(asked)  # asked nowhere else: a reply paid before costs nothing
    receipt = page.inner_text("dl.receipt")
    assert "LLM calls" in receipt and "100 in, 20 out" in receipt and "Likely right" in receipt
    steps = page.locator(".bars summary")
    names = [text.split("\n")[0].strip() for text in steps.all_inner_texts()]
    assert {"bm25", "dense", "render", "extract", "cite"} <= set(names)
    assert all(" ms" in text for text in steps.all_inner_texts())
    bars = page.locator(".bars summary rect").evaluate_all(
        "all => all.map(one => [+one.getAttribute('x'), +one.getAttribute('width')])"
    )
    assert all(x >= 0 and width > 0 and x + width <= 1001 for x, width in bars)
    page.locator(".bars details", has_text="100 + 20").locator("summary").click()
    assert "openai/test-model" in page.inner_text(".bars details[open]")


def test_a_question_that_cannot_be_asked_keeps_its_words(
    site: Service, visit: Callable[..., Visit]
) -> None:
    one = visit(site)
    one.allowed.add(422)
    page = one.open("/")
    page.eval_on_selector("select[name=recipe]", "one => { one.options[0].value = 'nonsense' }")
    page.fill("#question", ASKED)
    page.keyboard.press("Enter")  # sends, as the button does
    page.wait_for_selector(".problem")
    assert "nonsense" in page.inner_text(".problem") and page.input_value("#question") == ASKED


def test_words_in_questions_and_documents_are_never_markup(
    site: Service, visit: Callable[..., Visit]
) -> None:
    evil = "<img src=x onerror=alert(1)> <b>returned</b> goods?"
    page = visit(site).ask(evil)
    assert page.inner_text("h1") == evil and not page.locator("main img").count()
    site.upload("/v1/collections/evil/documents", {"<i>e.md": b"# <script>x()</script>\n\nText."})
    page = visit(site).open("/documents/evil")
    page.wait_for_timeout(200)
    assert not page.locator("main script, main i").count()


def test_the_words_of_an_answer_whose_document_went_are_not_shown(
    site: Service, visit: Callable[..., Visit]
) -> None:
    files = {"gate.md": b"# Gate\n\nThe north gate is painted violet every spring."}
    job = site.upload("/v1/collections/gates/documents", files).json["id"]
    site.ended(job)
    asked = {"question": "What colour is the north gate painted?", "collection": "gates"}
    made = site.post("/v1/answers", asked).json
    assert made["status"] == "answered", made
    site("DELETE", "/v1/collections/gates/documents/gate.md")
    page = visit(site).open(f"/answers/{made['job']}/0")
    assert "violet" not in page.content()


def test_a_contradicted_answer_is_held_back_and_shows_the_words_that_deny_it(
    site: Service, site_llm: LLMServer, visit: Callable[..., Visit]
) -> None:
    said = "Goods are returned within 90 weeks of the order by courier."
    site_llm.respond = lambda messages: said
    try:
        asked = {"question": "May goods be sent back, and until when?", "effort": 1}
        made = site.post("/v1/answers", asked).json
    finally:
        site_llm.respond = quoted_by
    page = visit(site).open(f"/answers/{made['job']}/0")
    assert "contradicted by the documents: see source 1" in page.inner_text(".abstained")
    (denied,) = [flaw for flaw in made["flaws"] if flaw["kind"] == "contradicted"]
    assert page.inner_text("#source mark.quote") == denied["evidence"]["quote"]
