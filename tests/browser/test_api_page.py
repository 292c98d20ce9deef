"""The API page: every route is there and can be tried, with nothing from elsewhere (SPEC §12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authctl.server.http.routes import ROUTES
from tests.browser.accessibility import is_accessible
from tests.browser.chromium import until
from tests.browser.demo_page import DemoPage, Person
from tests.browser.layout import fits

if TYPE_CHECKING:
    from tests.browser.chromium import Tab
    from tests.browser.servers import Demo

pytestmark = pytest.mark.browser
ADA = Person()
KNOWN = {
    "color-contrast": "Swagger UI gives each method and the version a colour of its own, on which white is too light",
    "nested-interactive": "Swagger UI puts the button that copies a path inside the one that opens the operation",
}
"""Accessibility rules that Swagger UI breaks on its own, with the reason why they stay."""


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

    def authorize(self, token: str) -> None:
        """Gives it an access token."""
        self.tab.find("button.authorize").click()
        field = until(lambda: self.tab.find(".auth-container input"), "the page asks for a token")
        field.send_keys(token)
        self.tab.find(".auth-btn-wrapper button.authorize").click()
        until(lambda: self.tab.find(".auth-btn-wrapper button.btn-done"), "the token is taken").click()

    def try_out(self, operation: str) -> tuple[int, str]:
        """Opens an operation, sends it, and gives what came back."""
        block = f"#operations-{operation}"
        self.tab.find(f"{block} .opblock-summary-control").click()
        until(lambda: self.tab.find(f"{block} button.execute"), "the operation can be tried").click()
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


def test_a_request_is_answered_when_a_token_was_given(tab: Tab, shared_demo: Demo) -> None:
    demo = DemoPage(tab, shared_demo.url).open()
    person = ADA.called("tries")
    demo.register(person)
    token = demo.token
    assert token is not None
    tab.run("sessionStorage.clear()")
    page = ApiPage(tab, shared_demo.url)
    page.open()
    page.authorize(token)
    status, body = page.try_out("users-usersMe")
    assert status == 200
    assert person.email in body


def test_whoever_is_signed_in_on_the_demo_page_is_signed_in_here(tab: Tab, shared_demo: Demo) -> None:
    demo = DemoPage(tab, shared_demo.url).open()
    person = ADA.called("comes.over")
    demo.register(person)
    page = ApiPage(tab, shared_demo.url)
    page.open()
    until(lambda: person.email in tab.find("#session").text, "the page says who is signed in")
    assert page.try_out("users-usersMe")[0] == 200


def test_a_request_is_refused_when_no_token_was_given(api_page: ApiPage) -> None:
    api_page.tab.watch.expect(r"/users/me - Failed to load resource: .* 401 ")
    status, body = api_page.try_out("users-usersMe")
    assert status == 401
    assert "Not authenticated" in body


def test_the_page_is_accessible_but_for_what_is_known(api_page: ApiPage) -> None:
    for scheme, width in (("light", 1280), ("dark", 360)):
        api_page.tab.look(width, 900, scheme)
        api_page.tab.picture(f"api-{scheme}-{width}")
        assert fits(api_page.tab)
        assert is_accessible(api_page.tab, KNOWN)
