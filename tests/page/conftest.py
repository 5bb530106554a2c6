"""The page in a real headless Chromium, on a real service with its workers inline.

Each visit fails on what a careful site never does: an error in the console, a broken policy, a
request to another host. Not here: the API below it (tests/workers).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import Pilotfish, quoted_by
from tests.llm_server import LLMServer
from tests.workers.conftest import Service, serving

# What a browser calls a control has, for those who cannot see it.
UNNAMED = """() => [...document.querySelectorAll(
  'a[href], button, input:not([type=hidden]), select, textarea, summary' +
  ', [role=img], [role=region]')]
  .filter(one => one.checkVisibility())
  .filter(one => !(one.getAttribute('aria-label') || '').trim()
    && ![...(one.labels || [])].some(label => label.textContent.trim())
    && !((one.matches('a, button, summary')) && one.textContent.trim()))
  .map(one => one.outerHTML.slice(0, 120))"""
WATCH = """document.addEventListener('securitypolicyviolation',
  event => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))"""


@dataclass
class Visit:
    """One browser on one service. `allowed`: HTTP errors that the test is about."""

    page: Page
    service: Service
    allowed: set[int] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.service.port}"

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def listen(self) -> None:
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _said(self, kind: str, text: str) -> None:
        expected = any(f"status of {status}" in text for status in self.allowed)
        if kind in {"error", "warning"} and not expected:
            self.problems.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.base + "/", "blob:" + self.base)):
            self.problems.append(f"a request to {url}")

    def ask(self, question: str) -> Page:
        """Ask on the page and wait for the answer's own page."""
        page = self.open("/")
        page.fill("#question", question)
        page.click("form.ask button.main")
        page.wait_for_url("**/answers/**", timeout=60_000)
        page.wait_for_selector("dl.receipt, .problem", timeout=60_000)
        return page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One headless Chromium a file; each test gets a profile of its own.

    Not for the session: playwright's event loop would be met by tests that start another.
    """
    path = shutil.which("chromium")
    assert path, "no chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """`visit(service, width=..., color_scheme=...)`; what went wrong there fails the test."""
    made: list[Visit] = []

    def begin(service: Service, width: int = 1280, height: int = 800, **options: Any) -> Visit:
        size: Any = {"width": width, "height": height}
        context = chromium.new_context(viewport=size, accept_downloads=True, **options)
        context.add_init_script(WATCH)
        one = Visit(context.new_page(), service)
        one.listen()
        made.append(one)
        return one

    yield begin
    for one in made:
        one.page.context.close()
    assert not [problem for one in made for problem in one.problems]


@pytest.fixture(scope="session")
def site_llm() -> Iterator[LLMServer]:
    """The LLM of the shared site."""
    with LLMServer(respond=quoted_by) as server:
        yield server


@pytest.fixture(scope="session")
def site(
    pristine: Path, site_llm: LLMServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service without keys, for tests that only add to it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(pristine, folder / "workspace")
    pilotfish = Pilotfish(folder, folder / "workspace").asking(site_llm)
    with serving(pilotfish, folder) as service:
        yield service


@pytest.fixture(scope="session")
def locked(
    pristine: Path, site_llm: LLMServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service with keys; asked with one of the local tenant."""
    folder = tmp_path_factory.mktemp("locked")
    shutil.copytree(pristine, folder / "workspace")
    pilotfish = Pilotfish(folder, folder / "workspace").asking(site_llm)
    with serving(pilotfish, folder) as service:
        yield service.made_key()
