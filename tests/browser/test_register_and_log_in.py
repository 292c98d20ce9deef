"""The demo page's first journeys: an account, a passkey, and every way of logging in with it (SPEC §12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import until
from tests.browser.demo_page import Person

if TYPE_CHECKING:
    from tests.browser.demo_page import DemoPage

pytestmark = pytest.mark.browser
ADA = Person()


def test_registration_ends_at_the_profile_when_the_five_fields_are_filled_in(page: DemoPage) -> None:
    person = ADA.called("registers")
    page.register(person)
    shown = page.profile
    assert [shown[name] for name in ("first_name", "last_name", "email", "job_title", "role")] == [
        "Ada", "Lovelace", person.email, "Analyst", "user",
    ]  # fmt: skip
    assert "1990" in shown["date_of_birth"]
    assert shown["created_at"]
    assert len(page.wait_for_passkeys(1)) == 1
    assert page.token


def test_the_claims_and_the_countdown_are_those_of_the_token(page: DemoPage) -> None:
    person = ADA.called("claims")
    page.register(person)
    page.click("summary")
    claims = page.tab.find("#claims").text
    assert person.email in claims
    assert page.tab.run("return sessionStorage.getItem('webauthn_user_id')") in claims
    assert 3500 < float(page.tab.find("#expiry").get_dom_attribute("data-seconds") or 0) <= 3600


def test_somebody_logs_in_again_when_they_give_their_e_mail(page: DemoPage) -> None:
    person = ADA.called("by.email")
    page.register(person)
    page.log_out()
    page.log_in(f" {person.email.upper()} ")
    assert page.profile["email"] == person.email


def test_somebody_logs_in_by_the_button_when_they_give_no_e_mail(page: DemoPage) -> None:
    person = ADA.called("by.button")
    page.register(person)
    page.log_out()
    with page.authenticator.touched():
        page.click("#login-passkey")
        page.wait_for_state("signed-in")
    assert page.profile["email"] == person.email


@pytest.mark.offers
def test_a_passkey_that_the_browser_offers_at_the_field_logs_in_when_it_is_picked(page: DemoPage) -> None:
    """Conditional mediation: the page asks when it opens, and the browser answers when somebody picks."""
    person = ADA.called("by.autofill")
    page.register(person)
    page.log_out()
    assert page.tab.find("#login-email").get_dom_attribute("autocomplete") == "username webauthn"
    with page.authenticator.touched():
        page.open("signed-in")
    assert page.profile["email"] == person.email


def asked(page: DemoPage) -> list[str]:
    """The kinds of requests that the page has made of the browser."""
    kinds: list[str] = page.tab.run("return window.__asked")
    return kinds


@pytest.mark.offers
def test_a_login_by_e_mail_takes_the_place_of_the_offer_that_is_waiting(page: DemoPage) -> None:
    person = ADA.called("not.by.autofill")
    page.register(person)
    page.log_out()
    page.log_in(person.email)
    assert page.profile["email"] == person.email


@pytest.mark.offers
def test_the_passkey_is_offered_again_when_another_way_of_logging_in_was_given_up(page: DemoPage) -> None:
    """One request at a time: the waiting one gives way to the button's, and comes back after it."""
    page.tab.before_scripts("""
      const get = CredentialsContainer.prototype.get;
      window.__asked = [];
      CredentialsContainer.prototype.get = function (options) {
        window.__asked.push(options.mediation ?? "prompt");
        return get.call(this, options);
      };
    """)
    page.open()
    until(lambda: asked(page) == ["conditional"], "the page offers passkeys")
    with page.authenticator.touched():
        page.click("#login-passkey")
        page.wait_for_message("cancelled")
    until(lambda: asked(page)[1:3] == ["prompt", "conditional"], "the page offers passkeys again")


def test_an_open_session_is_taken_up_when_the_page_is_opened_again(page: DemoPage) -> None:
    person = ADA.called("reloads")
    page.register(person)
    page.open("signed-in")
    assert page.profile["email"] == person.email
    assert len(page.wait_for_passkeys(1)) == 1


def test_nothing_of_the_person_stays_when_they_log_out(page: DemoPage) -> None:
    person = ADA.called("leaves")
    page.register(person)
    page.log_out()
    assert page.message.code == "logged-out"
    assert page.tab.run("return Object.keys(sessionStorage)") == []
    assert person.email not in page.tab.run("return document.documentElement.outerHTML")
    assert not page.tab.find("#profile").is_displayed()
