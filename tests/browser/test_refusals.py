"""Whatever a browser or the server refuses, the page says in a sentence what to do, and goes on (SPEC §12)."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import until
from tests.browser.demo_page import DemoPage, Person
from tests.browser.said import WORDS_OF_MACHINES, ready_again, says
from tests.browser.servers import Demo
from tests.browser.watch import answered

if TYPE_CHECKING:
    from tests.browser.chromium import Tab

pytestmark = pytest.mark.browser
ADA = Person()
HURRIED = """
  for (const name of ["create", "get"]) {
    const real = CredentialsContainer.prototype[name];
    CredentialsContainer.prototype[name] = function (options) {
      if (options.mediation !== "conditional") options.publicKey.timeout = 300;
      return real.call(this, options);
    };
  }
"""
"""A person who does not come costs a test 0.3 seconds and not a minute."""


@pytest.fixture
def hurried(tab: Tab, shared_demo: Demo) -> DemoPage:
    """The page in a browser that does not wait long for people."""
    tab.before_scripts(HURRIED)
    return DemoPage(tab, shared_demo.url).open()


def test_registration_can_be_tried_again_when_nobody_came_to_the_prompt(hurried: DemoPage) -> None:
    person = ADA.called("nobody.came")
    hurried.fill_in(person)
    hurried.click("#register-submit")
    says(hurried, "cancelled")
    ready_again(hurried, "#register-submit")
    assert hurried.tab.find("#first_name").get_property("value") == "Ada"
    hurried.register(person)


def test_a_login_can_be_tried_again_when_nobody_came_to_the_prompt(hurried: DemoPage) -> None:
    person = ADA.called("nobody.came.back")
    hurried.register(person)
    hurried.log_out()
    hurried.type("#login-email", person.email)
    hurried.click("#login-submit")
    says(hurried, "cancelled")
    ready_again(hurried, "#login-submit")
    hurried.log_in(person.email)


def test_registration_is_refused_when_the_authenticator_cannot_verify_anybody(page: DemoPage) -> None:
    page.authenticator.verifies(is_user=False)
    page.fill_in(ADA.called("unverified"))
    with page.authenticator.touched():
        page.click("#register-submit")
        says(page, "cancelled")
    ready_again(page, "#register-submit")
    assert page.authenticator.passkeys() == []


def test_a_login_is_refused_when_the_person_is_not_recognised(page: DemoPage) -> None:
    person = ADA.called("not.recognised")
    page.register(person)
    page.log_out()
    page.authenticator.verifies(is_user=False)
    page.type("#login-email", person.email)
    with page.authenticator.touched():
        page.click("#login-submit")
        says(page, "cancelled")
    page.authenticator.verifies(is_user=True)
    page.log_in(person.email)


def test_an_e_mail_in_use_is_refused_in_the_same_words_as_everything_else(page: DemoPage) -> None:
    """R-EN: the page cannot tell more than the server does."""
    person = ADA.called("twice")
    page.register(person)
    page.log_out()
    page.authenticator.replace()
    page.fill_in(person)
    page.tab.watch.expect(answered(400, "/register/complete"))
    with page.authenticator.touched():
        page.click("#register-submit")
        says(page, "registration-failed")
    ready_again(page, "#register-submit")


def test_a_login_fails_in_general_words_when_the_passkey_is_not_known(page: DemoPage) -> None:
    person = ADA.called("forgotten")
    page.register(person)
    page.log_out()
    kept = page.authenticator.passkeys()[0]
    page.authenticator.forget()
    page.authenticator.put({**kept, "userHandle": b64encode(b"somebody else").decode()})
    page.tab.watch.expect(answered(401, "/login/complete"))
    with page.authenticator.touched():
        page.click("#login-passkey")
        says(page, "login-failed")
    ready_again(page, "#login-passkey")


def test_somebody_unknown_gets_an_answer_that_does_not_tell_them_so(page: DemoPage) -> None:
    page.type("#login-email", "nobody@example.com")
    with page.authenticator.touched():
        page.click("#login-submit")
        said = says(page, "cancelled")
    assert "unknown" not in said.text
    ready_again(page, "#login-submit")


def test_the_page_says_what_is_missing_when_there_is_no_authenticator(hurried: DemoPage) -> None:
    hurried.authenticator.remove()
    hurried.open()
    hurried.fill_in(ADA.called("no.device"))
    hurried.click("#register-submit")
    hurried.tab.wait("document.getElementById('message').dataset.kind === 'error'", "the page says what is missing")
    says(hurried, "no-authenticator")
    ready_again(hurried, "#register-submit")


def test_the_fields_say_what_is_wrong_when_they_are_empty(page: DemoPage) -> None:
    page.click("#show-register")
    page.click("#register-submit")
    until(lambda: len(page.problems) == 5, "every field says what is wrong")
    assert all(page.problems.values())
    assert page.tab.run("return document.activeElement.id") == "first_name"


def test_the_field_says_what_is_wrong_when_only_the_server_knows(page: DemoPage) -> None:
    page.tab.watch.expect(answered(422, "/register/begin"))
    page.fill_in(Person(email="ada@invalid", first_name="Ada\u202e"))
    page.click("#register-submit")
    until(lambda: {"email", "first_name"} <= page.problems.keys(), "both fields say what is wrong")
    assert all(page.problems.values())
    says(page, "invalid-request")
    page.type("#first_name", "Ada")
    page.type("#email", ADA.called("put.right").email)
    with page.authenticator.touched():
        page.click("#register-submit")
        page.wait_for_state("signed-in")
    assert page.problems == {}


def test_the_page_says_how_long_to_wait_when_the_server_has_had_enough(tab: Tab) -> None:
    with Demo(rate_limits="on", rate_limit_begins_per_source_per_minute=2) as demo:
        page = DemoPage(tab, demo.url).open()
        tab.watch.expect(answered(429, "/login/begin"))
        for _ in range(3):
            page.type("#login-email", "nobody@example.com")
            with page.authenticator.touched():
                page.click("#login-submit")
                ready_again(page, "#login-submit")
            if page.message.code == "rate-limited":
                break
        assert re.search(r"\d+ (second|minute)|a minute", says(page, "rate-limited").text)


def test_the_page_sends_people_to_the_right_address_when_they_came_by_the_number(tab: Tab, shared_demo: Demo) -> None:
    """WebAuthn takes localhost for secure and 127.0.0.1 for no domain."""
    page = DemoPage(tab, shared_demo.url.replace("localhost", "127.0.0.1"))
    tab.go(page.url)
    until(lambda: page.state in {"signed-out", "unsupported"}, "the page is ready")
    if page.state == "signed-out":
        page.fill_in(ADA.called("by.number"))
        page.click("#register-submit")
    said = says(page, "not-secure")
    assert "localhost" in said.text


@pytest.mark.parametrize(
    "missing",
    [
        "PublicKeyCredential.parseCreationOptionsFromJSON",
        "PublicKeyCredential.parseRequestOptionsFromJSON",
        "PublicKeyCredential.prototype.toJSON",
        "window.PublicKeyCredential",
    ],
)
def test_the_page_says_what_is_needed_when_the_browser_is_too_old(tab: Tab, shared_demo: Demo, missing: str) -> None:
    tab.before_scripts(f"delete {missing};")
    page = DemoPage(tab, shared_demo.url).open("unsupported")
    assert len(page.message.text) > 20
    assert not WORDS_OF_MACHINES.search(page.message.text)
    assert not any(button.is_displayed() and button.is_enabled() for button in tab.all("main form button"))


def test_logging_in_works_without_offers_when_the_browser_cannot_make_them(tab: Tab, shared_demo: Demo) -> None:
    tab.before_scripts(
        "delete PublicKeyCredential.isConditionalMediationAvailable; delete PublicKeyCredential.getClientCapabilities;"
    )
    page = DemoPage(tab, shared_demo.url).open()
    person = ADA.called("no.offers")
    page.register(person)
    page.log_out()
    page.log_in(person.email)
