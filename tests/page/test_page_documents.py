"""Documents in a real browser: upload, watch, view, delete."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.page.conftest import Visit
from tests.workers.conftest import Service

pytestmark = pytest.mark.slow
TWO = [
    {"name": "harbour.md", "mimeType": "text/markdown", "buffer": b"# Harbour\n\nIt opens at six."},
    {"name": "quay.txt", "mimeType": "text/plain", "buffer": b"The quay is made of granite."},
]


def test_files_are_uploaded_watched_and_listed(site: Service, visit: Callable[..., Visit]) -> None:
    page = visit(site).open("/documents?collection=harbour")
    assert "No documents in harbour" in page.inner_text("main")
    page.set_input_files("#files", TWO)  # type: ignore[arg-type]
    assert "harbour.md, quay.txt" in page.inner_text("output")
    page.click("text=Add to harbour")
    page.wait_for_selector("table >> text=quay.txt", timeout=60_000)  # the page reloads itself
    page.wait_for_selector(".watch .badge:has-text('completed')")
    assert "2 documents" in page.inner_text("main")
    page.click("text=See what became of each file")
    page.wait_for_selector("table >> text=quay.txt")
    assert page.locator("tbody .badge", has_text="indexed").count() == 2


def test_files_can_be_dropped(site: Service, visit: Callable[..., Visit]) -> None:
    page = visit(site).open("/documents/dropped")
    data = page.evaluate_handle(
        """() => { const data = new DataTransfer();
        data.items.add(new File(['The pier is long.'], 'pier.txt'));
        data.items.add(new File(['The mast is tall.'], 'mast.txt')); return data }"""
    )
    page.dispatch_event("form.drop", "dragover", {"dataTransfer": data})
    assert "over-it" in (page.get_attribute("form.drop", "class") or "")
    page.dispatch_event("form.drop", "drop", {"dataTransfer": data})
    assert page.inner_text("output") == "pier.txt, mast.txt"
    page.click("text=Add to dropped")
    page.wait_for_selector("table >> text=mast.txt", timeout=60_000)


def test_a_file_that_cannot_be_read_says_why(site: Service, visit: Callable[..., Visit]) -> None:
    page = visit(site).open("/documents/broken")
    bad = {"name": "bad.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 nothing"}
    page.set_input_files("#files", [bad])  # type: ignore[list-item]
    page.click("text=Add to broken")
    page.wait_for_selector(".watch .badge:has-text('with errors')", timeout=60_000)
    for _ in range(3):  # what is watched is drawn anew, and a click may fall between
        page.click("text=See what became of each file")
        page.wait_for_timeout(1_000)
        if page.query_selector(".reasons") is not None:
            break
    assert "1 ×" in page.inner_text(".reasons") and "bad.pdf" in page.inner_text("table")


def test_a_document_is_shown_and_deleted_after_asking(
    site: Service, visit: Callable[..., Visit]
) -> None:
    job = site.upload("/v1/collections/papers/documents", {"a/ü 1%.md": b"# Title\n\nWords."})
    site.ended(job.json["id"])
    page = visit(site).open("/documents/papers")
    page.click("tbody a")
    page.wait_for_selector(".text.whole")
    assert "Words." in page.inner_text(".text.whole") and page.inner_text("h1") == "Title"
    page.go_back()
    page.click("summary:has-text('Delete')")
    assert page.locator("tbody tr").count() == 1  # nothing happens before it is confirmed
    page.click("text=Delete it")
    page.wait_for_selector("text=No documents in papers")
    assert site.get("/v1/collections/papers/documents").json["data"] == []
