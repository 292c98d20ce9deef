"""Each thing that can go wrong in the browser or on the way to the service has its sentence, and the page goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.server.http.problems import STATUS_OF
from tests.browser.accessibility import is_accessible
from tests.browser.clocks import SKEW
from tests.browser.demo_page import DemoPage, Person
from tests.browser.said import ready_again, says

if TYPE_CHECKING:
    from tests.browser.chromium import Tab
    from tests.browser.servers import Demo

pytestmark = pytest.mark.browser
ADA = Person()
REFUSE = """
  const [kind, name, text, seconds] = arguments;
  CredentialsContainer.prototype[kind] = async () => {
    window.__ahead = seconds;
    throw name === "TypeError" ? new TypeError(text) : new DOMException(text, name);
  };
"""
"""The browser refuses a ceremony with this exception, after so many seconds."""
REFUSALS = [
    ("create", "AbortError", "aborted"),
    ("create", "InvalidStateError", "already-registered"),
    ("create", "NotSupportedError", "not-supported"),
    ("create", "ConstraintError", "no-verification"),
    ("create", "OperationError", "busy"),
    ("create", "TypeError", "unreadable-passkey"),
    ("create", "SecurityError", "not-secure"),
    ("create", "NotAllowedError", "cancelled"),
    ("get", "AbortError", "aborted"),
    ("get", "InvalidStateError", "busy"),
    ("get", "NotSupportedError", "not-supported"),
    ("get", "NotAllowedError", "cancelled"),
]
ANSWER = """
  const [status, slug] = arguments;
  window.fetch = async () => Response.json({type: `urn:authctl:problem:${slug}`, title: "No", instance: "0a1b"},
    {status, headers: {"Content-Type": "application/problem+json", "Retry-After": "7"}});
"""
STALLED = """
  const after = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = () => after(20);
  window.fetch = (path, {signal}) => new Promise((done, refuse) =>
    signal.addEventListener("abort", () => refuse(signal.reason)));
"""
AWAY = """
  const ask = window.fetch;
  window.fetch = (path, options) => sessionStorage.getItem("away") && path.startsWith("/users/me")
    ? Promise.reject(new TypeError("away")) : ask(path, options);
"""
"""The service does not answer questions about the person while the test says so."""
PROBLEMS = {
    {500: "internal", 503: "storage-unavailable"}.get(status, kind.slug): status for kind, status in STATUS_OF.items()
}


def refused(page: DemoPage, kind: str, name: str, text: str = "", seconds: float = 0) -> str:
    """Starts a ceremony that the browser refuses; gives the button that started it."""
    page.tab.run(REFUSE, kind, name, text, seconds)
    button = "#login-passkey" if kind == "get" else "#register-submit"
    if kind == "create":
        page.fill_in(ADA.called("refused"))
    page.click(button)
    return button


@pytest.mark.parametrize(("kind", "name", "code"), REFUSALS)
def test_a_refusal_of_the_browser_has_a_sentence(page: DemoPage, kind: str, name: str, code: str) -> None:
    button = refused(page, kind, name)
    says(page, code)
    ready_again(page, button)


def test_a_refusal_that_nobody_knows_is_told_by_its_name(page: DemoPage) -> None:
    refused(page, "get", "DataCloneError")
    assert "DataCloneError" in page.wait_for_message("unexpected").text


def test_the_page_says_where_to_click_when_another_window_is_in_front(page: DemoPage) -> None:
    refused(page, "get", "NotAllowedError", "The document is not focused.")
    says(page, "not-focused")


@pytest.mark.parametrize("kind", ["create", "get"])
def test_the_page_says_that_the_prompt_has_waited_when_it_ran_out(tab: Tab, shared_demo: Demo, kind: str) -> None:
    tab.before_scripts(SKEW)
    page = DemoPage(tab, shared_demo.url).open()
    button = refused(page, kind, "NotAllowedError", seconds=60)
    says(page, "timeout")
    ready_again(page, button)


def test_the_page_says_what_may_be_missing_before_the_browser_asks(page: DemoPage) -> None:
    """A password manager may keep the passkey all the same, so that this is no refusal."""
    page.tab.run("""
      PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable = async () => false;
      CredentialsContainer.prototype.create = () => new Promise(() => {});
    """)
    page.fill_in(ADA.called("no.place"))
    page.click("#register-submit")
    assert page.wait_for_message("no-authenticator").kind == "info"


def test_the_page_names_both_addresses_when_the_passkeys_are_those_of_another(page: DemoPage) -> None:
    page.tab.run("""
      const real = window.fetch;
      window.fetch = async (path, options) => {
        const begun = await (await real(path, options)).json();
        begun.publicKey.rpId = "login.example.com";
        return Response.json(begun);
      };
    """)
    page.click("#login-passkey")
    said = says(page, "not-secure")
    assert "login.example.com" in said.text
    assert "localhost" in said.text


def test_the_page_says_what_is_needed_when_its_address_is_not_secure(tab: Tab, shared_demo: Demo) -> None:
    tab.before_scripts("Object.defineProperty(window, 'isSecureContext', {value: false});")
    page = DemoPage(tab, shared_demo.url).open("unsupported")
    assert "https" in says(page, "not-secure").text
    assert page.tab.all("#message button") == []


def test_every_problem_of_the_service_is_told_in_a_sentence(page: DemoPage) -> None:
    for slug, status in PROBLEMS.items():
        page.tab.run(ANSWER, status, slug)
        page.click("#login-passkey")
        says(page, slug)
        ready_again(page, "#login-passkey")


def test_a_problem_that_nobody_knows_is_told_by_its_kind(page: DemoPage) -> None:
    page.tab.run(ANSWER, 502, "made-up")
    page.click("#login-passkey")
    assert "0a1b" in says(page, "internal").text


def test_the_page_says_so_when_something_else_answers(page: DemoPage) -> None:
    page.tab.run("window.fetch = async () => new Response('<p>Hotel', {headers: {'Content-Type': 'text/html'}})")
    page.click("#login-passkey")
    says(page, "foreign-answer")
    ready_again(page, "#login-passkey")


def test_the_page_says_so_when_the_service_does_not_answer(page: DemoPage) -> None:
    page.tab.run(STALLED)
    page.click("#login-passkey")
    says(page, "no-answer")
    ready_again(page, "#login-passkey")


@pytest.mark.parametrize(("is_allowed", "code"), [("true", "copied"), ("false", "copy-failed")])
def test_the_page_says_whether_the_token_was_copied(page: DemoPage, is_allowed: str, code: str) -> None:
    page.register(ADA.called(code))
    page.tab.run(f"""
      Object.defineProperty(navigator, "clipboard", {{value: {{
        writeText: async text => {{ if ({is_allowed}) window.__copied = text; else throw new Error("no"); }}}}}});
    """)
    page.click("#copy-token")
    page.wait_for_message(code)
    assert page.tab.run("return window.__copied ?? null") == (page.token if code == "copied" else None)


def test_a_message_gives_way_to_the_hint_when_it_is_closed(page: DemoPage) -> None:
    page.tab.run(STALLED)
    page.click("#login-passkey")
    says(page, "no-answer")
    page.click("#message button")
    assert page.message.code == "ready"
    assert page.tab.run("return document.activeElement.id") == "login-title"


def test_news_cover_nothing_any_more_when_somebody_goes_on(page: DemoPage) -> None:
    page.tab.look(360, 640)
    page.register(ADA.called("goes.on"))
    page.wait_for_passkeys(1)[0].rename("Laptop")
    top = "return document.getElementById('message').getBoundingClientRect().bottom"
    page.tab.run("scrollTo(0, document.body.scrollHeight)")
    assert page.tab.run(top) > 0
    page.click("summary")
    page.tab.run("scrollTo(0, document.body.scrollHeight)")
    assert page.tab.run(top) < 0
    assert "Laptop" in page.message.text


@pytest.fixture
def away(tab: Tab, shared_demo: Demo, request: pytest.FixtureRequest) -> DemoPage:
    """The page, opened again by somebody signed in while the service does not answer."""
    tab.before_scripts(SKEW)
    tab.before_scripts(AWAY)
    page = DemoPage(tab, shared_demo.url).open()
    page.register(ADA.called(f"away.{len(request.node.name)}"))
    page.tab.run("sessionStorage.setItem('away', 'yes')")
    page.open("loading")
    says(page, "offline")
    return page


def test_the_page_offers_to_try_again_when_the_service_is_away_at_its_opening(away: DemoPage) -> None:
    assert away.token
    assert is_accessible(away.tab)
    away.click("#retry")
    ready_again(away, "#retry")
    away.tab.run("sessionStorage.removeItem('away')")
    away.click("#retry")
    away.wait_for_state("signed-in")
    away.wait_for_passkeys(1)
    assert away.message.code == "logged-in"


def test_the_page_tries_again_by_itself_when_the_service_was_away_at_its_opening(away: DemoPage) -> None:
    away.tab.run("sessionStorage.removeItem('away'); window.__ahead = 60")
    away.wait_for_state("signed-in")
    away.wait_for_passkeys(1)


def test_somebody_can_log_out_when_the_service_is_away_at_the_opening(away: DemoPage) -> None:
    away.log_out()
    assert away.token is None
    assert away.tab.find("#login-passkey").is_displayed()
