"""Sessions that end while a page is open: every end is a clear state, and no button is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Tab, until
from tests.browser.clocks import SKEW, put_forward
from tests.browser.demo_page import DemoPage, Person
from tests.browser.said import says
from tests.browser.watch import NO_OFFERS, answered, unreachable

if TYPE_CHECKING:
    from tests.browser.servers import Demo

pytestmark = pytest.mark.browser
ADA = Person()
HOUR = 3600


def seconds_left(page: DemoPage) -> float:
    return float(page.tab.find("#expiry").get_dom_attribute("data-seconds") or "nan")


@pytest.fixture
def timed(tab: Tab, demo: Demo) -> DemoPage:
    """A page whose clock can be put forward, and somebody signed in."""
    tab.before_scripts(SKEW)
    page = DemoPage(tab, demo.url).open()
    page.register(ADA)
    return page


def test_the_countdown_goes_down(timed: DemoPage, demo: Demo) -> None:
    before = seconds_left(timed)
    text = timed.tab.find("#expiry").text
    put_forward(timed, demo, 600)
    until(lambda: seconds_left(timed) <= before - 600, "ten minutes are gone")
    assert timed.tab.find("#expiry").text != text
    assert timed.state == "signed-in"


def test_the_page_logs_out_by_itself_when_the_token_runs_out(timed: DemoPage, demo: Demo) -> None:
    put_forward(timed, demo, HOUR + 1)
    timed.wait_for_state("signed-out")
    assert timed.wait_for_message("session-expired").text
    assert timed.token is None
    timed.log_in(ADA.email)
    assert timed.profile["email"] == ADA.email


def test_the_page_says_how_long_the_session_still_lasts_when_it_is_about_to_end(timed: DemoPage, demo: Demo) -> None:
    put_forward(timed, demo, HOUR - 30)
    assert "seconds" in timed.wait_for_message("session-ending").text
    assert timed.tab.find("#expiry").get_dom_attribute("data-low") == "true"
    with timed.authenticator.touched():
        timed.click("#renew")
        timed.wait_for_message("renewed")
    assert seconds_left(timed) > HOUR - 60


def test_the_page_says_that_it_took_too_long_when_the_prompt_outlived_its_challenge(
    timed: DemoPage, demo: Demo
) -> None:
    timed.log_out()
    timed.tab.watch.expect(answered(401, "/login/complete"))
    timed.tab.run("""
      const get = CredentialsContainer.prototype.get;
      CredentialsContainer.prototype.get = async function (options) {
        const found = await get.call(this, options);
        await new Promise(go => window.__give = go);
        return found;
      };
    """)
    with timed.authenticator.touched():
        timed.click("#login-passkey")
        timed.tab.wait("!!window.__give", "the passkey is used")
    put_forward(timed, demo, 301)
    timed.tab.run("window.__give()")
    says(timed, "challenge-expired")


def test_an_action_leads_to_the_login_when_the_token_ran_out_unnoticed(own_page: DemoPage, demo: Demo) -> None:
    """The server's clock decides: a page that was asleep learns it from the answer."""
    own_page.register(ADA)
    demo.clock.ahead = HOUR + 10
    own_page.tab.watch.expect(answered(401, "/users/me/credentials/begin"))
    own_page.click("#add-passkey")
    own_page.wait_for_message("session-expired")
    assert own_page.state == "signed-out"
    own_page.log_in(ADA.email)


def test_the_page_opens_signed_out_when_its_token_ran_out_meanwhile(own_page: DemoPage, demo: Demo) -> None:
    own_page.register(ADA)
    demo.clock.ahead = HOUR + 10
    own_page.tab.watch.expect(answered(401, "/users/me", "/users/me/credentials"))
    own_page.open("signed-out")
    assert own_page.wait_for_message("session-expired").text
    assert own_page.token is None


def test_the_page_opens_signed_out_when_what_it_kept_is_no_token(page: DemoPage) -> None:
    page.tab.run("sessionStorage.setItem('webauthn_jwt', 'x.y.z'); sessionStorage.setItem('webauthn_user_id', 'x')")
    page.open("signed-out")
    assert page.token is None


def test_the_page_opens_signed_out_when_its_token_was_forged(page: DemoPage) -> None:
    page.register(ADA.called("forged"))
    page.tab.watch.expect(answered(401, "/users/me", "/users/me/credentials"))
    page.tab.run(
        "sessionStorage.setItem('webauthn_jwt', sessionStorage.getItem('webauthn_jwt').replace(/.{9}$/, 'AAAAAAAAA'))"
    )
    page.open("signed-out")
    assert page.wait_for_message("session-expired").text
    assert page.token is None


def test_the_back_button_shows_nothing_when_somebody_has_logged_out(page: DemoPage) -> None:
    person = ADA.called("goes.back")
    page.register(person)
    page.tab.go(f"{page.url}/healthz")
    page.open("signed-in")
    page.log_out()
    page.tab.browser.back()
    page.tab.browser.back()
    page.wait_for_state("signed-out")
    assert person.email not in page.tab.run("return document.documentElement.outerHTML")
    page.tab.browser.forward()
    page.tab.browser.forward()
    page.wait_for_state("signed-out")


def test_two_tabs_of_two_people_know_nothing_of_each_other(page: DemoPage) -> None:
    first, second = ADA.called("first.tab"), ADA.called("second.tab")
    page.register(first)
    tab = Tab(page.tab.browser, page.tab.watch)
    tab.before_scripts(NO_OFFERS)
    other = DemoPage(tab, page.url).open()
    other.register(second)
    assert other.profile["email"] == second.email
    other.log_out()
    page.tab.front()
    assert page.state == "signed-in"
    page.open("signed-in")
    assert page.profile["email"] == first.email


def test_every_tab_of_a_person_is_left_when_they_log_out_in_one(page: DemoPage) -> None:
    person = ADA.called("two.tabs")
    page.register(person)
    page.tab.run("window.open(location.href)")
    until(lambda: len(page.tab.browser.window_handles) == 3, "another tab is open")
    page.tab.browser.switch_to.window(next(iter({*page.tab.browser.window_handles[1:]} - {page.tab.handle})))
    page.wait_for_state("signed-in")
    page.log_out()
    page.tab.front()
    page.wait_for_state("signed-out")
    assert "another tab" in page.wait_for_message("logged-out").text
    assert page.token is None


def test_a_session_goes_on_when_the_server_was_started_again_meanwhile(own_page: DemoPage, demo: Demo) -> None:
    own_page.register(ADA)
    demo.stop()
    demo.start()
    own_page.wait_for_passkeys(1)[0].rename("After the restart")
    assert own_page.state == "signed-in"


def test_a_login_begins_anew_when_the_server_was_started_again_meanwhile(own_page: DemoPage, demo: Demo) -> None:
    own_page.register(ADA)
    own_page.log_out()
    demo.stop()
    demo.start()
    own_page.log_in(ADA.email)
    assert own_page.profile["email"] == ADA.email


def test_the_page_says_so_and_goes_on_later_when_the_server_is_down(own_page: DemoPage, demo: Demo) -> None:
    own_page.register(ADA)
    own_page.log_out()
    demo.stop()
    own_page.tab.watch.expect(unreachable("/login/begin"))
    own_page.type("#login-email", ADA.email)
    own_page.click("#login-submit")
    said = own_page.wait_for_message("offline")
    assert (said.kind, said.role) == ("error", "alert")
    until(lambda: own_page.tab.find("#login-submit").is_enabled(), "the button can be used again")
    demo.start()
    own_page.log_in(ADA.email)


def test_the_session_is_kept_when_the_server_is_down_for_a_moment(own_page: DemoPage, demo: Demo) -> None:
    own_page.register(ADA)
    row = own_page.wait_for_passkeys(1)[0]
    demo.stop()
    own_page.tab.watch.expect(unreachable("/users/me/credentials/begin"))
    own_page.click("#add-passkey")
    own_page.wait_for_message("offline")
    assert own_page.state == "signed-in"
    demo.start()
    row.rename("Still there")


def test_logging_out_works_when_the_server_is_down(own_page: DemoPage, demo: Demo) -> None:
    own_page.register(ADA)
    demo.stop()
    own_page.click("#logout")
    own_page.wait_for_state("signed-out")
    assert own_page.token is None
