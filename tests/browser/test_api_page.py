"""The API page: every route is there and can be tried, with nothing from elsewhere (SPEC §12)."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

import pytest

from authctl.server.http.routes import ROUTES
from tests.browser.accessibility import is_accessible
from tests.browser.chromium import until
from tests.browser.demo_page import DemoPage, Person
from tests.browser.layout import fits
from tests.browser.watch import answered

if TYPE_CHECKING:
    from tests.browser.chromium import Tab
    from tests.browser.servers import Demo

pytestmark = pytest.mark.browser
ADA = Person()
JUDGED = (("light", 1440), ("dark", 360))
"""Colours differ between light and dark and places between desk and phone: these two have all four."""


class ApiPage:
    """The page in a tab."""

    def __init__(self, tab: Tab, url: str) -> None:
        self.tab = tab
        self.url = url

    def open(self) -> None:
        """Opens it and waits until the description is drawn."""
        self.tab.go(f"{self.url}/docs")
        self.tab.wait("document.querySelector('.opblock')", "the operations are listed")

    @property
    def operations(self) -> set[tuple[str, str]]:
        """Method and path of everything that is listed."""
        listed = self.tab.run("""
          return [...document.querySelectorAll(".opblock")].map(block => [
            block.querySelector(".opblock-summary-method").innerText,
            block.querySelector("[data-path]").dataset.path]);
        """)
        return {(method, path) for method, path in listed}

    def ask_for_a_token(self) -> None:
        """Opens the dialog and waits until the field has the focus."""
        self.tab.find(".auth-wrapper button.authorize").click()
        self.tab.wait("document.activeElement.matches('.auth-container input')", "the page asks for a token")

    def authorize(self, token: str) -> None:
        """Gives it an access token."""
        self.ask_for_a_token()
        self.tab.find(".auth-container input").send_keys(token)
        self.tab.find(".auth-btn-wrapper button.authorize").click()
        until(lambda: self.tab.find(".auth-btn-wrapper button:not(.authorize, .btn-done)"), "the token is taken")
        self.tab.find(".auth-btn-wrapper .btn-done").click()

    def log_out(self) -> None:
        """Takes the token away again."""
        self.tab.find(".auth-wrapper button.authorize").click()
        until(lambda: self.tab.find(".auth-btn-wrapper button:not(.authorize, .btn-done)"), "it can be taken").click()
        self.tab.find(".auth-btn-wrapper .btn-done").click()

    def wait_until_it_says(self, words: str) -> str:
        """What stands at the top, once these words are in it."""
        said = "document.getElementById('session').textContent"
        self.tab.wait(f"{said}.includes(given[0])", f"the page says {words}", words)
        return self.tab.find("#session").text

    def unfold(self, operation: str) -> None:
        """Opens an operation."""
        block = f"#operations-{operation}"
        self.tab.find(f"{block} .opblock-summary-control").click()
        until(lambda: self.tab.find(f"{block} button.execute"), "the operation can be tried")

    def try_out(self, operation: str) -> tuple[int, str]:
        """Opens an operation, sends it, and gives what came back."""
        block = f"#operations-{operation}"
        self.unfold(operation)
        self.tab.find(f"{block} button.execute").click()
        answer = f"{block} .live-responses-table tr.response"
        status = until(lambda: self.tab.find(f"{answer} .response-col_status"), "an answer came")
        body = self.tab.find(f"{answer} .response-col_description")
        return int(status.text.split()[0]), body.text


@pytest.fixture
def api_page(tab: Tab, shared_demo: Demo) -> ApiPage:
    """The API page in a new tab."""
    page = ApiPage(tab, shared_demo.url)
    page.open()
    return page


def test_every_route_is_listed_and_nothing_comes_from_elsewhere(api_page: ApiPage) -> None:
    assert api_page.operations == {(route.method, route.path) for route in ROUTES}
    loaded = api_page.tab.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert len(loaded) >= 4
    assert all(name.startswith((f"{api_page.url}/", "data:")) for name in loaded), loaded


@pytest.fixture
def signed_in(tab: Tab, shared_demo: Demo) -> tuple[Person, ApiPage]:
    """Somebody who has registered on the demo page, and the API page, which is not open yet."""
    person = ADA.called(f"ada-{token_hex(4)}")
    DemoPage(tab, shared_demo.url).open().register(person)
    return person, ApiPage(tab, shared_demo.url)


def token_of(tab: Tab) -> str:
    """Takes the token out of the tab, as somebody does who pastes it elsewhere."""
    token: str = tab.run("const token = sessionStorage.getItem('webauthn_jwt'); sessionStorage.clear(); return token;")
    assert token
    return token


@pytest.mark.parametrize("before", ["", "Bearer ", "authorization: bearer  "])
def test_a_request_is_answered_when_a_token_was_given(signed_in: tuple[Person, ApiPage], before: str) -> None:
    person, page = signed_in
    token = token_of(page.tab)
    page.open()
    page.authorize(f"{before}{token} ")
    said = page.wait_until_it_says("given to Authorize")
    assert said.startswith(f"Signed in as {person.email} (user) until ")
    status, body = page.try_out("users-usersMe")
    assert status == 200
    assert person.email in body


def test_whoever_is_signed_in_on_the_demo_page_is_signed_in_here(signed_in: tuple[Person, ApiPage]) -> None:
    person, page = signed_in
    page.open()
    assert person.email in page.wait_until_it_says("with the token of the demo page")
    assert page.try_out("users-usersMe")[0] == 200


def test_the_link_to_the_demo_page_leads_there_and_back_in_the_same_tab(api_page: ApiPage) -> None:
    tab, person = api_page.tab, ADA.called("goes.and.returns")
    tabs = len(tab.browser.window_handles)
    tab.find('.info a[href="./"]').click()
    demo = DemoPage(tab, api_page.url)
    demo.wait_for_state("signed-out")
    assert len(tab.browser.window_handles) == tabs
    demo.register(person)
    tab.find('nav a[href="/docs"]').click()
    assert person.email in api_page.wait_until_it_says("Signed in as")


def test_the_page_says_so_when_its_token_was_taken_away(signed_in: tuple[Person, ApiPage]) -> None:
    _, page = signed_in
    page.tab.watch.expect(answered(401, "/users/me"))
    page.open()
    page.wait_until_it_says("Signed in as")
    page.log_out()
    page.wait_until_it_says("without a token now")
    assert page.try_out("users-usersMe")[0] == 401


def test_the_page_says_so_when_what_was_given_is_no_token(api_page: ApiPage) -> None:
    api_page.authorize("open sesame")
    api_page.wait_until_it_says("no access token of this service")
    api_page.log_out()
    api_page.wait_until_it_says("log in on the demo page or give a token")


def test_the_page_says_so_when_the_time_of_its_token_is_over(signed_in: tuple[Person, ApiPage]) -> None:
    _, page = signed_in
    page.tab.before_scripts("""
      const now = Date.now, {setTimeout} = window;
      window.setTimeout = (work, wait, ...given) => setTimeout(work, wait > 60_000 ? 0 : wait, ...given);
      document.addEventListener("DOMContentLoaded", () =>
        setTimeout(() => Date.now = () => now.call(Date) + 7_200_000, 0), {once: true});
    """)
    page.open()
    page.wait_until_it_says("has expired")


def test_a_log_out_on_the_demo_page_of_another_tab_counts_here(signed_in: tuple[Person, ApiPage]) -> None:
    _, page = signed_in
    page.open()
    page.wait_until_it_says("Signed in as")
    page.tab.run("""
      const userId = sessionStorage.getItem("webauthn_user_id");
      const other = new BroadcastChannel("authctl");
      other.postMessage({event: "logged-out", userId: "somebody-else"});
      other.postMessage({event: "passkeys", userId});
      other.postMessage({event: "logged-out", userId});
    """)
    page.wait_until_it_says("You have logged out on the demo page")
    assert page.tab.run("return sessionStorage.length") == 0
    page.open()
    page.wait_until_it_says("For what wants a login")


def test_a_request_is_refused_when_no_token_was_given(api_page: ApiPage) -> None:
    api_page.tab.watch.expect(answered(401, "/users/me"))
    status, body = api_page.try_out("users-usersMe")
    assert status == 401
    assert "Not authenticated" in body


def judge(page: ApiPage, state: str) -> None:
    """Looks at one state, light and dark, on a desk and on a phone."""
    for scheme, width in (("light", 1440), ("dark", 360), ("dark", 1440), ("light", 360)):
        page.tab.look(width, 900, scheme)
        page.tab.picture(f"api-{state}-{scheme}-{width}")
        assert fits(page.tab)
        if (scheme, width) in JUDGED:
            assert is_accessible(page.tab)
    page.tab.look()


def test_the_page_is_accessible(api_page: ApiPage) -> None:
    judge(api_page, "closed")


def test_the_page_is_accessible_when_operations_are_open(api_page: ApiPage) -> None:
    """Each kind of parameter and method, and an answer that came."""
    for operation in ("credentials-credentialsRename", "audit-auditEvents", "users-usersMe"):
        api_page.unfold(operation)
    api_page.tab.watch.expect(answered(401, "/users/me"))
    api_page.tab.find("#operations-users-usersMe button.execute").click()
    until(lambda: api_page.tab.find(".live-responses-table .microlight"), "an answer came")
    judge(api_page, "open")


def test_the_page_is_accessible_when_schemas_are_shown(api_page: ApiPage) -> None:
    api_page.unfold("login-loginComplete")
    for tab in api_page.tab.all('#operations-login-loginComplete [data-name="model"]'):
        tab.click()
    api_page.tab.find(".models-control").click()
    judge(api_page, "schemas")


def test_the_dialog_is_accessible_and_closes_by_escape(api_page: ApiPage) -> None:
    api_page.ask_for_a_token()
    judge(api_page, "authorize")
    api_page.tab.browser.switch_to.active_element.send_keys("\ue00c")
    api_page.tab.wait("document.querySelector('.modal-ux') === null", "the dialog is closed")
    assert api_page.tab.run("return document.activeElement.matches('.auth-wrapper button.authorize')")
    api_page.authorize("open sesame")
    api_page.tab.find(".auth-wrapper button.authorize").click()
    until(lambda: api_page.tab.find(".auth-btn-wrapper button"), "the dialog is open")
    judge(api_page, "authorized")


LOOK = """
  const {left, width} = document.querySelector("header").getBoundingClientRect();
  const {fontFamily, color, backgroundColor} = getComputedStyle(document.body);
  return [left, width, fontFamily, color, backgroundColor];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_looks_like_the_demo_page(tab: Tab, shared_demo: Demo, scheme: str) -> None:
    tab.look(1440, 900, scheme)
    DemoPage(tab, shared_demo.url).open()
    theirs = tab.run(LOOK)
    ApiPage(tab, shared_demo.url).open()
    assert tab.run(LOOK) == theirs
    widths = tab.run("return [...document.querySelectorAll('#api .wrapper')].map(box => box.offsetWidth)")
    assert max(widths) == theirs[1]
