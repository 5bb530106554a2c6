"""Who may see the page: keys in a cookie, forged forms, headers; at the wire and in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.conftest import ASKED
from tests.page.conftest import Visit
from tests.workers.conftest import Reply, Service

pytestmark = pytest.mark.slow
PAGES = ("/", "/documents", "/documents/default", "/jobs", "/jobs/new", "/usage", "/answers/j/0",
         "/jobs/j", "/jobs/j/live", "/jobs/j/events", "/jobs/j/results")  # fmt: skip


def form(
    service: Service, path: str, fields: dict[str, str], cookie: str = "", **headers: str
) -> Reply:
    """A form as a browser sends it."""
    own = {"origin": f"http://{service.host}:{service.port}", "cookie": cookie}
    kind = "application/x-www-form-urlencoded"
    sent = {name: value for name, value in (own | headers).items() if value}
    return service("POST", path, raw=urlencode(fields).encode(), content_type=kind, **sent)


def token_of(service: Service, cookie: str) -> str:
    page = service.get("/usage", cookie=cookie) if cookie else service.get("/login")
    found = re.search(r"\?token=([0-9a-f]+)", page.body.decode())
    assert found, page.body
    return found.group(1)


@pytest.mark.parametrize("path", PAGES)
def test_without_a_key_every_page_leads_to_the_login(locked: Service, path: str) -> None:
    reply = locked.having(None).get(path)
    assert reply.status == 303 and reply.headers["location"].startswith("/login?next=/")


def test_a_key_lets_in_and_out_again(locked: Service, visit: Callable[..., Visit]) -> None:
    one = visit(locked)
    one.allowed.add(401)
    page = one.open("/jobs")
    assert "/login" in page.url
    page.fill("[name=key]", "pf-wrong")
    page.click("button.main")
    page.wait_for_selector(".problem")
    page.fill("[name=key]", str(locked.key))
    page.click("button.main")
    page.wait_for_url(one.base + "/jobs")
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert not page.evaluate("document.cookie")
    assert one.ask(ASKED).locator(".answer").count()
    page.click("text=Sign out")
    page.wait_for_url("**/login")
    assert not page.context.cookies() and "/login" in one.open("/usage").url


def test_the_cookie_is_worth_nothing_on_the_api(locked: Service) -> None:
    cookie = f"pilotfish_key={locked.key}"
    assert locked.having(None).get("/jobs", cookie=cookie).status == 200
    for path in ("/v1/jobs", "/v1/collections", "/v1/usage"):
        assert locked.having(None).get(path, cookie=cookie).status == 401


@pytest.mark.parametrize("headers", [
    {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": ""},
    {"origin": "", "sec_fetch_site": "cross-site"},
])  # fmt: skip
def test_a_form_of_another_site_is_refused(locked: Service, headers: dict[str, str]) -> None:
    nobody, cookie = locked.having(None), f"pilotfish_key={locked.key}"
    path = f"/ask?token={token_of(nobody, cookie)}"
    assert form(nobody, path, {"question": ASKED}, cookie, **headers).status == 403
    assert form(nobody, path, {"question": ASKED}, cookie).status == 303


def test_a_form_needs_the_token_of_its_own_key(locked: Service) -> None:
    nobody, cookie = locked.having(None), f"pilotfish_key={locked.key}"
    other = token_of(nobody, f"pilotfish_key={locked.made_key('other').key}")
    for path in ("/ask", "/ask?token=", f"/ask?token={other}", "/ask?token=é"):
        reply = form(nobody, path.replace("é", "%C3%A9"), {"question": ASKED}, cookie)
        assert reply.status == 403 and b"out of date" in reply.body


def test_the_login_leads_to_our_own_pages_only(locked: Service) -> None:
    nobody = locked.having(None)
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "/a\r\nx: y", ""):
        path = f"/login?token={token_of(nobody, '')}"
        reply = form(nobody, path, {"key": str(locked.key), "next": target})
        assert (reply.status, reply.headers["location"]) == (303, "/")


def test_a_large_login_is_refused(locked: Service) -> None:
    nobody = locked.having(None)
    path = f"/login?token={token_of(nobody, '')}"
    assert form(nobody, path, {"key": "x" * 20_000}).status == 413


def test_another_tenant_sees_nothing_of_it(locked: Service) -> None:
    job = locked.post("/v1/answers", {"question": ASKED}).json["job"]
    other = f"pilotfish_key={locked.made_key('stranger').key}"
    nobody = locked.having(None)
    for path in (f"/answers/{job}/0", f"/answers/{job}/0/source/1", f"/jobs/{job}",
                 f"/jobs/{job}/live", f"/jobs/{job}/events", f"/jobs/{job}/results",
                 "/documents/default/view/docs/returns.md"):  # fmt: skip
        reply = nobody.get(path, cookie=other)
        assert reply.status == 404 and b"returned" not in reply.body
    path = f"/jobs/{job}/cancel?token={token_of(nobody, other)}"
    assert form(nobody, path, {}, other).status == 404


def test_every_page_has_a_strict_policy_and_is_not_kept(site: Service) -> None:
    for path in ("/", "/documents/default", "/jobs", "/jobs/new", "/usage", "/login", "/jobs/no"):
        headers = site.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["cache-control"] == "no-store" and headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"


def test_errors_are_pages_for_people_and_json_for_the_script(site: Service) -> None:
    reply = site.get("/jobs/job_none")
    assert reply.status == 404 and reply.headers["content-type"].startswith("text/html")
    assert b"Back to Ask" in reply.body and reply.headers["x-request-id"].startswith("req_")
    assert site.get("/jobs/job_none", x_fragment="1").error["code"] == "not_found"
    assert site.get("/v1/jobs/job_none").error["code"] == "not_found"


@pytest.mark.parametrize("path", ["/static/../shown.py", "/static/%2e%2e/shown.py",
                                  "/static/x", "/static/page.html", "/answers/x/-1",
                                  "/answers/x/y"])  # fmt: skip
def test_odd_addresses_find_nothing(site: Service, path: str) -> None:
    assert site.get(path).status in {404, 422}
